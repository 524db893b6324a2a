/* ending.c - end as a signal asks us to; see ending.h. */
#include "ending.h"
#include "calls.h"
#include "exits.h"
#include "signals.h"

#include <err.h>
#include <stdbool.h>
#include <stdlib.h>

static sigset_t ours; /* those of signals_that_end that we handle */

static bool has_default(int signo)
{
    struct sigaction inherited;
    if (sigaction(signo, NULL, &inherited) == -1)
        err(EXIT_FAILED, "sigaction(%s)", signals_name(signo));
    return inherited.sa_handler == SIG_DFL;
}

/* Registered with atexit first, so it runs last: everything else is cleaned up by then. */
static void die_of_it(void)
{
    if (!signals_ending)
        return;
    trace_end(signals_name(signals_ending));
    sigset_t it;
    sigemptyset(&it);
    sigaddset(&it, signals_ending);
    signal(signals_ending, SIG_DFL);
    raise(signals_ending);
    sigprocmask(SIG_UNBLOCK, &it, NULL);
}

void ending_start(void)
{
    sigemptyset(&ours);
    for (int i = 0; i < SIGNALS_THAT_END; i++)
        if (i < SIGNALS_ALWAYS || has_default(signals_that_end[i]))
            sigaddset(&ours, signals_that_end[i]);

    if (atexit(die_of_it) != 0)
        errx(EXIT_FAILED, "atexit: no room for another function");
    if (sys_sigprocmask(SIG_BLOCK, &ours, NULL) == -1)
        err(EXIT_FAILED, "sigprocmask(SIG_BLOCK)");
    struct sigaction action = {.sa_sigaction = on_ending_signal, .sa_flags = SA_SIGINFO};
    sigemptyset(&action.sa_mask);
    for (int i = 0; i < SIGNALS_THAT_END; i++)
        if (sigismember(&ours, signals_that_end[i]) == 1 &&
            sys_sigaction(signals_that_end[i], &action, NULL) == -1)
            err(EXIT_FAILED, "sigaction(%s)", signals_name(signals_that_end[i]));
    trace_obeys(ending_obey); /* not before the handlers are there */
}

void ending_add_to(sigset_t *set)
{
    for (int i = 0; i < SIGNALS_THAT_END; i++)
        if (sigismember(&ours, signals_that_end[i]) == 1)
            sigaddset(set, signals_that_end[i]);
}

void ending_unblock_in(sigset_t *mask)
{
    for (int i = 0; i < SIGNALS_THAT_END; i++)
        sigdelset(mask, signals_that_end[i]);
}

_Noreturn void ending_die(int signo)
{
    signals_ending = signo;
    trace_ending();
    exit(128 + signo);
}

void ending_obey(void)
{
    if (signals_ending)
        ending_die(signals_ending);
    sigset_t pending;
    if (sigpending(&pending) == -1)
        err(EXIT_FAILED, "sigpending()");
    for (int i = 0; i < SIGNALS_THAT_END; i++)
        if (sigismember(&ours, signals_that_end[i]) == 1 &&
            sigismember(&pending, signals_that_end[i]) == 1)
            ending_die(signals_that_end[i]);
}
