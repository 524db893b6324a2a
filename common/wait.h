/* wait.h - block SIGUSR1, sleep until it comes, and notice a dead peer or the end of the time.
 *
 * The truth is in the segment; SIGUSR1 only means "look". A process that waits does so in a loop:
 *
 *     struct wait wait = {.peer = listener, .shmid = shmid, .timeout = options.timeout};
 *     while (observe(&pair->turn) != me)
 *         if (wait_sleep(&wait) != WAIT_LOOK)
 *             ... the peer is gone, or the time is up ...
 *
 * A stray, spurious or coalesced signal changes nothing. SIGUSR1 is blocked everywhere but in the
 * sleep, so it cannot come between the check and the sleep.
 *
 * Only SIGUSR1 lets the process look at the memory again. The timer (tick.h) also interrupts the
 * sleep, but only to check the peer and the time; then the sleep goes on. After the peer's death
 * there is one last look, because what it did before counts.
 */
#ifndef WAIT_H
#define WAIT_H

#include "ready.h"
#include "signals.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

/* What a process that waits is to do next. */
enum wait_result {
    WAIT_LOOK,    /* look into the segment: something may have changed */
    WAIT_GONE,    /* the peer has died or detached, without doing first what we wait for */
    WAIT_LATE,    /* no progress within the timeout */
    WAIT_REMOVED, /* our own segment was removed by another process */
};

/* One wait. A new wait is progress: it starts with its whole time. Fields that are 0 or NULL do not
 * matter to it. */
struct wait {
    pid_t peer;                 /* its death ends the wait */
    const _Atomic int *peer_at; /* or: the word in which the peer will write its PID */
    int shmid;                  /* the segment that the peer has attached */
    const void *attached;       /* where we have attached it: wait_give_up detaches it */
    const _Atomic int *stopped; /* holds the peer's PID while --step or --hold stops it */
    bool (*is_gone)(pid_t peer, const void *object); /* NULL: the peer has a segment attached */
    const void *object;       /* for is_gone: what the peer has instead of a segment */
    bool we_created;          /* we created the segment: its removal ends the wait */
    double timeout;           /* seconds; 0: no limit */
    long ticks;               /* so far; 0 begins the wait anew */
    enum wait_result verdict; /* leave it 0, WAIT_LOOK */
};

/* Blocks SIGUSR1 and installs on_sigusr1. To be called before any process can know our PID: the
 * default action of SIGUSR1 is to kill the process. A second call does nothing. Exits 1 where it
 * cannot. */
void wait_block_sigusr1(void);

/* Sleeps in sigsuspend until SIGUSR1 comes, or until there is a verdict; then it returns WAIT_LOOK
 * once, for the last look, and after that the verdict. Does not return where a signal has asked the
 * program to end. While the program is stopped, its timeout does not run. */
enum wait_result wait_sleep(struct wait *wait);

/* For a sleep of the lesson's own. To be called after it was interrupted: returns whether to look
 * at the memory now, because SIGUSR1 came or for the last look. If it returns false, sleep on. */
bool wait_should_look(struct wait *wait);

/* To be called before a sleep of the lesson's own: if there is a verdict, exits as wait_give_up. */
void wait_exit_if_over(const struct wait *wait);

/* Exits because of the verdict: detaches, removes what a dead creator has left, and says in one
 * line that the peer went away or that the time is up (3), or that our segment was removed (1). */
_Noreturn void wait_give_up(const struct wait *wait);

/* Sleeps for one tick, or until SIGUSR1 comes: for what no process need send a signal, such as a
 * free seat or a new segment. Results as of wait_sleep. */
enum wait_result wait_tick(struct wait *wait);

/* Sleeps until `fd` is ready, or as wait_sleep does; *ready says whether it is. */
enum wait_result wait_on(struct wait *wait, int fd, enum ready_for what, bool *ready);

/* For a call that sleeps elsewhere than in sigsuspend: unblocks all signals, and blocks them again
 * (errno stays). A signal that comes between the unblocking and the call does not interrupt the
 * call: this is the lost wakeup. The next tick interrupts it, so an ending signal is obeyed at most
 * 50 ms late; a wakeup must not be sent this way. */
void wait_unblock(sigset_t *ours);
void wait_block_again(const sigset_t *ours);

#endif
