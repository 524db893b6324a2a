/* doorbell.h - to ring only who sleeps: spin a little, declare, recheck, sleep.
 *
 * To wake a sleeper costs a hundred times what it costs to hand over a word of memory. So whoever
 * waits looks again and again for some microseconds, and most often need not sleep at all; and
 * whoever publishes sends a signal only where the other one has declared that it sleeps.
 *
 *     waits                                      publishes
 *     while (nothing there yet)                  publish(what is there)
 *         doorbell_wait: spin, or                doorbell_ring: a full fence,
 *             first  asleep = 1, a full fence        then, if asleep,
 *             then   sigsuspend                          asleep = 0 and kill(SIGUSR1)
 *     doorbell_up: asleep = 0
 *
 * The loop is the recheck: between the declaration and the sleep the caller has looked once more.
 * Each side stores its own word first and loads the other's after it, with a full fence in between;
 * so at least one of the two sees what the other has stored: the waiter what it waits for, or the
 * publisher that it must ring. Without a fence a processor may let its load overtake its store, on
 * both sides, and a wakeup is lost. (C11, 7.17.4.1; "store buffer" in any book about processors.)
 */
#ifndef DOORBELL_H
#define DOORBELL_H

#include "wakeup.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

/* One side's, in the segment; best on the cache line of what that side publishes. It is believed
 * in nothing: a wrong word in it costs a spin or a signal too many, or a tick. */
struct doorbell {
    _Atomic int asleep; /* 1: I am about to sleep, ring me */
    _Atomic int cpu;    /* where I ran when I published last, from 1; 0: I cannot tell */
};

/* What a side keeps for itself. */
struct doorbell_side {
    struct doorbell *mine, *theirs;
    long spin;        /* microseconds to look before it sleeps; 0: not at all */
    long rung, slept; /* signals sent, and sleeps, so far */
    bool declared;    /* that we sleep, and has not slept since */
    bool spun;        /* this wait has looked long enough */
    unsigned looks;   /* how often, so far */
    long long until;  /* nanoseconds: so long will it look */
};

/* How many microseconds to spin: `most`, or 0 where this process may run on one CPU only and would
 * keep the other from what it waits for. */
long doorbell_spin(long most);

/* One step of a wait: to be called in a loop, each time that there was nothing there. Spins, or
 * declares that we sleep, or sleeps, and returns as wakeup_sleep does. */
enum wakeup doorbell_wait(struct doorbell_side *side, struct wakeup_wait *wait);

/* Tells the processor that this is a loop which waits for another. */
void doorbell_relax(void);

/* The wait is over: we found what we waited for, or gave up. */
void doorbell_up(struct doorbell_side *side);

/* To be called after whatever the peer may wait for was published. Rings where it sleeps. Returns
 * 0, or -1 with errno as wakeup_send does. */
int doorbell_ring(struct doorbell_side *side, pid_t peer);

#ifndef IN_COMMON
#define doorbell_wait(side, wait) AT_LESSON(doorbell_wait(side, wait))
#define doorbell_ring(side, peer) AT_LESSON(doorbell_ring(side, peer))
#endif

#endif
