/* watching.c (talker) - counts, signals after each value, and waits until it was seen.
 *
 * Read and start listener/watching.c first.
 *
 *     $ build/listener-watching               $ build/talker-watching
 */
#include "../common/layout/watching.h"
#include "../common/lesson.h"
#include "../common/peer.h"
#include "../common/session.h"

#include <stdio.h>

static double interval = 0.1;

static const struct option_spec own_options[] = {
    {'i', "interval", "SECONDS", "how long to wait before each value (default: 0.1)",
     OPTION_SECONDS, &interval, 0, 0},
    {0, NULL, NULL, NULL, OPTION_FLAG, NULL, 0, 0},
};

static const char *const points[] = {"ringing", NULL};

static const struct program program = {.name = "talker-watching",
                                       .about =
                                           "Counts for a watcher, with a signal for each value.",
                                       .options = own_options,
                                       .points = points,
                                       .values = WATCHING_VALUES};

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    struct watching *shared = session_join(&session, &options, WATCHING_LESSON, sizeof *shared);
    session_await(&session, WATCHING_ASKED);
    int wanted = observe(&shared->wanted);
    if (wanted < 1)
        errx(EXIT_FAILED, "the listener wants %d values: that cannot be", wanted);

    explain("Store a value, signal, and keep the value there until the listener has seen it.");
    for (int number = 0; number < wanted; number++) {
        session_nap(&session, interval);
        char text[WATCHING_TEXT];
        snprintf(text, sizeof text, "%d", number);
        copy_text_in(shared->text, text, sizeof shared->text);
        trace_point("ringing");
        publish(&shared->rung, number + 1);
        if (peer_signal(session.peer) == -1 && errno != ESRCH)
            err(EXIT_FAILED, "kill(%d, SIGUSR1) to the listener", (int)session.peer);
        struct wait wait = session_wait(&session);
        while (observe(&shared->seen) != number + 1)
            session_sleep(&session, &wait);
    }
    print_line("counted 0 to %d, with a signal for each", wanted - 1);
    session_part(&session);
    return program_end();
}
