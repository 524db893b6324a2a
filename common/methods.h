/* methods.h - seven ways to wake a peer that waits for a count in the segment.
 *
 * In each of them the news stands in the segment, as a count that only grows. The methods differ in
 * how the peer comes to look at it:
 *
 *     textbook    it looks, sleeps for a millisecond, and looks again
 *     signal      it sleeps in sigsuspend; SIGUSR1 is sent each time
 *     sigwait     it sleeps in sigwaitinfo: the same signal, but no handler runs
 *     doorbell    it spins, then declares that it sleeps; only then SIGUSR1 is sent (doorbell.h)
 *     spin        it looks again and again
 *     semaphore   it sleeps in semop; its semaphore is raised each time
 *     fifo        it sleeps in read; a byte is written to its FIFO each time
 *
 * All of them detect a dead peer, and obey a signal that asks the program to end.
 */
#ifndef METHODS_H
#define METHODS_H

#include "doorbell.h"
#include "options.h"
#include "session.h"

#include <signal.h>
#include <stdint.h>

enum { METHODS = 7 };

struct method;

/* One side's end of the channel between the two. Set bell; channel_open sets the rest. */
struct channel {
    const struct method *method;
    struct doorbell_side bell; /* for the doorbell; `sent` counts the signals of all methods */
    pid_t peer;
    sigset_t signals;           /* sigwait: the signals that wake us */
    int semaphores;             /* semaphore: the set */
    unsigned short mine, other; /* ... and the two semaphores in it */
    int from, to;               /* fifo: the descriptors that we read and write */
    unsigned looks;             /* spin */
};

/* The number of the method with this name, -1: none; and the name of a method, NULL: none. */
int method_named(const char *name);
const char *method_name(int method);

#define METHOD_NAMES "textbook, signal, sigwait, doorbell, spin, semaphore or fifo"

/* Makes what the method needs beside the segment. To be called by the listener first: it creates
 * what the talker then finds. All of it is removed when the listener exits, or by a talker that
 * survives it. Exits 1 where it cannot. */
void channel_open(struct channel *channel, int method, const struct session *session,
                  const struct options *options);

/* To be called after the count was published: wakes the peer. Exits 1 where it cannot. A peer that
 * is gone is no error here: the next wait detects it. */
void channel_wake(struct channel *channel);

/* Waits until *count is `value`. The wait begins as *begin, which does not change. Returns
 * WAIT_LOOK then, otherwise as wait_sleep does. */
enum wait_result channel_await(struct channel *channel, const _Atomic uint64_t *count,
                               uint64_t value, const struct wait *begin);

#endif
