/* huge.c (talker) - touches the same pages: the memory is shared, the page table is not.
 *
 * The other half of listener/huge.c, which tells the story and is started first. The pages are
 * there already; but each process has a page table of its own, which says where they are. It is
 * filled in page by page, and each entry takes a page fault. With huge pages there are fewer.
 *
 *     $ build/listener-huge                   $ build/talker-huge
 */
#include "../common/layout/huge.h"
#include "../common/lesson.h"
#include "../common/session.h"
#include "../common/peer.h"
#include "../common/ending.h"

#include <sys/resource.h>

static const struct program program = {
    .name = "talker-huge",
    .about = "Touches the segments that a listener has touched, and counts page faults of its own.",
};

static const char *const names[] = {"no flag", "SHM_NORESERVE"};

/* Stores one byte in each page. Returns how many page faults that took. */
static long touch(volatile char *place, size_t bytes)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    struct rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    for (size_t at = 0; at < bytes; at += page)
        place[at] = 1;
    getrusage(RUSAGE_SELF, &after);
    return after.ru_minflt - before.ru_minflt;
}

/* A segment that is not there any more was the listener's, and went with it: session_await says so. */
static _Noreturn void fail(struct session *session, const char *call, int shmid)
{
    int error = errno;
    if (peer_is_gone(session->peer, session->segment.shmid))
        session_await(session, HUGE_OVER);
    errno = error;
    err(1, "%s(%d)", call, shmid);
}

/* Attaches one of the listener's segments, touches it, and detaches it. Returns the page faults. */
static long measure(struct session *session, int shmid, size_t *bytes)
{
    struct shmid_ds about;
    if (sys_shmctl(shmid, IPC_STAT, &about) == -1)
        fail(session, "shmctl", shmid);
    if (about.shm_cpid != session->peer)
        errx(1, "segment %d is not the listener's, but PID %d's", shmid, (int)about.shm_cpid);
    char *place = sys_shmat(shmid, NULL, 0);
    if (place == (void *)-1)
        fail(session, "shmat", shmid);
    *bytes = about.shm_segsz;
    long faults = touch(place, *bytes);
    if (sys_shmdt(place) == -1)
        err(1, "shmdt(%p)", (void *)place);
    return faults;
}

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    struct huge *shared = session_join(&session, &options, HUGE_LESSON, sizeof *shared);
    session_await(&session, HUGE_TOUCHED);

    explain("attach what the listener has touched: the pages are there, and still we fault");
    size_t bytes;
    for (int kind = 0; kind < HUGE_HUGETLB; kind++) {
        long faults = measure(&session, observe(&shared->shmids[kind]), &bytes);
        check(faults >= (long)bytes / sysconf(_SC_PAGESIZE),
              "%s: the same %zu bytes took %ld page faults here, too", names[kind], bytes, faults);
    }
    int shmid = observe(&shared->shmids[HUGE_HUGETLB]);
    if (shmid == -1) {
        say("skipped: the listener has no segment with SHM_HUGETLB");
    } else {
        explain("in huge pages there are fewer entries to fill in, and so there are fewer faults");
        long faults = measure(&session, shmid, &bytes);
        check(faults < (long)bytes / sysconf(_SC_PAGESIZE) / 4,
              "SHM_HUGETLB: the same %zu bytes took %ld page faults here, too", bytes, faults);
    }
    session_advance(&session, HUGE_TOUCHED_TOO);
    session_await(&session, HUGE_OVER);
    session_part(&session);
    return program_end();
}
