/* doorbell.h - send SIGUSR1 only to a peer that sleeps: spin, declare, check again, sleep.
 *
 * To wake a sleeping process costs a hundred times as much as to hand over a word of memory. So a
 * process that waits looks again and again for some microseconds, and most often it need not sleep.
 * A process that publishes sends a signal only if its peer has declared that it sleeps.
 *
 *     the process that waits                     the process that publishes
 *     while (nothing is there yet)               publish(what is there)
 *         doorbell_wait: spin, or                doorbell_ring: a full fence,
 *             first  asleep = 1, a full fence        then, if asleep,
 *             then   sigsuspend                          asleep = 0 and kill(SIGUSR1)
 *     doorbell_up: asleep = 0
 *
 * The loop checks again: between the declaration and the sleep, the caller has looked once more.
 * Each side stores its own word, then a full fence, then it loads the other's word. So at least one
 * of them sees what the other has stored: the waiter finds what it waits for, or the publisher
 * finds that it must signal. Without the fences a processor may make its load before its store, on
 * both sides, and the wakeup is lost. (C11, 7.17.4.1; look for "store buffer" in a book on
 * processors.)
 */
#ifndef DOORBELL_H
#define DOORBELL_H

#include "layout/doorbell.h"
#include "wait.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

/* What a side keeps to itself. looks, spun, until and declared belong to the present wait. */
struct doorbell_side {
    struct doorbell *mine, *theirs;
    long spin;        /* microseconds to spin before sleeping; 0: do not spin */
    long sent, slept; /* signals and sleeps so far */
    unsigned looks;   /* how often we have looked */
    bool spun;        /* we have spun for long enough */
    long long until;  /* when that will be (clock_now) */
    bool declared;    /* we have declared that we sleep, and have not slept since */
};

/* How many microseconds to spin: `most`, or 0 where this process may run on one CPU only. There it
 * would keep the peer from running. */
long doorbell_spin(long most);

/* One step of a wait, to be called in a loop each time that nothing was there yet. Spins, or
 * declares that we sleep, or sleeps. Results as of wait_sleep. */
enum wait_result doorbell_wait(struct doorbell_side *side, struct wait *wait);

/* Lets the processor know that this loop waits for another processor. */
void doorbell_relax(void);

/* The wait is over: we found what we waited for, or gave up. */
void doorbell_up(struct doorbell_side *side);

/* To be called after something was published that the peer may wait for. Signals the peer if it has
 * declared that it sleeps. Returns 0, or -1 with errno as peer_signal does. */
int doorbell_ring(struct doorbell_side *side, pid_t peer);

#endif
