/* noreserve.c (talker) - uses some pages of a segment that is larger than the memory.
 *
 * Read listener/noreserve.c first, and start it first. No memory was promised for the segment, but
 * the pages that the listener has touched are there. We share them.
 *
 *     $ build/listener-noreserve              $ build/talker-noreserve
 */
#include "../common/layout/noreserve.h"
#include "../common/lesson.h"
#include "../common/memory.h"
#include "../common/peer.h"
#include "../common/session.h"

static const struct program program = {
    .name = "talker-noreserve",
    .about = "Touches some pages of a segment that is larger than the memory.",
    .values = NORESERVE_VALUES};

static void touch(const struct session *session, int shmid);

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    struct noreserve *shared = session_join(&session, &options, NORESERVE_LESSON, sizeof *shared);
    session_await(&session, NORESERVE_TOUCHED);
    touch(&session, observe(&shared->shmid));
    session_advance(&session, NORESERVE_TOUCHED_TOO);
    session_await(&session, NORESERVE_OVER);
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

static void touch(const struct session *session, int shmid)
{
    explain("Attach the segment, and touch the pages that the listener has touched.");
    size_t bytes = NORESERVE_PAGES * (size_t)sysconf(_SC_PAGESIZE);
    struct shmid_ds about;
    if (sys_shmctl(shmid, IPC_STAT, &about) == -1)
        fail(session, "shmctl", shmid);
    if (about.shm_cpid != session->peer || about.shm_segsz < bytes)
        errx(EXIT_FAILED, "segment %d of %zu bytes, created by PID %d, is not the listener's",
             shmid, (size_t)about.shm_segsz, (int)about.shm_cpid);
    char *place = sys_shmat(shmid, NULL, 0);
    if (place == (void *)-1 && errno == ENOMEM)
        errx(EXIT_FAILED, "shmat(%d): no room for it among the addresses of a %zu-bit program",
             shmid, 8 * sizeof(void *));
    if (place == (void *)-1)
        fail(session, "shmat", shmid);
    long faults = memory_touch(place, bytes);
    check(faults >= NORESERVE_PAGES,
          "the first %d pages of the %zu bytes took %ld page faults here, too", NORESERVE_PAGES,
          (size_t)about.shm_segsz, faults);
    if (sys_shmdt(place) == -1)
        err(EXIT_FAILED, "shmdt(%p)", (void *)place);
}
