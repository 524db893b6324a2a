/* doorbell.h - waiting without a signal where none is needed: spin, declare,
 * recheck, sleep.
 *
 * To wake a sleeper costs a signal and two switches of the CPU; to look at a
 * word costs nothing. So who waits looks for a little while first, and only
 * then declares that it sleeps, looks once more, and sleeps; and who has news
 * rings only for a declared sleeper.
 *
 *     waiter                                  ringer
 *     asleep = 1                              news
 *     look for news: none, so sleep           exchange asleep for 0: was it 1?
 * then SIGUSR1
 *
 * Each of the two stores first and looks second. That order is all: whichever
 * store comes first, one of the two looks finds the other's store, so never do
 * both miss (memory_order_seq_cst; on x86 the exchange is the fence). Without
 * the recheck, news that came between the last look and the declaration would
 * find nobody to ring for, and the waiter would sleep on it.
 *
 * To spin for somebody who waits for this very CPU only keeps it away: each
 * side tells on which CPU it ran last, and nobody spins for a peer on its own.
 */
#ifndef DOORBELL_H
#define DOORBELL_H

#include "wakeup.h"

#include <stdatomic.h>
#include <stdint.h>

enum { CACHE_LINE = 64 };

/* One side's, in the segment, on a cache line of its own. */
struct doorbell {
    _Alignas(CACHE_LINE) _Atomic int asleep; /* 1: its owner sleeps, or is about to */
    _Atomic int cpu;                         /* where its owner ran last, from 1; 0: not known */
};

/* One side's, in its own memory. */
struct doorbell_keeper {
    struct doorbell *mine, *peers;
    long spin_us;     /* how long to look before sleeping, in microseconds */
    long rung, slept; /* signals sent, times slept */
    struct wakeup_wait wait;
};

/* How long to spin where nothing else was asked for: `usual`, or 0 where one
 * CPU is all we may use. */
long doorbell_spin_default(long usual);

/* Waits a while for *counter to be other than `old`. WAKEUP_LOOK: it may be,
 * look; else as in wakeup.h. */
enum wakeup doorbell_wait(struct doorbell_keeper *keeper, const _Atomic uint64_t *counter,
                          uint64_t old);

/* Rings, if the peer is a declared sleeper. To be called after the news was
 * stored. */
void doorbell_ring(struct doorbell_keeper *keeper);

#endif
