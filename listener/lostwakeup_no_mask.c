/* lostwakeup_no_mask.c (listener) - a signal between the check and the sleep is lost with pause.
 *
 * The wrong variant of listener/lostwakeup.c: SIGUSR1 is not blocked, and the sleep is pause(2).
 * The signal that lands in the window is handled there, and over; pause sleeps on, with the word
 * that it waits for in plain sight. In the field this happens once in a hundred thousand rounds;
 * here the listener stands still in the window until the signal has come, so it happens each time.
 *
 *     $ build/listener-lostwakeup_no_mask     $ build/talker-lostwakeup
 *
 * Question: The signal comes between the check and the sleep: does the listener wake up?
 *
 * demo run: listener -t 1
 */
#include "../common/layout/lostwakeup.h"
#include "../common/lesson.h"
#include "../common/session.h"
#include "../common/ending.h"

#include <sched.h>

static const char *const points[] = {"window", NULL};

static const struct program program = {
    .name = "listener-lostwakeup_no_mask",
    .about =
        "Is rung between its check and its sleep, and sleeps through it: pause comes too late.",
    .points = points,
};

/* The tick would wake pause, and hide the mistake: one alarm takes its place, as a deadline. */
static void set_deadline(double seconds)
{
    double whole = seconds > 0 ? seconds : 1;
    long microseconds = (long)(whole * 1e6);
    struct itimerval once = {{0, 0}, {microseconds / 1000000, microseconds % 1000000}};
    if (sys_setitimer(&once) == -1)
        err(1, "setitimer(%g seconds)", whole);
}

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    struct lostwakeup *shared = session_open(&session, &options, LOSTWAKEUP_LESSON, sizeof *shared);
    session_await_talker(&session);

    explain("THE MISTAKE: SIGUSR1 is let in everywhere, not only in the sleep");
    sigset_t none;
    sigemptyset(&none);
    set_deadline(options.timeout);
    if (sys_sigprocmask(SIG_SETMASK, &none, NULL) == -1)
        err(1, "sigprocmask(SIG_SETMASK, [])");
    wakeup_ticks = 0; /* those of before are no deadline */

    while (observe(&shared->said) != 1 && !wakeup_ticks) {
        explain("the check found nothing: here is the window; stand in it until the signal comes");
        trace_point("window");
        signals_usr1 = 0;
        session_advance(&session, LOSTWAKEUP_IN_WINDOW);
        session_await_blocked(&session, LOSTWAKEUP_RUNG);
        do
            sched_yield();
        while (!signals_usr1); /* the handler has run: on the way out of any call, at the latest */
        trace_signal(SIGUSR1, signals_usr1_from);

        explain("sleep, without checking again: whatever came in the window is over");
        sys_pause();
        ending_obey();
    }
    if (wakeup_ticks)
        errx(3,
             "slept until the deadline, though the signal had come and the word was said (said = "
             "%d)",
             observe(&shared->said));
    say("woken by the signal: the mistake did not show");
    session_part(&session);
    return 0;
}
