/* full.c (talker) - creates a segment, while the listener's child can create none.
 *
 * The other half of listener/full.c, which tells the story and is started first. We are in the IPC
 * namespace of the system, which has more room than that of the child.
 *
 *     $ build/listener-full                   $ build/talker-full
 */
#include "../common/layout/full.h"
#include "../common/lesson.h"
#include "../common/session.h"

static const char *const points[] = {"created", NULL};

static const struct program program = {
    .name = "talker-full",
    .about = "Creates a segment, while the IPC namespace of the listener's child is full.",
    .points = points,
    .values = FULL_VALUES};

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    session_join(&session, &options, FULL_LESSON, sizeof(struct full));
    session_await(&session, FULL_REACHED);

    explain("Create a segment in the system's namespace: the child's limits do not hold here.");
    int shmid = segment_private(1);
    print_line("created segment %d: the system is not full", shmid);
    if (sys_shmctl(shmid, IPC_RMID, NULL) == -1)
        err(EXIT_FAILED, "shmctl(%d, IPC_RMID)", shmid);
    trace_point("created");

    session_advance(&session, FULL_CREATED);
    session_await(&session, FULL_OVER);
    session_part(&session);
    return program_end();
}
