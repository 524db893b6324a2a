/* lostwakeup.c (listener) - with sigsuspend, a signal between the check and the sleep is not lost.
 *
 * A process that waits checks the segment, and sleeps if it finds nothing there. The signal can
 * come between the two. Elsewhere this is rare. Here the listener stops between the two until the
 * signal has come, so it happens in every run.
 *
 * SIGUSR1 is blocked outside of the sleep, so this signal stays pending. sigsuspend unblocks it and
 * sleeps in one step: the signal ends the sleep at once.
 *
 *     listener                                talker
 *     checks: nothing was said
 *     IN_WINDOW, does not sleep yet ------->
 *                                             word = SAID, kill
 *                                   <-------  SIGNALLED
 *     sleeps: does it wake up?
 *
 *     $ build/listener-lostwakeup             $ build/talker-lostwakeup
 *     $ diff listener/lostwakeup.c listener/lostwakeup_no_mask.c
 *     $ scripts/demo --step lostwakeup_no_mask
 *
 * Level: the heart; 6 minutes; after unready
 * Question: The signal comes between the check and the sleep: does the listener wake up?
 * Answer: yes. The signal stays pending, and sigsuspend lets it in as it begins to sleep.
 * Shown by: woken by the signal that came before the sleep
 */
#include "../common/layout/lostwakeup.h"
#include "../common/lesson.h"
#include "../common/session.h"

static void stand_in_window(struct session *session);
static void say_where_signal_is(void);

static const char *const points[] = {"window", NULL};

static const struct program program = {
    .name = "listener-lostwakeup",
    .about = "Checks, is signalled, and only then goes to sleep.",
    .question = "The signal comes between the check and the sleep: does the listener wake up?",
    .points = points,
    .values = LOSTWAKEUP_VALUES};

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    struct lostwakeup *shared = session_open(&session, &options, LOSTWAKEUP_LESSON, sizeof *shared);
    session_await_talker(&session);
    sigset_t none;
    sigemptyset(&none);

    struct wait wait = session_wait(&session);
    if (wait.timeout <= 0)
        wait.timeout = 1; /* seconds: a lost wakeup would last for ever */
    while (observe(&shared->word) != SAID) {
        if (wait.verdict != WAIT_LOOK)
            session_give_up(&session, wait.verdict);
        stand_in_window(&session);
        explain("Sleep, and unblock SIGUSR1 in the same step: if it is pending, it wakes us.");
        do
            sys_sigsuspend(&none);
        while (!wait_should_look(&wait)); /* the timer woke us: sleep on */
    }
    if (wait.verdict == WAIT_LATE) {
        print_line("the time limit of %g s is over", wait.timeout);
        errx(EXIT_NO_PEER,
             "slept for %g second%s, although the word was already there: the signal was lost",
             wait.timeout, wait.timeout == 1 ? "" : "s");
    }
    if (wait.verdict != WAIT_LOOK)
        session_give_up(&session, wait.verdict);
    print_line("woken by the signal that came before the sleep");

    explain("Take the word, and let the talker know that we are awake.");
    publish(&shared->word, NOTHING);
    session_advance(&session, WOKEN);
    session_part(&session);
    return program_end();
}

/* The window between the check and the sleep. No signal can end this wait. */
static void stand_in_window(struct session *session)
{
    explain("The check found nothing. Stop here, before the sleep, until the signal has come.");
    trace_point("window");
    session_advance(session, IN_WINDOW);
    session_await_blocked(session, SIGNALLED);
    say_where_signal_is();
}

/* A signal that is not blocked was handled at the latest when this call of sigpending returned. */
static void say_where_signal_is(void)
{
    sigset_t pending;
    if (sigpending(&pending) == -1)
        err(EXIT_FAILED, "sigpending()");
    if (sigismember(&pending, SIGUSR1) == 1) {
        print_line("before the sleep: SIGUSR1 has come and is pending");
    } else {
        trace_signal(SIGUSR1, signals_usr1_from);
        signals_usr1 = 0; /* the handler has run: nothing is left that could end a sleep */
        print_line("before the sleep: SIGUSR1 came and was handled: nothing is pending");
    }
}
