/* signals.c - the handlers of a program, and the names of signals; see signals.h. */
#include "signals.h"

#include <string.h>

volatile sig_atomic_t signals_usr1;
volatile sig_atomic_t signals_usr1_from;
volatile sig_atomic_t signals_alarm;
volatile sig_atomic_t signals_ending;

const int signals_that_end[SIGNALS_THAT_END] = {
    SIGINT,  SIGTERM, SIGQUIT, SIGPIPE, SIGHUP, SIGUSR2, SIGXCPU, SIGVTALRM, SIGPROF,
#ifdef SIGPOLL
    SIGPOLL, /* SIGIO */
#endif
};

void on_sigusr1(int signo, siginfo_t *info, void *context)
{
    (void)signo, (void)context;
    signals_usr1_from = info->si_pid;
    signals_usr1 = 1;
}

void on_sigalrm(int signo, siginfo_t *info, void *context)
{
    (void)signo, (void)info, (void)context;
    signals_alarm = 1;
}

void on_ending_signal(int signo, siginfo_t *info, void *context)
{
    (void)info, (void)context;
    signals_ending = signo;
}

/* cppcheck-suppress constParameter ; a function is never const */
const char *signals_handler_name(signal_handler *handler)
{
    return handler == on_sigusr1         ? "on_sigusr1"
           : handler == on_sigalrm       ? "on_sigalrm"
           : handler == on_ending_signal ? "on_ending_signal"
                                         : NULL;
}

const char *signals_name(int signo)
{
    static const struct {
        int signo;
        const char *name;
    } names[] = {
        {SIGHUP, "SIGHUP"},     {SIGINT, "SIGINT"},       {SIGQUIT, "SIGQUIT"},
        {SIGABRT, "SIGABRT"},   {SIGBUS, "SIGBUS"},       {SIGKILL, "SIGKILL"},
        {SIGUSR1, "SIGUSR1"},   {SIGSEGV, "SIGSEGV"},     {SIGUSR2, "SIGUSR2"},
        {SIGPIPE, "SIGPIPE"},   {SIGALRM, "SIGALRM"},     {SIGTERM, "SIGTERM"},
        {SIGCHLD, "SIGCHLD"},   {SIGCONT, "SIGCONT"},     {SIGSTOP, "SIGSTOP"},
        {SIGTSTP, "SIGTSTP"},   {SIGXFSZ, "SIGXFSZ"},     {SIGXCPU, "SIGXCPU"},
        {SIGPROF, "SIGPROF"},   {SIGVTALRM, "SIGVTALRM"},
#ifdef SIGPOLL
        {SIGPOLL, "SIGIO"}, /* as strace names it */
#endif
#ifdef SIGWINCH
        {SIGWINCH, "SIGWINCH"},
#endif
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].signo == signo)
            return names[i].name;
    return strsignal(signo);
}
