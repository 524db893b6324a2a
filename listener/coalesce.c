/* coalesce.c (listener) - a thousand signals become one; a number in memory loses none.
 *
 * A standard signal is not counted: while it is blocked, a thousand of them leave one bit set, and
 * one delivery. So a signal can only say "look"; what there is to see stands in the segment. A
 * realtime signal that was sent with sigqueue(3) is kept one by one, with a number of its own.
 *
 *     listener                                talker
 *     blocks both signals, BLOCKED  ------->
 *     stands still                            sequence = 1, kill, ... sequence = 1000, kill
 *                                   <-------  SENT
 *     lets them in and counts, COUNTED ---->
 *     stands still                  <-------  sigqueue 1, 2, ... 1000, QUEUED
 *     lets them in and counts
 *
 *     $ build/listener-coalesce               $ build/talker-coalesce
 *
 * Question: SIGUSR1 is sent 1000 times while it is blocked: how often does the handler run?
 */
#include "../common/layout/coalesce.h"
#include "../common/lesson.h"
#include "../common/session.h"
#include "../common/ending.h"


static const struct program program = {
    .name = "listener-coalesce",
    .about = "Blocks SIGUSR1 while a talker sends 1,000 of them, and counts how many arrive.",
};

static volatile sig_atomic_t taken;    /* how often a handler ran */
static volatile sig_atomic_t in_order; /* queued signals came as 1, 2, 3, ... so far */

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

static void block_and_handle(int signo, struct sigaction action)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, signo);
    sigemptyset(&action.sa_mask);
    if (sys_sigprocmask(SIG_BLOCK, &set, NULL) == -1)
        err(1, "sigprocmask(SIG_BLOCK, [%d])", signo);
    if (sys_sigaction(signo, &action, NULL) == -1)
        err(1, "sigaction(%d)", signo);
}

/* Lets in what is pending of `signo`, until nothing is. Returns how often its handler ran. */
static int let_in(int signo)
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

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    wait_block_sigusr1();
    explain(
        "block both signals: what is sent now has to wait, and we shall see what is kept of it");
    block_and_handle(SIGRTMIN,
                     (struct sigaction){.sa_sigaction = count_queued, .sa_flags = SA_SIGINFO});
    struct session session;
    struct coalesce *shared = session_open(&session, &options, COALESCE_LESSON, sizeof *shared);
    session_await_talker(&session);

    explain("from here on SIGUSR1 is counted; stand still until all of them are sent");
    block_and_handle(SIGUSR1, (struct sigaction){.sa_handler = count});
    session_advance(&session, COALESCE_BLOCKED);
    session_await_blocked(&session, COALESCE_SENT);

    explain("let them in: pending is one bit for each signal number, not a counter");
    int plain = let_in(SIGUSR1);
    int sequence = observe(&shared->sequence);
    check(plain >= 1 && plain < sequence, "took SIGUSR1 %d time%s, while memory says %d", plain,
          plain == 1 ? "" : "s", sequence);

    explain("now the same with a realtime signal and sigqueue: the kernel keeps each of them");
    session_advance(&session, COALESCE_COUNTED);
    session_await_blocked(&session, COALESCE_QUEUED);
    int kept = let_in(SIGRTMIN);
    int queued = observe(&shared->queued);
    check(kept == queued && in_order, "took SIGRTMIN %d times of %d queued, %s", kept, queued,
          in_order ? "in the order they were sent" : "out of order");
    session_part(&session);
    return program_end();
}
