/* limits.c (listener) - the kernel limits how many segments there are, how large, and how much in
 * all.
 *
 * SHMMNI: how many segments. SHMMIN and SHMMAX: how large each of them, in bytes. SHMALL: how large
 * all of them together, in pages. SHMSEG: how many a process may attach; Linux reports it, and does
 * not enforce it. IPC_INFO reports them all, and three are files in /proc/sys/kernel. Lesson "full"
 * shows what happens where one is reached.
 *
 *     listener                                talker
 *     asks for the limits, REPORTED ------->  asks as well, and compares
 *                                             asks for the limits of semaphores and queues
 *     OVER                          <-------  COMPARED
 *
 *     $ build/listener-limits                 $ build/talker-limits
 *
 * Level: beyond; 3 minutes; after fields
 * Question: How many segments can exist on this machine at the same time?
 * Choices: 4096 | as many as memory holds | another number
 * Answer: 4096. SHMMNI says so, and 4096 is what Linux begins with.
 * Shown by: SHMMNI is 4096 by IPC_INFO
 * Answer: another number. SHMMNI says so: root has changed it.
 * Shown by: SHMMNI is
 */
#if defined(__linux__)
#define _GNU_SOURCE /* IPC_INFO */
#endif
#include "../common/layout/limits.h"
#include "../common/lesson.h"
#include "../common/session.h"

#include <stdio.h>

static const struct program program = {
    .name = "listener-limits",
    .about = "Asks the kernel for its limits, and reads them in /proc/sys/kernel.",
    .question = "How many segments can exist on this machine at the same time?",
    .values = LIMITS_VALUES};

#ifdef IPC_INFO
static void report_limits(struct limits *shared);
#endif

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    struct limits *shared = session_open(&session, &options, LIMITS_LESSON, sizeof *shared);
    session_await_talker(&session);
#ifdef IPC_INFO
    report_limits(shared);
#else
    session_skip(&session, "this system does not have IPC_INFO");
#endif
    session_advance(&session, LIMITS_REPORTED);
    session_await(&session, LIMITS_COMPARED);
    session_advance(&session, LIMITS_OVER);
    session_part(&session);
    return program_end();
}

#ifdef IPC_INFO

static struct shminfo ask(void);
static void compare(const char *name, unsigned long reported, const char *path);

static void report_limits(struct limits *shared)
{
    explain("Ask the kernel for the limits, and read the files in which root can set them.");
    struct shminfo limits = ask();
    compare("SHMMNI", limits.shmmni, "/proc/sys/kernel/shmmni");
    compare("SHMMAX", limits.shmmax, "/proc/sys/kernel/shmmax");
    compare("SHMALL", limits.shmall, "/proc/sys/kernel/shmall");

    explain("Store what the kernel reported: the talker compares it with what it gets.");
    shared->shmmni = limits.shmmni;
    shared->shmmax = limits.shmmax;
    shared->shmall = limits.shmall;
    publish(&shared->bits, (int)sizeof(long) * 8);
}

/* ---- the system's limits ---- */

static struct shminfo ask(void)
{
    struct shminfo info;
    if (sys_shmctl(0, IPC_INFO, (struct shmid_ds *)&info) == -1)
        err(EXIT_FAILED, "shmctl(0, IPC_INFO)");
    return info;
}

/* A 64-bit kernel has limits for which the struct shminfo of a 32-bit program has no room. */
static bool has_room(unsigned long long limit)
{
    return limit <= LONG_MAX || LONG_MAX > INT_MAX;
}

static void compare(const char *name, unsigned long reported, const char *path)
{
    unsigned long long listed = 0;
    FILE *file = fopen(path, "r");
    bool is_there = file && fscanf(file, "%llu", &listed) == 1;
    if (file)
        fclose(file);
    if (!is_there)
        print_line("%s is %lu by IPC_INFO; skipped: %s cannot be read", name, reported, path);
    else if (!has_room(listed))
        print_line("%s is %llu in %s; skipped: IPC_INFO gives a 32-bit program %lu", name, listed,
                   path, reported);
    else
        check(reported == listed, "%s is %lu by IPC_INFO, %llu in %s", name, reported, listed,
              path);
}

#endif
