/* unready.c (talker) - rings the listener as soon as it is known, ready or not.
 *
 * The other half of listener/unready.c and listener/unready_no_block.c, which tell the story and
 * are started first. To find the listener's segment is to know its PID; we ring at once, as any
 * talker may. The listener stands still before its handler until we have rung, so what is bad luck
 * elsewhere happens here every time.
 *
 *     $ build/listener-unready                $ build/talker-unready
 */
#include "../common/pairs/unready.h"
#include "../common/claim.h"
#include "../common/lines.h"

static const struct program program = {
    .name = "talker-unready",
    .usage = "[options]",
    .about = "Rings a listener that is known, but has no handler yet; then sees whether it lives.",
};

int main(int argc, char **argv)
{
    struct options options = options_parse(argc, argv, &program);
    wakeup_block();
    explain("find the listener, and ring at once: nothing tells us whether it is ready");
    struct meet meet;
    meet_find(&meet, &options, UNREADY_LESSON, sizeof(struct unready));
    struct unready *shared = (struct unready *)meet.shared;
    lines_print("rang the listener (PID %d) as soon as it was known", (int)meet.peer);

    explain("a listener that lives will tell us; if the signal has killed it, the kernel will");
    meet_await(&meet, UNREADY_TAKEN);
    int taken = (int)observe(&shared->taken);
    claim(taken > 0, "the listener lives, and its handler took the signal that came before it");
    meet_part(&meet);
    wakeup_end();
    return claim_status();
}
