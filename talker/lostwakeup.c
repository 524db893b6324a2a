/* lostwakeup.c (talker) - rings in the window between the listener's check and its sleep.
 *
 * The other half of listener/lostwakeup.c and listener/lostwakeup_no_mask.c, which tell the story
 * and are started first. The listener stands still in the window until we have rung: what is a
 * matter of luck elsewhere happens here every time.
 *
 *     $ build/listener-lostwakeup             $ build/talker-lostwakeup
 */
#include "../common/layout/lostwakeup.h"
#include "../common/lesson.h"
#include "../common/session.h"
#include "../common/peer.h"
#include "../common/ending.h"


static const struct program program = {
    .name = "talker-lostwakeup",
    .about = "Says a word and rings while the listener is between its check and its sleep.",
};

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    struct lostwakeup *shared = session_join(&session, &options, LOSTWAKEUP_LESSON, sizeof *shared);

    explain("wait until the listener has checked, found nothing, and not yet gone to sleep");
    session_await(&session, LOSTWAKEUP_IN_WINDOW);

    explain("say the word and ring, as ever: we cannot know how far the listener is");
    publish(&shared->said, 1);
    if (peer_signal(session.peer) == -1 && errno != ESRCH)
        err(1, "kill(%d, SIGUSR1) to the listener", (int)session.peer);
    say("rang while the listener was between check and sleep");

    explain("only now the listener may leave the window: the signal has reached it");
    publish(&session.shared->step, LOSTWAKEUP_RUNG);
    session_await(&session, LOSTWAKEUP_WOKEN);
    check(observe(&shared->said) == 0, "the listener woke up, and took the word");
    session_part(&session);
    return program_end();
}
