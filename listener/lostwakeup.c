/* lostwakeup.c (listener) - a signal between the check and the sleep is not lost with sigsuspend.
 *
 * Whoever waits checks first, and then sleeps. A signal that lands between the two is handled, and
 * over, when the sleep begins: that is the lost wakeup. With SIGUSR1 blocked it cannot land there:
 * it stays pending, and sigsuspend, which lets it in and goes to sleep in one step, takes it at
 * once. listener/lostwakeup_no_mask.c is the same without the block, with pause: it sleeps through
 * the signal. `diff` the two; that is the lesson.
 *
 *     listener                                talker
 *     checks: nothing was said
 *     IN_WINDOW, stands still       ------->
 *                                             said = 1, kill
 *                                   <-------  RUNG
 *     sleeps
 *
 *     $ build/listener-lostwakeup             $ build/talker-lostwakeup
 *
 * Question: The signal comes between the check and the sleep: does the listener wake up?
 */
#include "../common/layout/lostwakeup.h"
#include "../common/lesson.h"
#include "../common/session.h"
#include "../common/ending.h"

static const char *const points[] = {"window", NULL};

static const struct program program = {
    .name = "listener-lostwakeup",
    .about = "Is rung between its check and its sleep, and wakes up: sigsuspend misses nothing.",
    .points = points,
};

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    explain("block SIGUSR1: outside of sigsuspend it has to wait");
    struct session session;
    struct lostwakeup *shared = session_open(&session, &options, LOSTWAKEUP_LESSON, sizeof *shared);
    session_await_talker(&session);

    bool in_window = false;
    while (observe(&shared->said) != 1) {
        if (!in_window) {
            explain(
                "the check found nothing: here is the window; stand in it until the signal comes");
            in_window = true;
            trace_point("window");
            session_advance(&session, LOSTWAKEUP_IN_WINDOW);
            session_await_blocked(&session, LOSTWAKEUP_RUNG);
        }
        explain("let SIGUSR1 in and sleep, in one step: if it is pending, we do not sleep at all");
        sigset_t none;
        sigemptyset(&none);
        sys_sigsuspend(&none);
        check(signals_usr1, "woken by the signal that came before the sleep");
    }

    explain("take the word, and say that we are awake");
    publish(&shared->said, 0);
    session_advance(&session, LOSTWAKEUP_WOKEN);
    session_part(&session);
    return program_end();
}
