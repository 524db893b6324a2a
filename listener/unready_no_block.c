/* unready_no_block.c (listener) - an early signal that is not blocked kills.
 *
 * The wrong variant of listener/unready.c: SIGUSR1 is not blocked. The signal that comes while
 * there is no handler yet does what it does by default: it ends the program, and no cleanup runs;
 * the segment is left to whoever survives it. In the field that takes bad luck; here the listener
 * stands still until the signal has come, so it happens each time.
 *
 *     $ build/listener-unready_no_block       $ build/talker-unready
 *     User defined signal 1                   talker: rang the listener ...
 *     $ echo $?                               talker-unready: the listener ... went away
 *     138                                     $ echo $?
 *     $ kill -l 138                           3
 *     USR1
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
    .name = "listener-unready_no_block",
    .about = "Is rung before it has a handler, and dies of it: SIGUSR1 was not blocked.",
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
    explain("THE MISTAKE: nothing is blocked, and SIGUSR1 means death until there is a handler");
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
