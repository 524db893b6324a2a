/* unready.c (talker) - rings the listener as soon as it is known, ready or not.
 *
 * The other half of listener/unready.c and listener/unready_no_block.c, which tell the story and
 * are started first. To find the listener's segment is to know its PID; we ring at once, as any
 * talker may. The listener stands still before its handler until we have rung, so what is bad luck
 * elsewhere happens here every time.
 *
 *     $ build/listener-unready                $ build/talker-unready
 */
#include "../common/layout/unready.h"
#include "../common/lesson.h"
#include "../common/session.h"
#include "../common/ending.h"

static const struct program program = {
    .name = "talker-unready",
    .about = "Rings a listener that is known, but has no handler yet; then sees whether it lives.",
};

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    wait_block_sigusr1();
    explain("find the listener, and ring at once: nothing tells us whether it is ready");
    struct session session;
    struct unready *shared = session_join(&session, &options, UNREADY_LESSON, sizeof *shared);
    say("rang the listener (PID %d) as soon as it was known", (int)session.peer);

    explain("a listener that lives will tell us; if the signal has killed it, the kernel will");
    session_await(&session, UNREADY_TAKEN);
    int taken = observe(&shared->taken);
    check(taken > 0, "the listener lives, and its handler took the signal that came before it");
    session_part(&session);
    return program_end();
}
