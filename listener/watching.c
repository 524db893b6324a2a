/* watching.c (listener) - when the writer waits until each value was seen, none is missed or
 * seen twice.
 *
 * Lesson "counter" shows the same number without a signal: its watcher repeats and misses values.
 * Here the talker signals after each value, and stores the next one only when we have seen this
 * one. The signal alone would not be enough: signals that come at once become one (lesson
 * "coalesce").
 *
 *     listener                                talker
 *     wanted, WATCHING_ASKED        ------->
 *                                   <-------  text "0", rung = 1
 *     sees 0, seen = 1              ------->
 *                                   <-------  text "1", rung = 2
 *     sees 1, seen = 2              ------->  ...
 *
 *     $ build/listener-watching               $ build/talker-watching
 *
 * Level: the heart; 3 minutes; after counter, coalesce
 * Question: How often does the watcher miss a value, or see one twice?
 * Choices: never | once | 3 times
 * Answer: never. The writer stores the next value only when this one was seen.
 * Shown by: missed 0 of 5
 */
#include "../common/layout/watching.h"
#include "../common/lesson.h"
#include "../common/peer.h"
#include "../common/session.h"

#include <limits.h>

static long count = 5;
static double interval;

static const struct option_spec own_options[] = {
    {'n', "count", "N", "how many values to see (default: 5)", OPTION_NUMBER, &count, 1, INT_MAX},
    {'i', "interval", "SECONDS", "how long to wait before each look (default: not)", OPTION_SECONDS,
     &interval, 0, 0},
    {0, NULL, NULL, NULL, OPTION_FLAG, NULL, 0, 0},
};

static const char *const points[] = {"seen", NULL};

static const struct program program = {
    .name = "listener-watching",
    .about = "Watches a counter that sends a signal for each value.",
    .question = "How often does the watcher miss a value, or see one twice?",
    .options = own_options,
    .points = points,
    .values = WATCHING_VALUES};

static int see(const struct watching *shared);

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    struct watching *shared = session_open(&session, &options, WATCHING_LESSON, sizeof *shared);
    session_await_talker(&session);

    explain("Ask for as many values as --count says, or else for 5.");
    publish(&shared->wanted, (int)count);
    session_advance(&session, WATCHING_ASKED);

    explain("Sleep until the next value is there (rung counts them), read it, then say so.");
    int in_order = 0, number = 0;
    for (int nth = 1; nth <= count; nth++) {
        struct wait wait = session_wait(&session);
        while (observe(&shared->rung) != nth)
            session_sleep(&session, &wait);
        session_nap(&session, interval);
        number = see(shared);
        in_order += number == nth - 1;
        trace_point("seen");
        publish(&shared->seen, nth);
        if (peer_signal(session.peer) == -1 && errno != ESRCH)
            err(EXIT_FAILED, "kill(%d, SIGUSR1) to the talker", (int)session.peer);
    }
    check(in_order == count, "missed %ld of %ld: saw 0 to %d%s", count - in_order, count, number,
          in_order == count ? ", each once" : "");
    session_part(&session);
    return program_end();
}

/* The text is ours until we publish `seen`: the talker does not store meanwhile. */
static int see(const struct watching *shared)
{
    char text[WATCHING_TEXT], *end;
    copy_text_out(text, shared->text, sizeof text);
    errno = 0;
    long number = strtol(text, &end, 10);
    if (*text == '\0' || *end != '\0' || errno != 0 || number < 0 || number > INT_MAX)
        errx(EXIT_FAILED,
             "the text \"%s\" in the segment is no number: another program has written it", text);
    print_line("value %ld seen", number);
    return (int)number;
}
