/* unready.c (talker) - signals the listener as soon as it is known, ready or not.
 *
 * Read listener/unready.c and listener/unready_no_block.c first. Start one of them first, too. The
 * segment names the listener's PID, so we can signal it at once, as any talker may. The listener
 * does not install its handler until the signal has come.
 *
 *     $ build/listener-unready                $ build/talker-unready
 */
#include "../common/layout/unready.h"
#include "../common/lesson.h"
#include "../common/session.h"

static const struct program program = {
    .name = "talker-unready",
    .about = "Signals a listener that is known but has no handler yet. Does it live?",
    .values = UNREADY_VALUES};

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);

    explain("Find the listener and signal it at once: we cannot know whether it is ready.");
    struct session session;
    struct unready *shared = session_join(&session, &options, UNREADY_LESSON, sizeof *shared);
    print_line("signalled the listener (PID %d) as soon as it was known", (int)session.peer);

    explain("A listener that lives answers. If the signal has killed it, the kernel says so.");
    session_await(&session, TAKEN);
    int taken = observe(&shared->taken);
    check(taken > 0, "the listener lives, and its handler took the early signal");
    session_part(&session);
    return program_end();
}
