/* unready_no_block.c (listener) - an early signal that is not blocked kills the listener.
 *
 * Any process that knows our PID can signal us, whether we are ready or not. The default action of
 * SIGUSR1 is to kill the process. Elsewhere an early signal is rare. Here the listener does not
 * install its handler until the signal has come, so it happens in every run.
 *
 * SIGUSR1 is not blocked, so the early signal kills us (exit status 138 in the shell). We clean up
 * nothing: the talker removes the segment.
 *
 *     listener                                talker
 *     creates the segment: now its PID is known
 *     waits, without a handler
 *                                   <-------  finds it, and signals at once
 *     installs the handler, sleeps:
 *     the handler runs, TAKEN       ------->
 *
 *     $ build/listener-unready_no_block       $ build/talker-unready
 *     $ diff listener/unready.c listener/unready_no_block.c
 *     $ scripts/demo --step unready_no_block
 *
 * Level: the heart; 4 minutes; after unready
 * Question: Does a signal that comes before the handler is installed kill the listener?
 * Answer: yes. Nothing blocks SIGUSR1, and its default action is to kill.
 * Shown by: the listener ended by SIGUSR1
 * Fails: died of the early signal
 */
#include "../common/layout/unready.h"
#include "../common/ending.h"
#include "../common/lesson.h"
#include "../common/session.h"

#include <time.h>

static struct unready *open_without_handler(struct session *session, const struct options *options);
static void await_signal(double timeout);

static const char *const points[] = {"known", NULL};

static const struct program program = {
    .name = "listener-unready_no_block",
    .about = "Gets a signal before it has installed a handler.",
    .question = "Does a signal that comes before the handler is installed kill the listener?",
    .points = points,
    .values = UNREADY_VALUES};

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    sigset_t none;
    sigemptyset(&none);

    explain("THE MISTAKE: do not block SIGUSR1. It kills us until there is a handler.");

    explain("Create the segment: our PID is known now, and there is no handler for SIGUSR1.");
    struct session session;
    struct unready *shared = open_without_handler(&session, &options);
    trace_point("known");
    await_signal(options.timeout);

    explain("Ask what SIGUSR1 would do to us if it came through now. Then install the handler.");
    struct sigaction before, action = {.sa_sigaction = on_sigusr1, .sa_flags = SA_SIGINFO};
    sigemptyset(&action.sa_mask);
    if (sys_sigaction(SIGUSR1, NULL, &before) == -1)
        err(EXIT_FAILED, "sigaction(SIGUSR1, NULL)");
    if (sys_sigaction(SIGUSR1, &action, NULL) == -1)
        err(EXIT_FAILED, "sigaction(SIGUSR1)");
    check(before.sa_handler == SIG_DFL,
          "a signal came before the handler: SIGUSR1 was pending, its action %s",
          before.sa_handler == SIG_DFL ? "the default, death" : "not the default");

    explain("Unblock it: it has waited for the handler.");
    sys_sigsuspend(&none);
    int taken = signals_usr1, from = signals_usr1_from;
    check(taken == 1, "the handler took it as soon as it was unblocked, from PID %d", from);

    publish(&shared->taken, taken);
    session_await_talker(&session);
    session_advance(&session, TAKEN);
    session_part(&session);
    return program_end();
}

/* session_open would also install the handler. */
static struct unready *open_without_handler(struct session *session, const struct options *options)
{
    *session = (struct session){.timeout = options->timeout};
    segment_make_file(options->file);
    segment_create(&session->segment, segment_key(options), sizeof(struct unready), 0600,
                   UNREADY_LESSON, SESSION_VERSION);
    session->shared = (struct session_head *)session->segment.head;
    session_announce(session);
    return (struct unready *)session->shared;
}

/* Waits until SIGUSR1 is pending, and lets no signal through meanwhile: it asks the kernel each
 * millisecond. */
static void await_signal(double timeout)
{
    static const struct timespec millisecond = {0, 1000000};
    for (long looks = 1;; looks++) {
        sigset_t pending;
        if (sigpending(&pending) == -1)
            err(EXIT_FAILED, "sigpending()");
        if (sigismember(&pending, SIGUSR1) == 1)
            return;
        if (timeout > 0 && (double)looks > timeout * 1000)
            errx(EXIT_NO_PEER, "no signal within %g s: gave up", timeout);
        nanosleep(&millisecond, NULL);
        ending_obey();
    }
}
