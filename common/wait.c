/* wait.c - sleep until SIGUSR1 comes, and watch the peer and the time; see wait.h. */
#include "wait.h"
#include "calls.h"
#include "clock.h"
#include "ending.h"
#include "exits.h"
#include "peer.h"
#include "program.h"
#include "segment.h"
#include "tick.h"

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

/* The signal mask while we sleep: nothing is blocked. It is made once. */
static const sigset_t *wait_mask(void)
{
    static sigset_t nothing;
    static bool is_empty;
    if (!is_empty)
        sigemptyset(&nothing);
    is_empty = true;
    return &nothing;
}

void wait_block_sigusr1(void)
{
    static bool is_done;
    if (is_done)
        return;
    is_done = true;
    sigset_t usr1;
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    if (sys_sigprocmask(SIG_BLOCK, &usr1, NULL) == -1)
        err(EXIT_FAILED, "sigprocmask(SIG_BLOCK, [SIGUSR1])");
    struct sigaction action = {.sa_sigaction = on_sigusr1, .sa_flags = SA_SIGINFO};
    sigemptyset(&action.sa_mask);
    if (sys_sigaction(SIGUSR1, &action, NULL) == -1)
        err(EXIT_FAILED, "sigaction(SIGUSR1)");
}

/* ---- what a tick checks ---- */

static pid_t peer_of(const struct wait *wait)
{
    return wait->peer_at ? atomic_load(wait->peer_at) : wait->peer;
}

/* The peer itself says that it was stopped on purpose; the kernel says whether it is. */
static bool is_held(const struct wait *wait)
{
    pid_t peer = peer_of(wait);
    return peer && wait->stopped && atomic_load(wait->stopped) == peer && peer_may_be_stopped(peer);
}

/* Whether the kernel still lists our segment with its key. It is read in /proc and not asked for
 * with shmctl(2): such a call would be narrated at each tick. Where it cannot be read: false. */
static bool was_removed(int shmid)
{
    char line[256];
    bool listed = false;
    FILE *list = fopen("/proc/sysvipc/shm", "re");
    if (!list)
        return false;
    while (!listed && fgets(line, sizeof line, list)) {
        int key, id;
        listed = sscanf(line, "%d %d", &key, &id) == 2 && id == shmid && key != 0;
    }
    bool failed = ferror(list);
    fclose(list);
    return !failed && !listed;
}

static bool has_gone(const struct wait *wait, pid_t peer)
{
    return wait->is_gone ? wait->is_gone(peer, wait->object) : peer_is_gone(peer, wait->shmid);
}

/* A student who has typed Ctrl-Z in the other terminal waits here, and wonders. */
static void say_if_stopped(const struct wait *wait, pid_t peer)
{
    if (wait->ticks == 1000 / TICK_MS && peer_is_stopped(peer))
        warnx("the %s (PID %d) is stopped: type \"fg\" in its terminal", program_other_side(),
              (int)peer);
}

static enum wait_result judge(struct wait *wait)
{
    enum { REMOVED_TICKS = 3 }; /* the list of all segments is long: read it less often */
    pid_t peer = peer_of(wait);
    if (is_held(wait))
        wait->ticks = 2; /* stopped on purpose: its time starts when it goes on */
    if (peer && wait->ticks >= 2 && has_gone(wait, peer))
        return WAIT_GONE;
    if (peer)
        say_if_stopped(wait, peer);
    if (wait->we_created && wait->ticks % REMOVED_TICKS == 0 && was_removed(wait->shmid))
        return WAIT_REMOVED;
    double allowed = wait->timeout * 1000 / TICK_MS;
    if (wait->timeout > 0 && wait->ticks > (allowed < 1 ? 1 : (long long)allowed))
        return WAIT_LATE;
    return WAIT_LOOK;
}

/* ---- sleep ---- */

/* Obeys what the handlers have noted. Returns whether SIGUSR1 was taken. */
static bool was_signalled(void)
{
    if (signals_ending)
        ending_die(signals_ending);
    if (!signals_usr1)
        return false;
    signals_usr1 = 0;
    trace_signal(SIGUSR1, signals_usr1_from);
    return true;
}

