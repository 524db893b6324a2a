/* tick.c - a timer that wakes a sleeping process; see tick.h. */
#include "tick.h"
#include "calls.h"
#include "clock.h"
#include "exits.h"
#include "signals.h"

#include <err.h>

static long long counted_until; /* nanoseconds; tick_has_passed has counted up to here */

/* All our processes tick at the same moments of the clock: one interrupt serves many of them. What
 * is left of the first tick counts as a whole one, so that a death in it is not noticed late. */
static void set_timer(void)
{
    const int every = TICK_MS * 1000;
    const long long now = clock_now() / 1000;
    counted_until = (now - now % every) * 1000;
    struct itimerval timer = {{0, every}, {0, every - (int)(now % every)}};
    if (sys_setitimer(&timer) == -1)
        err(EXIT_FAILED, "setitimer(ITIMER_REAL, every %d ms)", TICK_MS);
}

void tick_start(void)
{
    sigset_t alarm;
    sigemptyset(&alarm);
    sigaddset(&alarm, SIGALRM);
    if (sys_sigprocmask(SIG_BLOCK, &alarm, NULL) == -1)
        err(EXIT_FAILED, "sigprocmask(SIG_BLOCK, [SIGALRM])");
    struct sigaction action = {.sa_sigaction = on_sigalrm, .sa_flags = SA_SIGINFO};
    sigemptyset(&action.sa_mask);
    if (sys_sigaction(SIGALRM, &action, NULL) == -1)
        err(EXIT_FAILED, "sigaction(SIGALRM)");
    set_timer();
}

/* The clock counts, not the signals: another process may send SIGALRM as well. Time in which we
 * were stopped counts as one tick at most. A signal may come a little early: three quarters of a
 * tick count as a whole one, and the next is that much longer. */
bool tick_has_passed(void)
{
    static long long lived;
    const long long now = clock_now(), tick = TICK_MS * 1000000LL;
    lived += now - counted_until > 2 * tick ? tick : now - counted_until;
    counted_until = now;
    if (lived < tick * 3 / 4)
        return false;
    lived -= tick;
    return true;
}
