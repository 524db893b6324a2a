/* limits.c (listener) - the kernel limits how many segments there are, how large, and how much in
 * all.
 *
 * SHMMNI: how many segments; SHMMIN and SHMMAX: how large each, in bytes; SHMALL: how large all of
 * them together, in pages; SHMSEG: how many a process may attach, which Linux reports and does not
 * enforce. IPC_INFO tells them, and three are files in /proc/sys/kernel. They belong to the IPC
 * namespace: a child of ours gets one of its own, lowers them there, and runs into each.
 *
 *     listener                                talker
 *     asks for the limits
 *     its child lowers its own, and
 *       runs into each
 *     TOLD                          ------->  is told the same limits
 *                                             asks for what nobody gets, limits or not
 *                                   <-------  REFUSED
 *     OVER                          ------->
 *
 *     $ build/listener-limits                 $ build/talker-limits
 *
 * Question: How many segments can exist on this machine at the same time?
 */
#if defined(__linux__)
#define _GNU_SOURCE /* IPC_INFO, SHM_INFO, unshare */
#endif
#include "../common/layout/limits.h"
#include "../common/lesson.h"
#include "../common/session.h"
#include "../common/ending.h"

#include <sched.h>
#include <stdio.h>
#include <sys/wait.h>

static const struct program program = {
    .name = "listener-limits",
    .about = "Asks for the limits of the system, lowers its own, and runs into each of them.",
};

#ifdef IPC_INFO

enum { FEW = 3 }; /* as low as the limits are set: so many segments, of a page each */

static const char shmmni_file[] = "/proc/sys/kernel/shmmni";
static const char shmmax_file[] = "/proc/sys/kernel/shmmax";
static const char shmall_file[] = "/proc/sys/kernel/shmall";

static struct shminfo ask(void)
{
    struct shminfo info;
    if (sys_shmctl(0, IPC_INFO, (struct shmid_ds *)&info) == -1)
        err(1, "shmctl(0, IPC_INFO)");
    return info;
}

/* ---- the system's limits ---- */

static void compare(const char *name, unsigned long told, const char *path)
{
    unsigned long listed;
    FILE *file = fopen(path, "r");
    if (!file || fscanf(file, "%lu", &listed) != 1)
        say("%s is %lu by IPC_INFO; skipped: no %s to compare", name, told, path);
    else
        check(told == listed, "%s is %lu by IPC_INFO, %lu in %s", name, told, listed, path);
    if (file)
        fclose(file);
}

/* ---- limits of our own ---- */

static bool write_line(const char *path, const char *line)
{
    FILE *file = fopen(path, "w");
    bool written = file && fputs(line, file) != EOF;
    return file && fclose(file) == 0 && written;
}

/* Root may; anybody else needs a user namespace around it, and to be root in there. */
static bool leave_the_system(void)
{
    char map[32];
    snprintf(map, sizeof map, "0 %u 1", (unsigned)geteuid());
    return unshare(CLONE_NEWIPC) == 0 ||
           (unshare(CLONE_NEWUSER | CLONE_NEWIPC) == 0 && write_line("/proc/self/uid_map", map));
}

/* To be called only where leave_the_system was successful: this is not the system's limit then. */
static bool set(const char *path, unsigned long limit)
{
    char line[32];
    snprintf(line, sizeof line, "%lu", limit);
    return write_line(path, line);
}

/* Makes segments of a page until one is refused, and claims that it is this limit's doing. */
static void fill(const char *limit, int *shmids, size_t page)
{
    int count = 0;
    while (count <= FEW && (shmids[count] = sys_shmget(IPC_PRIVATE, page, 0600)) != -1)
        count++;
    const char *then = count <= FEW ? calls_error_name(errno) : "one more";
    if (!check(count == FEW && errno == ENOSPC, "%s lowered to %d: %d segments of a page, then %s",
               limit, FEW, count, then))
        exit(check_status()); /* what comes next needs these segments */
}

static void remove_all(const int *shmids, int count)
{
    while (count > 0)
        if (sys_shmctl(shmids[--count], IPC_RMID, NULL) == -1)
            err(1, "shmctl(%d, IPC_RMID)", shmids[count]);
}

