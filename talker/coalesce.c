/* coalesce.c (talker) - sends 1,000 signals, each with its number left in memory.
 *
 * The other half of listener/coalesce.c, which tells the story and is started first. We number each
 * signal in the segment before we send it; and then send as many again with sigqueue(3), which
 * carries a number of its own. The kernel queues those only up to a limit (RLIMIT_SIGPENDING), and
 * says so with EAGAIN.
 *
 *     $ build/listener-coalesce               $ build/talker-coalesce
 */
#include "../common/pairs/coalesce.h"
#include "../common/claim.h"
#include "../common/lines.h"
#include "../common/sys.h"

#include <err.h>
#include <errno.h>

static const struct program program = {
    .name = "talker-coalesce",
    .usage = "[options]",
    .about =
        "Sends 1,000 SIGUSR1 to a listener that has blocked them, then 1,000 realtime signals.",
};

static void send_plain(struct meet *meet, struct coalesce *shared)
{
    explain(
        "number each signal in memory, then send it: the number is the truth, the signal a nudge");
    for (int i = 1; i <= COALESCE_SIGNALS; i++) {
        publish(&shared->sequence, i);
        if (sys_kill(meet->peer, SIGUSR1) == -1 && errno != ESRCH)
            err(1, "kill(%d, SIGUSR1) to the listener", (int)meet->peer);
    }
}

/* Returns how many the kernel took. */
static int send_queued(struct meet *meet)
{
    explain("sigqueue makes the kernel keep each one, with a number of its own, up to a limit");
    for (int i = 1; i <= COALESCE_SIGNALS; i++) {
        if (sys_sigqueue(meet->peer, SIGRTMIN, (union sigval){.sival_int = i}) == 0)
            continue;
        if (errno == ESRCH)
            meet_await(meet, COALESCE_QUEUED); /* which sees that the listener is gone, and ends */
        if (errno != EAGAIN)
            err(1, "sigqueue(%d, SIGRTMIN, %d) to the listener", (int)meet->peer, i);
        return i - 1;
    }
    return COALESCE_SIGNALS;
}

int main(int argc, char **argv)
{
    struct options options = options_parse(argc, argv, &program);
    explain("block SIGUSR1 before we are known: the listener will ring us, too");
    wakeup_block();
    struct meet meet;
    meet_find(&meet, &options, COALESCE_LESSON, sizeof(struct coalesce));
    struct coalesce *shared = (struct coalesce *)meet.shared;

    meet_await(&meet, COALESCE_BLOCKED);
    send_plain(&meet, shared);
    explain("say so without ringing, which would be one signal more: the listener looks by itself");
    publish(&meet.shared->step, COALESCE_SENT);
    lines_print("sent SIGUSR1 %d times", (int)observe(&shared->sequence));

    meet_await(&meet, COALESCE_COUNTED);
    int queued = send_queued(&meet);
    publish(&shared->queued, queued);
    meet_advance(&meet, COALESCE_QUEUED);
    claim(queued > 0, "queued %d realtime signals of %d%s", queued, COALESCE_SIGNALS,
          queued < COALESCE_SIGNALS ? ": the limit is reached (ulimit -i)" : "");
    meet_part(&meet);
    wakeup_end();
    return claim_status();
}
