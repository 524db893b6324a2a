/* polling.c (talker) - leaves one message for a listener that looks, and one for one that sleeps.
 *
 * The other half of listener/polling.c, which tells the story and is started first. Both waits are
 * to last equally long: we say the first message when the listener has looked often enough, and the
 * second when as much time has passed as it told us that the first took.
 *
 *     $ build/listener-polling                $ build/talker-polling "Hello"
 */
#include "../common/pairs/polling.h"
#include "../common/lines.h"

#include <err.h>
#include <errno.h>
#include <string.h>

static const char *const points[] = {"speaking", NULL};

static const struct program program = {
    .name = "talker-polling",
    .usage = "[options] [MESSAGE]",
    .about = "Says MESSAGE (default: Hello, I'm talker) twice: to a poller, and to a sleeper.",
    .points = points,
    .most_operands = 1,
};

static void say(struct meet *meet, struct polling *shared, const char *message, int which)
{
    narrate_point("speaking");
    size_t length = strlen(message);
    memcpy(shared->text, message, length);
    narrate_publish_text("text", message, length);
    publish(&shared->length, (uint32_t)length);
    publish(&shared->said, which);
    if (wakeup_send(meet->peer) == -1 && errno != ESRCH)
        err(1, "kill(%d, SIGUSR1) to the listener", (int)meet->peer);
    lines_say(message, length, "talker: said: ");
}

int main(int argc, char **argv)
{
    struct options options = options_parse(argc, argv, &program);
    const char *message = options.operand_count > 0 ? options.operands[0] : "Hello, I'm talker";
    if (strlen(message) > POLLING_TEXT)
        errx(1, "a message of %zu bytes does not fit, the segment takes %d: not sent",
             strlen(message), POLLING_TEXT);
    wakeup_block();
    struct meet meet;
    meet_find(&meet, &options, POLLING_LESSON, sizeof(struct polling));
    struct polling *shared = (struct polling *)meet.shared;

    explain("let the listener look for a while: that costs its CPU time, not ours");
    meet_await(&meet, POLLING_LOOKED);
    say(&meet, shared, message, 1);

    explain("let the listener sleep for as long as it has polled, then say it again, and ring");
    meet_await(&meet, POLLING_SLEEPS);
    long long waited = observe(&shared->waited);
    if (waited < 0)
        errx(1, "the listener says that it polled for %lld ms: that cannot be", waited);
    meet_nap(&meet, (double)waited / 1e3);
    say(&meet, shared, message, 2);
    meet_await(&meet, POLLING_HEARD);
    meet_part(&meet);
    wakeup_end();
    return 0;
}