static void run_into_shmmax(size_t page)
{
    explain("SHMMAX: a segment may be that large, but not a byte larger");
    int shmid = sys_shmget(IPC_PRIVATE, page, 0600);
    if (shmid == -1)
        err(1, "shmget(IPC_PRIVATE, %zu, 0600)", page);
    int larger = sys_shmget(IPC_PRIVATE, page + 1, 0600);
    const char *then = larger == -1 ? calls_error_name(errno) : "granted";
    check(larger == -1 && errno == EINVAL, "SHMMAX lowered to %zu: %zu bytes granted, %zu %s", page,
          page, page + 1, then);
    remove_all(&shmid, 1);
}

static void run_into_shmall(int *shmids, size_t page)
{
    explain("SHMALL: so many pages in all segments together, however few they are");
    fill("SHMALL", shmids, page);
    remove_all(shmids, FEW);
}

static void run_into_shmmni(int *shmids, size_t page)
{
    explain("SHMMNI: so many segments, however small; SHM_INFO counts them");
    fill("SHMMNI", shmids, page);
    struct shm_info usage;
    if (sys_shmctl(0, SHM_INFO, (struct shmid_ds *)&usage) == -1)
        err(1, "shmctl(0, SHM_INFO)");
    check(usage.used_ids == FEW && usage.shm_tot == FEW,
          "SHM_INFO counts %d segments and %lu pages in this namespace", usage.used_ids,
          usage.shm_tot);
}

/* There are more segments than SHMMNI allows now; nobody takes them away. */
static void run_past_shmseg(const int *shmids)
{
    explain(
        "SHMSEG: IPC_INFO reports it, the same as SHMMNI; but attach more, and none is refused");
    unsigned long shmseg = ask().shmseg, attached = 0;
    for (int i = 0; i < FEW; i++)
        attached += sys_shmat(shmids[i], NULL, SHM_RDONLY) != (void *)-1;
    check(attached > shmseg, "SHMSEG lowered to %lu: %lu segments attached all the same", shmseg,
          attached);
}

/* The child's part. Its segments go with its namespace, when it ends. */
static void run_into_limits(unsigned long shmall)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    int shmids[FEW + 1];
    if (!leave_the_system() || !set(shmmax_file, page)) {
        say("skipped: no limits of its own for a child: %s", calls_error_name(errno));
        return;
    }
    run_into_shmmax(page);
    if (!set(shmall_file, FEW))
        err(1, "write %d to %s", FEW, shmall_file);
    run_into_shmall(shmids, page);
    if (!set(shmall_file, shmall) || !set(shmmni_file, FEW))
        err(1, "write to %s, %s", shmall_file, shmmni_file);
    run_into_shmmni(shmids, page);
    if (!set(shmmni_file, FEW - 1))
        err(1, "write %d to %s", FEW - 1, shmmni_file);
    run_past_shmseg(shmids);
}

static void let_a_child_run_into_limits(const struct shminfo *limits)
{
    explain("limits belong to the IPC namespace: a child leaves ours, and lowers its own");
    pid_t child = sys_fork();
    if (child == -1)
        err(1, "fork");
    if (child == 0) {
        trace_stop_no_more(); /* its parent waits for it */
        run_into_limits(limits->shmall);
        exit(check_status());
    }
    int status;
    if (waitpid(child, &status, 0) == -1)
        err(1, "waitpid(%d)", (int)child);
    struct shminfo after = ask();
    bool same = after.shmmni == limits->shmmni && after.shmmax == limits->shmmax &&
                after.shmall == limits->shmall;
    check(status == 0 && same, "after that, in the system's: SHMMNI %lu, SHMMAX %lu, SHMALL %lu",
          after.shmmni, after.shmmax, after.shmall);
}

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    struct limits *shared = session_open(&session, &options, LIMITS_LESSON, sizeof *shared);
    session_await_talker(&session);

    explain("ask what the limits are, and look where an administrator sets them");
    struct shminfo limits = ask();
    compare("SHMMNI", limits.shmmni, shmmni_file);
    compare("SHMMAX", limits.shmmax, shmmax_file);
    compare("SHMALL", limits.shmall, shmall_file);
    let_a_child_run_into_limits(&limits);

    explain("leave what the kernel told us for the talker, which should be told the same");
    shared->shmmni = limits.shmmni;
    shared->shmmax = limits.shmmax;
    shared->shmall = limits.shmall;
    session_advance(&session, LIMITS_TOLD);
    session_await(&session, LIMITS_REFUSED);
    session_advance(&session, LIMITS_OVER);
    session_part(&session);
    return program_end();
}

#else /* no IPC_INFO */

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    session_open(&session, &options, LIMITS_LESSON, sizeof(struct limits));
    session_await_talker(&session);
    session_skip(&session, "this system does not have IPC_INFO");
}

#endif
