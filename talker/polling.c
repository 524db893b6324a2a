/* polling.c (talker) - says one message to a listener that polls, and one to a listener that
 * sleeps.
 *
 * Read and start listener/polling.c first. Both waits must last equally long. So we say the first
 * message when the listener has looked often enough, and the second after the time that the first
 * wait took.
 *
 *     $ build/listener-polling                $ build/talker-polling "Hello"
 */
#include "../common/layout/polling.h"
#include "../common/lesson.h"
#include "../common/peer.h"
#include "../common/session.h"

static const char *const points[] = {"speaking", NULL};

static const struct program program = {
    .name = "talker-polling",
    .usage = "[options] [MESSAGE]",
    .about = "Says MESSAGE (default: Hello, I'm talker) twice: to a poller, and to a sleeper.",
    .points = points,
    .values = POLLING_VALUES,
    .most_operands = 1};

static void speak(struct session *session, struct polling *shared, const char *message, int nth);

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    const char *message = options.operand_count > 0 ? options.operands[0] : "Hello, I'm talker";
    if (strlen(message) >= POLLING_TEXT)
        errx(EXIT_FAILED, "a message of %zu bytes does not fit, the segment takes %d: not sent",
             strlen(message), POLLING_TEXT - 1);
    struct session session;
    struct polling *shared = session_join(&session, &options, POLLING_LESSON, sizeof *shared);

    explain("Let the listener look for a while: that uses its CPU time, not ours.");
    session_await(&session, POLLING_LOOKED);
    speak(&session, shared, message, 1);

    explain("Let the listener sleep for as long as it polled, then speak again.");
    session_await(&session, POLLING_SLEEPS);
    int waited = observe(&shared->waited);
    if (waited < 0)
        errx(EXIT_FAILED, "the listener says that it polled for %d ms: that cannot be", waited);
    session_nap(&session, waited / 1e3);
    speak(&session, shared, message, 2);

    session_await(&session, POLLING_HEARD);
    session_part(&session);
    return program_end();
}

/* A poller does not need the signal; it comes to no harm. */
static void speak(struct session *session, struct polling *shared, const char *message, int nth)
{
    trace_point("speaking");
    copy_text_in(shared->text, message, sizeof shared->text);
    print_line("said: %s", message); /* before the poller can see it */
    publish(&shared->said, nth);
    if (peer_signal(session->peer) == -1 && errno != ESRCH)
        err(EXIT_FAILED, "kill(%d, SIGUSR1) to the listener", (int)session->peer);
}
