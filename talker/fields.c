/* fields.c (talker) - prints each field of struct shmid_ds, twice.
 *
 * Read listener/fields.c first, and start it first. What we print is what `ipcs -m -i SHMID` shows.
 *
 *     $ build/listener-fields                 $ build/talker-fields
 */
#include "../common/layout/fields.h"
#include "../common/lesson.h"
#include "../common/peer.h"
#include "../common/session.h"

#include <time.h>

static struct shmid_ds show(const char *when, const struct session *session);
static void attach_and_detach(int shmid);
static const char *clock_of(time_t when, char text[16]);

static const char *const points[] = {"after", NULL};

static const struct program program = {
    .name = "talker-fields",
    .about = "Prints all that the kernel knows of a segment, before and after some calls.",
    .points = points,
    .values = FIELDS_VALUES};

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    session_join(&session, &options, FIELDS_LESSON, sizeof(struct fields));

    explain("Ask the kernel for all that it knows, while both sides have the segment attached.");
    struct shmid_ds before = show("before", &session);
    check(before.shm_nattch == 2 && before.shm_cpid == session.peer && before.shm_lpid == getpid(),
          "attached %lu times, created by PID %d (the listener is %d), last used by PID %d (we are "
          "%d)",
          (unsigned long)before.shm_nattch, (int)before.shm_cpid, (int)session.peer,
          (int)before.shm_lpid, (int)getpid());
    session_advance(&session, SHOWN);

    session_await(&session, SET);
    attach_and_detach(session.segment.shmid);
    trace_point("after");
    struct shmid_ds after = show("after", &session);
    check(after.shm_nattch == 2 && after.shm_lpid == getpid() && after.shm_dtime != 0 &&
              after.shm_ctime > before.shm_ctime,
          "attached %lu times, last used by PID %d (we are %d), changed %lld s after its creation",
          (unsigned long)after.shm_nattch, (int)after.shm_lpid, (int)getpid(),
          (long long)after.shm_ctime - (long long)before.shm_ctime);
    session_advance(&session, SHOWN_AGAIN);
    session_part(&session);
    return program_end();
}

static void attach_and_detach(int shmid)
{
    explain("Attach it once more, and detach that: the kernel notes the time of each.");
    void *again = sys_shmat(shmid, NULL, SHM_RDONLY);
    if (again == (void *)-1)
        err(EXIT_FAILED, "shmat(%d, NULL, SHM_RDONLY)", shmid);
    if (sys_shmdt(again) == -1)
        err(EXIT_FAILED, "shmdt(%p)", again);
}

/* Each field, under its name. The exit of a listener changes some of them. */
static struct shmid_ds show(const char *when, const struct session *session)
{
    int shmid = session->segment.shmid;
    struct shmid_ds about;
    if (sys_shmctl(shmid, IPC_STAT, &about) == -1)
        err(EXIT_FAILED, "shmctl(%d, IPC_STAT)", shmid);
    if (peer_is_gone(session->peer, shmid))
        session_give_up(session, WAIT_GONE);
    const struct ipc_perm *perm = &about.shm_perm;
    print_line("%s: key %#x, uid %u, gid %u, cuid %u, cgid %u, mode %#o", when,
               (unsigned)calls_key_of(&about), (unsigned)perm->uid, (unsigned)perm->gid,
               (unsigned)perm->cuid, (unsigned)perm->cgid, (unsigned)perm->mode);
    print_line("%s: shm_segsz %zu, shm_nattch %lu, shm_cpid %d, shm_lpid %d", when,
               (size_t)about.shm_segsz, (unsigned long)about.shm_nattch, (int)about.shm_cpid,
               (int)about.shm_lpid);
    char atime[16], dtime[16], ctime[16];
    print_line("%s: shm_atime %s, shm_dtime %s, shm_ctime %s", when,
               clock_of(about.shm_atime, atime), clock_of(about.shm_dtime, dtime),
               clock_of(about.shm_ctime, ctime));
    return about;
}

static const char *clock_of(time_t when, char text[16])
{
    struct tm tm;
    if (when == 0)
        return "never";
    if (!localtime_r(&when, &tm) || strftime(text, 16, "%H:%M:%S", &tm) == 0)
        errx(EXIT_FAILED, "the time %lld has no place in our calendar", (long long)when);
    return text;
}