/* The verdict is kept for the next sleep, so that our caller takes its last look first. */
bool wait_should_look(struct wait *wait)
{
    bool rung = was_signalled();
    if (!tick_has_passed())
        return rung;
    wait->ticks++;
    wait->verdict = judge(wait);
    return rung || wait->verdict != WAIT_LOOK;
}

/* Woken by SIGUSR1 alone, there is no need to look at the clock. */
enum wait_result wait_sleep(struct wait *wait)
{
    if (wait->verdict != WAIT_LOOK)
        return wait->verdict;
    do {
        signals_alarm = 0;
        sys_sigsuspend(wait_mask());
    } while (signals_alarm ? !wait_should_look(wait) : !was_signalled());
    return WAIT_LOOK;
}

enum wait_result wait_tick(struct wait *wait)
{
    if (wait->verdict != WAIT_LOOK)
        return wait->verdict;
    long ticks = wait->ticks;
    do
        sys_sigsuspend(wait_mask());
    while (!wait_should_look(wait) && wait->ticks == ticks);
    return WAIT_LOOK;
}

enum wait_result wait_on(struct wait *wait, int fd, enum ready_for what, bool *ready)
{
    *ready = false;
    if (wait->verdict != WAIT_LOOK)
        return wait->verdict;
    do {
        int count = ready_wait(fd, what, wait_mask(), false);
        if (count == -1 && errno != EINTR)
            err(EXIT_FAILED, "cannot wait for descriptor %d", fd);
        *ready = count == 1;
        if (*ready)
            ending_obey(); /* ppoll delivers no signal where the descriptor is ready at once */
    } while (!wait_should_look(wait) && !*ready);
    return WAIT_LOOK;
}

void wait_unblock(sigset_t *ours)
{
    if (sigprocmask(SIG_SETMASK, wait_mask(), ours) == -1)
        err(EXIT_FAILED, "sigprocmask(SIG_SETMASK, [])");
}

void wait_block_again(const sigset_t *ours)
{
    int error = errno;
    if (sigprocmask(SIG_SETMASK, ours, NULL) == -1)
        err(EXIT_FAILED, "sigprocmask(SIG_SETMASK) back");
    errno = error;
}

/* ---- give up ---- */

/* The kernel remembers the last process that attached or detached the segment. */
static _Noreturn void say_removed(int shmid)
{
    struct shmid_ds about;
    bool known = sys_shmctl(shmid, IPC_STAT, &about) == 0 && about.shm_lpid != getpid();
    if (known && about.shm_lpid == 0)
        errx(EXIT_FAILED,
             "segment %d was removed; a process of another PID namespace used it last: no talker "
             "can find us, start again",
             shmid);
    if (known)
        errx(EXIT_FAILED,
             "segment %d was removed; PID %d used it last: no talker can find us, start again",
             shmid, (int)about.shm_lpid);
    errx(EXIT_FAILED,
         "segment %d was removed by another process: no talker can find us, start again", shmid);
}

_Noreturn void wait_give_up(const struct wait *wait)
{
    pid_t peer = peer_of(wait);
    const char *other = program_other_side();
    if (wait->verdict == WAIT_REMOVED)
        say_removed(wait->shmid);
    if (wait->attached) {
        if (sys_shmdt(wait->attached) == -1)
            warn("shmdt(%p)", wait->attached);
        if (!wait->we_created)
            segment_remove_if_left(wait->shmid, peer);
    }
    if (wait->verdict == WAIT_GONE)
        errx(EXIT_NO_PEER, "the %s (PID %d) went away", other, (int)peer);
    if (peer)
        errx(EXIT_NO_PEER, "no word from the %s (PID %d) within %g s: gave up", other, (int)peer,
             wait->timeout);
    errx(EXIT_NO_PEER, "no %s within %g s: gave up", other, wait->timeout);
}

void wait_exit_if_over(const struct wait *wait)
{
    if (wait->verdict != WAIT_LOOK)
        wait_give_up(wait);
}
