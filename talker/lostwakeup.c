/* lostwakeup.c (talker) - rings in the window between the listener's check and its sleep.
 *
 * The other half of listener/lostwakeup.c and listener/lostwakeup_no_mask.c, which tell the story
 * and are started first. The listener stands still in the window until we have rung: what is a
 * matter of luck elsewhere happens here every time.
 *
 *     $ build/listener-lostwakeup             $ build/talker-lostwakeup
 */
#include "../common/pairs/lostwakeup.h"
#include "../common/claim.h"
#include "../common/lines.h"

#include <err.h>
#include <errno.h>

static const struct program program = {
    .name = "talker-lostwakeup",
    .usage = "[options]",
    .about = "Says a word and rings while the listener is between its check and its sleep.",
};

int main(int argc, char **argv)
{
    struct options options = options_parse(argc, argv, &program);
    wakeup_block();
    struct meet meet;
    meet_find(&meet, &options, LOSTWAKEUP_LESSON, sizeof(struct lostwakeup));
    struct lostwakeup *shared = (struct lostwakeup *)meet.shared;

    explain("wait until the listener has checked, found nothing, and not yet gone to sleep");
    meet_await(&meet, LOSTWAKEUP_IN_WINDOW);

    explain("say the word and ring, as ever: we cannot know how far the listener is");
    publish(&shared->said, 1);
    if (wakeup_send(meet.peer) == -1 && errno != ESRCH)
        err(1, "kill(%d, SIGUSR1) to the listener", (int)meet.peer);
    lines_print("rang while the listener was between check and sleep");

    explain("only now the listener may leave the window: the signal has reached it");
    publish(&meet.shared->step, LOSTWAKEUP_RUNG);
    meet_await(&meet, LOSTWAKEUP_WOKEN);
    claim(observe(&shared->said) == 0, "the listener woke up, and took the word");
    meet_part(&meet);
    wakeup_end();
    return claim_status();
}
