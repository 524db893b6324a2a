/* polling.c (talker) - leaves one message for a listener that looks, and one for one that sleeps.
 *
 * The other half of listener/polling.c, which tells the story and is started first. Both waits are
 * to last equally long: we say the first message when the listener has looked often enough, and the
 * second when as much time has passed as it told us that the first took.
 *
 *     $ build/listener-polling                $ build/talker-polling "Hello"
 */
#include "../common/layout/polling.h"
#include "../common/lesson.h"
#include "../common/session.h"
#include "../common/peer.h"
#include "../common/ending.h"


static const char *const points[] = {"speaking", NULL};

static const struct program program = {
    .name = "talker-polling",
    .usage = "[options] [MESSAGE]",
    .about = "Says MESSAGE (default: Hello, I'm talker) twice: to a poller, and to a sleeper.",
    .points = points,
    .most_operands = 1,
};

static void say_text(struct session *session, struct polling *shared, const char *message, int which)
{
    trace_point("speaking");
    size_t length = strlen(message);
    memcpy(shared->text, message, length);
    trace_publish_text("text", message, length);
    publish(&shared->length, (uint32_t)length);
    publish(&shared->said, which);
    if (peer_signal(session->peer) == -1 && errno != ESRCH)
        err(1, "kill(%d, SIGUSR1) to the listener", (int)session->peer);
    say_bytes(message, length, "talker: said: ");
}

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    const char *message = options.operand_count > 0 ? options.operands[0] : "Hello, I'm talker";
    if (strlen(message) > POLLING_TEXT)
        errx(1, "a message of %zu bytes does not fit, the segment takes %d: not sent",
             strlen(message), POLLING_TEXT);
    struct session session;
    struct polling *shared = session_join(&session, &options, POLLING_LESSON, sizeof *shared);

    explain("let the listener look for a while: that costs its CPU time, not ours");
    session_await(&session, POLLING_LOOKED);
    say_text(&session, shared, message, 1);

    explain("let the listener sleep for as long as it has polled, then say it again, and ring");
    session_await(&session, POLLING_SLEEPS);
    long long waited = observe(&shared->waited);
    if (waited < 0)
        errx(1, "the listener says that it polled for %lld ms: that cannot be", waited);
    session_nap(&session, (double)waited / 1e3);
    say_text(&session, shared, message, 2);
    session_await(&session, POLLING_HEARD);
    session_part(&session);
    return program_end();
}
