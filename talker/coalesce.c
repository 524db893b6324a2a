/* coalesce.c (talker) - sends 1,000 signals, each with its number left in memory.
 *
 * The other half of listener/coalesce.c, which tells the story and is started first. We number each
 * signal in the segment before we send it; and then send as many again with sigqueue(3), which
 * carries a number of its own. The kernel queues those only up to a limit (RLIMIT_SIGPENDING), and
 * says so with EAGAIN.
 *
 *     $ build/listener-coalesce               $ build/talker-coalesce
 */
#include "../common/layout/coalesce.h"
#include "../common/lesson.h"
#include "../common/session.h"
#include "../common/ending.h"


static const struct program program = {
    .name = "talker-coalesce",
    .about =
        "Sends 1,000 SIGUSR1 to a listener that has blocked them, then 1,000 realtime signals.",
};

static void send_plain(struct session *session, struct coalesce *shared)
{
    explain(
        "number each signal in memory, then send it: the number is the truth, the signal a nudge");
    for (int i = 1; i <= COALESCE_SIGNALS; i++) {
        publish(&shared->sequence, i);
        if (sys_kill(session->peer, SIGUSR1) == -1 && errno != ESRCH)
            err(1, "kill(%d, SIGUSR1) to the listener", (int)session->peer);
    }
}

/* Returns how many the kernel took. */
static int send_queued(struct session *session)
{
    explain("sigqueue makes the kernel keep each one, with a number of its own, up to a limit");
    for (int i = 1; i <= COALESCE_SIGNALS; i++) {
        if (sys_sigqueue(session->peer, SIGRTMIN, (union sigval){.sival_int = i}) == 0)
            continue;
        if (errno == ESRCH)
            session_await(session, COALESCE_QUEUED); /* which sees that the listener is gone, and ends */
        if (errno != EAGAIN)
            err(1, "sigqueue(%d, SIGRTMIN, %d) to the listener", (int)session->peer, i);
        return i - 1;
    }
    return COALESCE_SIGNALS;
}

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    explain("block SIGUSR1 before we are known: the listener will ring us, too");
    struct session session;
    struct coalesce *shared = session_join(&session, &options, COALESCE_LESSON, sizeof *shared);

    session_await(&session, COALESCE_BLOCKED);
    send_plain(&session, shared);
    explain("say so without ringing, which would be one signal more: the listener looks by itself");
    publish(&session.shared->step, COALESCE_SENT);
    say("sent SIGUSR1 %d times", observe(&shared->sequence));

    session_await(&session, COALESCE_COUNTED);
    int queued = send_queued(&session);
    publish(&shared->queued, queued);
    session_advance(&session, COALESCE_QUEUED);
    check(queued > 0, "queued %d realtime signals of %d%s", queued, COALESCE_SIGNALS,
          queued < COALESCE_SIGNALS ? ": the limit is reached (ulimit -i)" : "");
    session_part(&session);
    return program_end();
}
