/* coalesce.c (listener) - a thousand blocked signals become one; a number in memory loses none.
 *
 * The kernel does not count a standard signal. While it is blocked, a thousand of them set one bit,
 * and the handler runs once. So a signal can only mean "look"; what there is to see stands in the
 * segment. A realtime signal that is sent with sigqueue(3) is different: the kernel keeps each one,
 * with a number of its own.
 *
 *     listener                                talker
 *     blocks both signals, BLOCKED  ------->
 *     waits                                   sequence = 1, kill, ... sequence = 1000, kill
 *                                   <-------  SENT
 *     unblocks and counts, COUNTED  ------->
 *     waits                         <-------  sigqueue 1, 2, ... 1000, QUEUED
 *     unblocks and counts
 *
 *     $ build/listener-coalesce               $ build/talker-coalesce
 *
 * Level: the heart; 4 minutes; after unready
 * Question: SIGUSR1 is sent 1000 times while it is blocked: how often does the handler run?
 * Choices: once | 2 times | 1000 times
 * Answer: once. For a blocked signal the kernel keeps one bit, not a counter.
 * Shown by: took SIGUSR1 1 time, while memory says 1000
 */
#include "../common/layout/coalesce.h"
#include "../common/lesson.h"
#include "../common/session.h"

static void count(int signo);
static void count_queued(int signo, siginfo_t *info, void *context);
static void block(int signo);
static int run_pending_handlers(int signo);

static const struct program program = {
    .name = "listener-coalesce",
    .about = "Blocks SIGUSR1 while a talker sends 1,000 of them, and counts how many arrive.",
    .question = "SIGUSR1 is sent 1000 times while it is blocked: how often does the handler run?",
    .values = COALESCE_VALUES};

static volatile sig_atomic_t taken;    /* how often a handler ran */
static volatile sig_atomic_t in_order; /* the queued ones came as 1, 2, 3, ... so far */

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);

    explain("Block the realtime signal, too, before a talker can send it. Its handler counts.");
    block(SIGRTMIN);
    struct sigaction queued_action = {.sa_sigaction = count_queued, .sa_flags = SA_SIGINFO};
    sigemptyset(&queued_action.sa_mask);
    if (sys_sigaction(SIGRTMIN, &queued_action, NULL) == -1)
        err(EXIT_FAILED, "sigaction(SIGRTMIN)");
    struct session session;
    struct coalesce *shared = session_open(&session, &options, COALESCE_LESSON, sizeof *shared);
    session_await_talker(&session);

    explain("From here on, count SIGUSR1. It is blocked: wait here until all of them are sent.");
    struct sigaction action = {.sa_handler = count};
    sigemptyset(&action.sa_mask);
    if (sys_sigaction(SIGUSR1, &action, NULL) == -1)
        err(EXIT_FAILED, "sigaction(SIGUSR1)");
    session_advance(&session, BLOCKED);
    session_await_blocked(&session, SENT);

    explain("Unblock SIGUSR1. The kernel kept one bit for it, not a counter.");
    int plain = run_pending_handlers(SIGUSR1);
    int sequence = observe(&shared->sequence);
    check(plain >= 1 && plain < sequence, "took SIGUSR1 %d time%s, while memory says %d", plain,
          plain == 1 ? "" : "s", sequence);
    session_advance(&session, COUNTED);
    session_await_blocked(&session, QUEUED);

    explain("Do the same with a realtime signal from sigqueue. The kernel keeps each of them.");
    int kept = run_pending_handlers(SIGRTMIN);
    int queued = observe(&shared->queued);
    check(kept == queued && in_order, "took SIGRTMIN %d times of %d queued, %s", kept, queued,
          in_order ? "in the order they were sent" : "out of order");
    session_part(&session);
    return program_end();
}

static void count(int signo)
{
    (void)signo;
    taken++;
}

static void count_queued(int signo, siginfo_t *info, void *context)
{
    (void)signo, (void)context;
    in_order = in_order && info->si_value.sival_int == taken + 1;
    taken++;
}

static void block(int signo)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, signo);
    if (sys_sigprocmask(SIG_BLOCK, &set, NULL) == -1)
        err(EXIT_FAILED, "sigprocmask(SIG_BLOCK, [%d])", signo);
}

/* Lets in only `signo`, and only if one is pending: so sigsuspend returns at once. Returns how
 * often its handler ran. */
static int run_pending_handlers(int signo)
{
    sigset_t pending, all_but_it;
    sigfillset(&all_but_it);
    sigdelset(&all_but_it, signo);
    taken = 0;
    in_order = 1;
    while (sigpending(&pending) == 0 && sigismember(&pending, signo) == 1)
        sys_sigsuspend(&all_but_it);
    return taken;
}
