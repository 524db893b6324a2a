/* coalesce.c (talker) - sends 1,000 signals, and counts them in memory.
 *
 * Read listener/coalesce.c first, and start it first. Then we send 1,000 more with sigqueue(3).
 * Each of those carries a number of its own. The kernel queues them up to a limit
 * (RLIMIT_SIGPENDING of the listener), and fails with EAGAIN beyond it.
 *
 *     $ build/listener-coalesce               $ build/talker-coalesce
 */
#include "../common/layout/coalesce.h"
#include "../common/lesson.h"
#include "../common/session.h"

static void send_plain(pid_t listener, struct coalesce *shared);
static int send_queued(struct session *session);

static const struct program program = {
    .name = "talker-coalesce",
    .about =
        "Sends 1,000 SIGUSR1 to a listener that has blocked them, then 1,000 realtime signals.",
    .values = COALESCE_VALUES};

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    struct coalesce *shared = session_join(&session, &options, COALESCE_LESSON, sizeof *shared);
    session_await(&session, BLOCKED);

    explain("Count each signal in memory, then send it. The number is the truth.");
    send_plain(session.peer, shared);
    int sequence = observe(&shared->sequence);
    print_line("sent SIGUSR1 %d times", sequence);
    explain("Store SENT without a signal: one more would spoil the count.");
    publish(&session.shared->step, SENT);
    session_await(&session, COUNTED);

    explain("sigqueue makes the kernel keep each signal, with a number of its own, up to a limit.");
    int queued = send_queued(&session);
    if (queued == 0)
        session_skip(&session,
                     "the kernel queues no signal for PID %d: the limit of pending "
                     "signals is reached (ulimit -i)",
                     (int)session.peer);
    publish(&shared->queued, queued);
    check(queued > 0, "queued %d realtime signals of %d%s", queued, SIGNALS,
          queued < SIGNALS ? ": the limit is reached (ulimit -i)" : "");
    session_advance(&session, QUEUED);
    session_part(&session);
    return program_end();
}

static void send_plain(pid_t listener, struct coalesce *shared)
{
    for (int i = 1; i <= SIGNALS; i++) {
        publish(&shared->sequence, i);
        if (sys_kill(listener, SIGUSR1) == -1 && errno != ESRCH)
            err(EXIT_FAILED, "kill(%d, SIGUSR1) to the listener", (int)listener);
    }
}

/* Returns how many the kernel took. */
static int send_queued(struct session *session)
{
    for (int i = 1; i <= SIGNALS; i++) {
        if (sys_sigqueue(session->peer, SIGRTMIN, (union sigval){.sival_int = i}) == 0)
            continue;
        if (errno == EAGAIN)
            return i - 1;
        if (errno == ESRCH)
            session_give_up(session, WAIT_GONE);
        err(EXIT_FAILED, "sigqueue(%d, SIGRTMIN, %d) to the listener", (int)session->peer, i);
    }
    return SIGNALS;
}
