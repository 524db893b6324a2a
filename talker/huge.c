/* huge.c (talker) - touches the same pages: the memory is shared, the page table is not.
 *
 * Read listener/huge.c first, and start it first. The pages are there already. But each process has
 * a page table of its own, which says where they are. Each entry takes a page fault. With huge
 * pages there are fewer entries.
 *
 *     $ build/listener-huge                   $ build/talker-huge
 */
#include "../common/layout/huge.h"
#include "../common/lesson.h"
#include "../common/memory.h"
#include "../common/peer.h"
#include "../common/session.h"

static const struct program program = {
    .name = "talker-huge",
    .about = "Touches the segments that a listener has touched, and counts page faults of its own.",
    .values = HUGE_VALUES};

static long measure(const struct session *session, int shmid, size_t *pages);

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    struct huge *shared = session_join(&session, &options, HUGE_LESSON, sizeof *shared);
    session_await(&session, HUGE_TOUCHED);
    size_t pages, page = (size_t)sysconf(_SC_PAGESIZE);

    explain("Attach what the listener has touched. The pages are there, but we fault as well.");
    long faults = measure(&session, observe(&shared->plain), &pages);
    check(faults >= (long)pages, "no flag: the same %zu bytes took %ld page faults here, too",
          pages * page, faults);

    int shmid = observe(&shared->hugetlb);
    if (shmid == -1) {
        print_line("skipped: the listener has no segment with SHM_HUGETLB");
    } else {
        explain("With huge pages the page table has fewer entries, so there are fewer faults.");
        faults = measure(&session, shmid, &pages);
        check(faults < (long)pages / 4,
              "SHM_HUGETLB: the same %zu bytes took %ld page faults here, too", pages * page,
              faults);
    }
    session_advance(&session, HUGE_TOUCHED_TOO);
    session_await(&session, HUGE_OVER);
    session_part(&session);
    return program_end();
}

/* A segment that is not there any more went with the listener. */
static _Noreturn void fail(const struct session *session, const char *call, int shmid)
{
    int error = errno;
    if (peer_is_gone(session->peer, session->segment.shmid))
        session_give_up(session, WAIT_GONE);
    errno = error;
    err(EXIT_FAILED, "%s(%d)", call, shmid);
}

/* Attaches one of the listener's segments, touches it, and detaches it. Returns the page faults;
 * *pages is its size in small pages. */
static long measure(const struct session *session, int shmid, size_t *pages)
{
    struct shmid_ds about;
    if (sys_shmctl(shmid, IPC_STAT, &about) == -1)
        fail(session, "shmctl", shmid);
    if (about.shm_cpid != session->peer)
        errx(EXIT_FAILED, "segment %d is not the listener's, but PID %d's", shmid,
             (int)about.shm_cpid);
    char *place = sys_shmat(shmid, NULL, 0);
    if (place == (void *)-1)
        fail(session, "shmat", shmid);
    long faults = memory_touch(place, about.shm_segsz);
    if (sys_shmdt(place) == -1)
        err(EXIT_FAILED, "shmdt(%p)", (void *)place);
    *pages = about.shm_segsz / (size_t)sysconf(_SC_PAGESIZE);
    return faults;
}
