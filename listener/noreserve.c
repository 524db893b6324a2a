/* noreserve.c (listener) - shmget promises memory; with SHM_NORESERVE it promises nothing.
 *
 * What shmget grants is promised. So it refuses a segment that memory and swap together cannot
 * hold, even if no process ever touches it. SHM_NORESERVE asks for no promise. Then the segment may
 * be larger than the memory, and its pages come when they are touched, as in any segment. If memory
 * runs out by then, the process dies.
 *
 *     listener                                talker
 *     asks for twice what there is: ENOMEM
 *     the same, SHM_NORESERVE: granted
 *     touches some pages, TOUCHED   ------->  touches the same pages
 *                                   <-------  TOUCHED_TOO
 *     OVER                          ------->
 *
 *     $ build/listener-noreserve              $ build/talker-noreserve
 *
 * Level: beyond; 3 minutes; after pages
 * Question: Can a segment be larger than memory and swap together?
 * Answer: yes. With SHM_NORESERVE the kernel promises no memory; without it, it refuses.
 * Shown by: with SHM_NORESERVE: granted
 */
#if defined(__linux__)
#define _GNU_SOURCE /* SHM_NORESERVE, MADV_NOHUGEPAGE */
#endif
#include "../common/layout/noreserve.h"
#include "../common/lesson.h"
#include "../common/memory.h"
#include "../common/session.h"

#include <stdio.h>
#include <sys/mman.h>

static const struct program program = {
    .name = "listener-noreserve",
    .about = "Asks for more memory than there is, and uses some pages of it.",
    .question = "Can a segment be larger than memory and swap together?",
    .values = NORESERVE_VALUES};

#ifdef SHM_NORESERVE

static size_t twice_what_there_is(struct session *session);
static int ask_for(struct session *session, size_t bytes);
static void touch(int shmid);

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    struct noreserve *shared = session_open(&session, &options, NORESERVE_LESSON, sizeof *shared);
    session_await_talker(&session);

    int shmid = ask_for(&session, twice_what_there_is(&session));
    publish(&shared->shmid, shmid);
    touch(shmid);
    session_advance(&session, NORESERVE_TOUCHED);
    session_await(&session, NORESERVE_TOUCHED_TOO);
    session_advance(&session, NORESERVE_OVER);
    session_part(&session);
    return program_end();
}

/* Twice memory and swap, in bytes. */
static size_t twice_what_there_is(struct session *session)
{
    size_t kib = memory_info("MemTotal") + memory_info("SwapTotal");
    if (kib == 0)
        session_skip(session, "/proc/meminfo cannot be read here");
    if (kib > SIZE_MAX / 2048)
        session_skip(session, "twice %zu KiB is more than a program of %zu bits can ask for", kib,
                     8 * sizeof(void *));
    return kib * 2048;
}

/* vm.overcommit_memory (proc(5)). 0: Linux refuses what it could not hold in any case. 1: it
 * refuses nothing. 2: it refuses what is not covered, and SHM_NORESERVE changes nothing. */
static int overcommit(void)
{
    int mode = 0;
    FILE *file = fopen("/proc/sys/vm/overcommit_memory", "r");
    if (!file)
        return mode;
    if (fscanf(file, "%d", &mode) != 1)
        mode = 0;
    fclose(file);
    return mode;
}

static const char *name_of(int error)
{
    return error == 0 ? "granted" : calls_error_name(error);
}

/* Skips the lesson if the segment was refused because of a limit. SHMALL and SHMMNI have one errno,
 * and SHMMNI is checked last, after the memory. */
static void skip_at_a_limit(struct session *session, size_t bytes, int error)
{
    if (error == EINVAL)
        session_skip(session, "%zu bytes: EINVAL, SHMMAX is lower than that", bytes);
    if (error == ENOSPC)
        session_skip(session, "%zu bytes: ENOSPC, SHMALL or SHMMNI leaves no room for that", bytes);
}

/* Returns the id of a segment of `bytes`. */
static int ask_for(struct session *session, size_t bytes)
{
    explain("Ask for twice all memory and swap: no process touches it, but shmget promises it.");
    int shmid = sys_shmget(IPC_PRIVATE, bytes, 0600), promised = shmid == -1 ? errno : 0;
    if (shmid != -1 && sys_shmctl(shmid, IPC_RMID, NULL) == -1)
        err(EXIT_FAILED, "shmctl(%d, IPC_RMID)", shmid);
    skip_at_a_limit(session, bytes, promised);

    explain("Ask for the same with SHM_NORESERVE: nothing is promised, so it is granted.");
    shmid = sys_shmget(IPC_PRIVATE, bytes, SHM_NORESERVE | 0600);
    int unpromised = shmid == -1 ? errno : 0, mode = overcommit();
    if (shmid != -1)
        segment_remove_at_exit(shmid);
    skip_at_a_limit(session, bytes, unpromised);
    check(promised == (mode == 1 ? 0 : ENOMEM) && unpromised == (mode == 2 ? ENOMEM : 0),
          "%zu bytes, twice what there is: %s; with SHM_NORESERVE: %s (vm.overcommit_memory=%d)",
          bytes, name_of(promised), name_of(unpromised), mode);
    if (shmid == -1)
        session_skip(session, "there is no segment to touch");
    return shmid;
}

/* Touches the first pages. The segment stays attached, and is marked for removal: it goes when both
 * of us have gone, even if we are killed. */
static void touch(int shmid)
{
    explain("Touch some of its pages: each comes now, by a page fault, as in any segment.");
    char *place = sys_shmat(shmid, NULL, 0);
    if (place == (void *)-1)
        err(EXIT_FAILED, "shmat(%d, NULL, 0)", shmid);
    if (sys_shmctl(shmid, IPC_RMID, NULL) == -1)
        err(EXIT_FAILED, "shmctl(%d, IPC_RMID)", shmid);
    size_t bytes = NORESERVE_PAGES * (size_t)sysconf(_SC_PAGESIZE);
    madvise(place, bytes, MADV_NOHUGEPAGE); /* fails where the kernel has no huge pages to forbid */
    long faults = memory_touch(place, bytes);
    check(faults >= NORESERVE_PAGES, "its first %d pages took %ld page faults", NORESERVE_PAGES,
          faults);
}

#else

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    session_open(&session, &options, NORESERVE_LESSON, sizeof(struct noreserve));
    session_await_talker(&session);
    session_skip(&session, "this system has no SHM_NORESERVE");
}

#endif
