/* inherit.c (talker) - counts from outside how often the family's segment is attached.
 *
 * Read listener/inherit.c first, and start it first. We are not related to it, and do not attach
 * the family's segment. But any process that knows the shmid, and may read the segment, can ask the
 * kernel for shm_nattch.
 *
 *     $ build/listener-inherit                $ build/talker-inherit
 */
#include "../common/layout/inherit.h"
#include "../common/lesson.h"
#include "../common/session.h"

static const char *const points[] = {"count", NULL};

static const struct program program = {
    .name = "talker-inherit",
    .about = "Counts the attachments of a segment while its listener forks, and detaches.",
    .points = points,
    .values = INHERIT_VALUES};

enum { GONE = -1 };

/* What is claimed of each of the listener's steps. */
static const struct {
    int step;
    int attached;
    const char *after;
} steps[] = {
    {INHERIT_TWICE, 2, "two shmat"},
    {INHERIT_FORKED, 4, "a fork"},
    {INHERIT_EXECED, 2, "the child's exec"},
    {INHERIT_AGAIN, 4, "another fork"},
    {INHERIT_EXITED, 2, "the child's exit, without shmdt"},
    {INHERIT_ONCE, 1, "a shmdt"},
    {INHERIT_GONE, GONE, "another shmdt"},
};

static int count(const struct session *session, int shmid, int expected);

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    struct inherit *shared = session_join(&session, &options, INHERIT_LESSON, sizeof *shared);

    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        session_await(&session, steps[i].step);
        trace_point("count");
        explain("Ask the kernel how often the family's segment is attached now.");
        int attached = count(&session, observe(&shared->shmid), steps[i].attached);
        if (attached == GONE)
            check(attached == steps[i].attached, "after %s: the segment is gone", steps[i].after);
        else
            check(attached == steps[i].attached, "after %s: nattch %d", steps[i].after, attached);
        session_advance(&session, steps[i].step + 1);
    }
    session_part(&session);
    return program_end();
}

/* Returns how often the listener's segment is attached. The kernel counts the attachments of a
 * process that has called exec or exited until it has taken the old memory apart. A process that
 * reads /proc/PID/maps at that moment puts this off: so ask again for a while. */
static int count(const struct session *session, int shmid, int expected)
{
    enum { MOMENTS = 200 };
    for (int moments = 0;; moments++) {
        struct shmid_ds about;
        if (sys_shmctl(shmid, IPC_STAT, &about) == -1) {
            if (segment_is_gone())
                return GONE;
            err(EXIT_FAILED, "shmctl(%d, IPC_STAT)", shmid);
        }
        if (about.shm_cpid != session->peer)
            errx(EXIT_FAILED, "shmid %d was created by PID %d, and not by the listener", shmid,
                 (int)about.shm_cpid);
        int attached = (int)about.shm_nattch;
        if (attached <= expected || moments == MOMENTS)
            return attached;
        session_nap(session, 0.005);
    }
}
