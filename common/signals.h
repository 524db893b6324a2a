/* signals.h - the signals that a program handles. Each handler sets a flag and does nothing else.
 */
#ifndef SIGNALS_H
#define SIGNALS_H

#include <signal.h>

typedef void signal_handler(int signo, siginfo_t *info, void *context);

extern volatile sig_atomic_t signals_usr1;      /* 1: SIGUSR1 was taken */
extern volatile sig_atomic_t signals_usr1_from; /* the PID of its sender, from the kernel */
extern volatile sig_atomic_t signals_alarm;     /* 1: SIGALRM was taken: look at the clock */
extern volatile sig_atomic_t signals_ending;    /* the signal that asked us to end; 0: none */

/* The signals that ask a program to end. Those from SIGHUP on do so only if their disposition is
 * the default when the program starts: they may be ignored (nohup(1)) or have a handler (a
 * profiler's, of SIGPROF). */
extern const int signals_that_end[];
enum {
    SIGNALS_ALWAYS = 4,
#ifdef SIGPOLL
    SIGNALS_THAT_END = 10,
#else
    SIGNALS_THAT_END = 9,
#endif
};

signal_handler on_sigusr1, on_sigalrm, on_ending_signal;

/* The name of a signal: "SIGUSR1". Where we do not know it, the text of strsignal(3). */
const char *signals_name(int signo);

/* The name of one of the handlers above: "on_sigusr1". NULL: it is another function. */
const char *signals_handler_name(signal_handler *handler);

#endif
