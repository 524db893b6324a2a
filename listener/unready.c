/* unready.c (listener) - an early signal waits for the handler if it is blocked, else it kills.
 *
 * A program that tells its PID can be signalled from then on, whether it is ready or not; and what
 * SIGUSR1 does to a program without a handler is to end it. Blocked, it stays pending until there
 * is a handler, and is let in then. So: first block, then tell the PID.
 * listener/unready_no_block.c is the same without the block: it dies. `diff` the two; that is the
 * lesson.
 *
 *     listener                                talker
 *     blocks SIGUSR1
 *     makes the segment: now it is known
 *     stands still, without a handler
 *                                   <-------  finds it, and rings at once
 *     installs the handler, sleeps:
 *     the handler runs, TAKEN       ------->
 *
 *     $ build/listener-unready                $ build/talker-unready
 *
 * Question: Does a signal that comes before the handler is installed kill the listener?
 */
#include "../common/layout/unready.h"
#include "../common/lesson.h"
#include "../common/session.h"
#include "../common/ending.h"

#include <time.h>

static const char *const points[] = {"known", NULL};

static const struct program program = {
    .name = "listener-unready",
    .about = "Is rung before it has a handler, and lives: SIGUSR1 was blocked, and has to wait.",
    .points = points,
};

/* Stands still, and lets no signal in, until SIGUSR1 is pending: whether it is, we ask the kernel.
 */
static void stand_until_rung(double timeout)
{
    static const struct timespec a_while = {0, 1000000};
    sigset_t pending;
    for (long looks = 1; sigpending(&pending) == 0 && sigismember(&pending, SIGUSR1) != 1;
         looks++) {
        if (timeout > 0 && (double)looks > timeout * 1000)
            errx(3, "nobody rang within %g seconds: gave up", timeout);
        nanosleep(&a_while, NULL);
        ending_obey();
    }
}

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    explain("block SIGUSR1 before anyone can know our PID: whoever is early has to wait");
    sigset_t usr1;
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    if (sys_sigprocmask(SIG_BLOCK, &usr1, NULL) == -1)
        err(1, "sigprocmask(SIG_BLOCK, [SIGUSR1])");
    wakeup_guard();

    explain(
        "from here on we are known, and there is no handler yet: stand here until somebody rings");
    struct session session;
    struct unready *shared = session_open(&session, &options, UNREADY_LESSON, sizeof *shared);
    trace_point("known");
    stand_until_rung(options.timeout);

    explain("ask what SIGUSR1 would do to us, if it were let in now; then install the handler");
    struct sigaction before, action = {.sa_sigaction = on_sigusr1, .sa_flags = SA_SIGINFO};
    sigemptyset(&action.sa_mask);
    if (sys_sigaction(SIGUSR1, NULL, &before) == -1 || sys_sigaction(SIGUSR1, &action, NULL) == -1)
        err(1, "sigaction(SIGUSR1)");

    explain("now let it in: it has waited for us");
    sigset_t none;
    sigemptyset(&none);
    sys_sigsuspend(&none);
    int taken = signals_usr1, from = signals_usr1_from;
    check(before.sa_handler == SIG_DFL,
          "a signal came before the handler: SIGUSR1 was pending, its action %s",
          before.sa_handler == SIG_DFL ? "the default, death" : "not the default");
    check(taken == 1, "the handler took it as soon as it was let in, from PID %d", from);
    publish(&shared->taken, taken);
    session_await_talker(&session);
    session_advance(&session, UNREADY_TAKEN);
    session_part(&session);
    return program_end();
}
