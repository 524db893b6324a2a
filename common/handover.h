/* handover.h - seven ways to tell a peer that there is something to see in the segment.
 *
 * In each of them what is told stands in the segment, as a count that only grows; what differs is
 * how the peer comes to look:
 *
 *     textbook    it looks, naps for a millisecond, and looks again
 *     signal      it sleeps in sigsuspend; SIGUSR1 is sent each time
 *     sigwait     it sleeps in sigwaitinfo: the same signal, and no handler runs
 *     doorbell    it looks for a while, then says that it sleeps; SIGUSR1 only then (doorbell.h)
 *     spin        it looks, and does nothing else
 *     semaphore   it sleeps in semop; its semaphore is raised each time
 *     fifo        it sleeps in read; a byte is written to its FIFO each time
 *
 * Nobody waits for the dead in any of them. Those that sleep elsewhere than in sigsuspend let all
 * signals in meanwhile, so that the tick of wakeup.h reaches them.
 */
#ifndef HANDOVER_H
#define HANDOVER_H

#include "doorbell.h"
#include "meet.h"
#include "options.h"

#include <signal.h>
#include <stdint.h>

struct handover_method;

/* One side's. Both set bell; the rest is handover_open's. */
struct handover {
    const struct handover_method *method;
    struct doorbell_side bell; /* for the doorbell alone; `rung` counts all signals sent */
    pid_t peer;
    sigset_t signals;           /* sigwait: those that wake us */
    int semaphores;             /* semaphore: the set */
    unsigned short mine, other; /* ... and each one's place in it */
    int from, to;               /* fifo: what we read, and what we write */
    unsigned looks;             /* spin */
};

/* Which method has this name; -1: none. And the name of a method; NULL: there is none. */
int handover_named(const char *name);
const char *handover_name(int method);

/* All names, for people: "textbook, signal, ..." */
#define HANDOVER_NAMES "textbook, signal, sigwait, doorbell, spin, semaphore or fifo"

/* Makes ready what the method needs beside the segment. The listener is to be first: it makes what
 * the talker then finds. All of it is removed when this process exits, however that comes about,
 * and a survivor removes what the other has left. Exits 1 where it cannot. */
void handover_open(struct handover *handover, int method, const struct meet *meet,
                   const struct options *options);

/* To be called after the count was published: tells the peer, as the method has it. Exits 1 where
 * it cannot; a peer that is gone is not told, and is noticed where it is waited for. */
void handover_tell(struct handover *handover);

/* Waits until *count is `value`. Returns WAKEUP_LOOK then, else why it gave up, as wakeup_sleep
 * does. */
enum wakeup handover_await(struct handover *handover, const _Atomic uint64_t *count, uint64_t value,
                           struct wakeup_wait wait);

#ifndef IN_COMMON
#define handover_open(handover, method, meet, options)                                             \
    AT_LESSON(handover_open(handover, method, meet, options))
#define handover_tell(handover) AT_LESSON(handover_tell(handover))
#define handover_await(handover, count, value, wait)                                               \
    AT_LESSON(handover_await(handover, count, value, wait))
#endif

#endif
