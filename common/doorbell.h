/* doorbell.h - ring only a peer that sleeps: spin a little, declare, recheck, sleep.
 *
 * Waking a sleeper costs a hundred times as much as handing over a word of memory. So whoever waits
 * looks again and again for some microseconds, and most often need not sleep at all; and whoever
 * publishes sends a signal only if the other one has declared that it sleeps.
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

/* One side's doorbell, in the segment; best on the cache line of what that side publishes. Nothing
 * in it is trusted: a wrong word costs a needless look, signal or nap of one tick, and no more. */
struct doorbell {
    _Atomic int asleep; /* 1: I am about to sleep, ring me */
    _Atomic int cpu;    /* where I ran when I last published, counted from 1; 0: unknown */
};

/* What a side keeps to itself. looks, spun, until and declared are of the wait that is going on. */
struct doorbell_side {
    struct doorbell *mine, *theirs;
    long spin;        /* how many microseconds to look before sleeping; 0: do not */
    long rung, slept; /* signals sent, and sleeps, so far */
    unsigned looks;   /* how often we have looked */
    bool spun;        /* we have looked for long enough */
    long long until;  /* when that will be, as clock_now tells the time */
    bool declared;    /* we have declared that we sleep, and have not slept since */
};

/* How many microseconds to spin: `most`, or 0 where this process may run on one CPU only: there it
 * would keep the other side from doing what it waits for. */
long doorbell_spin(long most);

/* One step of a wait: to be called in a loop, each time that nothing was there yet. Spins, or
 * declares that we sleep, or sleeps, and returns as wakeup_sleep does. */
enum wakeup doorbell_wait(struct doorbell_side *side, struct wakeup_wait *wait);

/* Tells the processor that we are in a loop that waits for another processor. */
void doorbell_relax(void);

/* The wait is over: we found what we waited for, or gave up. */
void doorbell_up(struct doorbell_side *side);

/* To be called after anything was published that the peer may wait for. Rings if it sleeps. Returns
 * 0, or -1 with errno as wakeup_send does. */
int doorbell_ring(struct doorbell_side *side, pid_t peer);

#ifndef IN_COMMON
#define doorbell_wait(side, wait) AT_LESSON(doorbell_wait(side, wait))
#define doorbell_ring(side, peer) AT_LESSON(doorbell_ring(side, peer))
#endif

#endif
