/* lostwakeup_no_mask.c (listener) - with pause, a signal between the check and the sleep is lost.
 *
 * A process that waits checks the segment, and sleeps if it finds nothing there. The signal can
 * come between the two. Elsewhere this is rare. Here the listener stops between the two until the
 * signal has come, so it happens in every run.
 *
 * SIGUSR1 is not blocked, so its handler runs before the sleep. Then pause waits for another
 * signal, which never comes, although the word stands in the segment.
 *
 *     listener                                talker
 *     checks: nothing was said
 *     IN_WINDOW, does not sleep yet ------->
 *                                             word = SAID, kill
 *                                   <-------  SIGNALLED
 *     sleeps: does it wake up?
 *
 *     $ build/listener-lostwakeup_no_mask     $ build/talker-lostwakeup
 *     $ diff listener/lostwakeup.c listener/lostwakeup_no_mask.c
 *     $ scripts/demo --step lostwakeup_no_mask
 *
 * Level: the heart; 6 minutes; after lostwakeup
 * Question: The signal comes between the check and the sleep: does the listener wake up?
 * Answer: no. The handler ran before the sleep, and no second signal comes.
 * Shown by: the signal was lost
 * Fails: lost its wakeup
 *
 * demo run: listener -t 1
 * demo step: listener -t 60
 */
#include "../common/layout/lostwakeup.h"
#include "../common/lesson.h"
#include "../common/session.h"

static void stand_in_window(struct session *session);
static void say_where_signal_is(void);

static const char *const points[] = {"window", NULL};

static const struct program program = {
    .name = "listener-lostwakeup_no_mask",
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
    explain("THE MISTAKE: unblock SIGUSR1 everywhere, not only in the sleep.");
    if (sys_sigprocmask(SIG_SETMASK, &none, NULL) == -1)
        err(EXIT_FAILED, "sigprocmask(SIG_SETMASK, [])");

    struct wait wait = session_wait(&session);
    if (wait.timeout <= 0)
        wait.timeout = 1; /* seconds: a lost wakeup would last for ever */
    while (observe(&shared->word) != SAID) {
        if (wait.verdict != WAIT_LOOK)
            session_give_up(&session, wait.verdict);
        stand_in_window(&session);
        explain("Sleep until the next signal comes. The one before the sleep is not pending.");
        do
            sys_pause();
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
