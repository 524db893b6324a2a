/* meet.h - how the two sides of a lesson meet, take their steps in turn, and part.
 *
 * The pair and the handshake do all of this in the open; the lessons that come after them are about
 * something else, and begin and end with these.
 *
 *     listener                                 talker
 *     meet_open                                meet_find
 *     meet_await_talker
 *     ... meet_advance(&meet, DONE_THIS)       meet_await(&meet, DONE_THIS) ...
 *     meet_part                                meet_part
 *
 * `step` says how far the lesson is. Each lesson names its steps in common/pairs/; each step
 * belongs to one side, and only that side takes the lesson there.
 */
#ifndef MEET_H
#define MEET_H

#include "options.h"
#include "segment.h"
#include "wakeup.h"

#include <stdatomic.h>
#include <stdint.h>

/* What the struct of such a lesson begins with. */
struct meet_head {
    struct segment_head head;
    _Atomic int talker; /* PID of the one talker; 0: it has not come */
    _Atomic int step;   /* 0 when they meet */
};

enum { MEET_VERSION = 1 };

enum { MEET_SKIPPED = -1 }; /* the step that says: this machine cannot show it */

struct meet {
    struct segment segment;
    struct meet_head *shared; /* where the segment is attached: the lesson's struct */
    pid_t peer;               /* as the kernel confirmed it */
    double timeout;
};

/* The listener's: makes the segment with room for `bytes`, prints "listener: waiting for a talker
 * (pid P, key 0xK, shmid I)". Exits 1 or 4 where it cannot. SIGUSR1 is to be blocked before. */
void meet_open(struct meet *meet, const struct options *options, uint32_t lesson, size_t bytes);

/* The same in two steps, for a listener that has something to store before the magic, or that wants
 * `flags` for shmget(2) beside the mode 0600. */
void meet_create(struct meet *meet, const struct options *options, uint32_t lesson, size_t bytes,
                 int flags);
void meet_invite(struct meet *meet);

/* Sleeps until a talker has come. Exits 3 where none does within the timeout. */
void meet_await_talker(struct meet *meet);

/* The talker's, for --wait: sleeps until a segment of ours is there to be found. Exits 3 where none
 * is within the timeout. */
void meet_await_listener(const struct options *options);

/* The talker's: finds the listener's segment, attaches it, and tells the listener that we are here.
 * Exits 3 where no listener is there, 1 where the segment is not this lesson's, 4 where another
 * talker was faster. */
void meet_find(struct meet *meet, const struct options *options, uint32_t lesson, size_t bytes);

/* Sleeps until the lesson has come to `step`. Exits 3 where the peer goes away or takes too long,
 * and 0 where it says that this machine cannot show it. */
void meet_await(struct meet *meet, int step);

/* For what a lesson waits for beside its steps: a wait for the peer, and one sleep of that wait, in
 * a loop that looks each time. Exits as meet_await does. */
struct wakeup_wait meet_wait(const struct meet *meet);
void meet_sleep(const struct meet *meet, struct wakeup_wait *wait);

/* After a wait of the lesson's own that did not end in WAKEUP_LOOK: exits 3, as meet_await does. */
_Noreturn void meet_give_up(const struct meet *meet, enum wakeup why);

/* Lets so many seconds pass; not as a wait for the peer, but where time is what a lesson is about.
 * Exits 3 where the peer goes away meanwhile. */
void meet_nap(const struct meet *meet, double seconds);

/* Stands still until the lesson has come to `step`, and lets no blocked signal in meanwhile: for a
 * point at which the other side is to do something to us. Otherwise as meet_await. */
void meet_hold(struct meet *meet, int step);

/* Sleeps until the kernel counts no more than `most` attachments of the segment (shm_nattch): for a
 * peer that leaves on purpose. Exits 3 where that takes too long. */
void meet_await_attached(struct meet *meet, unsigned long most);

/* Sleeps until `fd` can be read, and reads: what a child of ours has to say. Otherwise as
 * meet_await. Returns what read(2) returns. */
ssize_t meet_read(struct meet *meet, int fd, void *bytes, size_t most);

/* Takes the lesson to `step` (release), and rings. */
void meet_advance(struct meet *meet, int step);

/* Prints "skipped: ..." in one line, tells the peer, parts, and exits 0. */
_Noreturn void meet_skip(struct meet *meet, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Detaches; the listener removes the segment. */
void meet_part(struct meet *meet);

#ifndef IN_COMMON
#define meet_open(meet, options, lesson, bytes) AT_LESSON(meet_open(meet, options, lesson, bytes))
#define meet_create(meet, options, lesson, bytes, flags)                                           \
    AT_LESSON(meet_create(meet, options, lesson, bytes, flags))
#define meet_invite(meet)                       AT_LESSON(meet_invite(meet))
#define meet_await_listener(options)            AT_LESSON(meet_await_listener(options))
#define meet_await_talker(meet)                 AT_LESSON(meet_await_talker(meet))
#define meet_find(meet, options, lesson, bytes) AT_LESSON(meet_find(meet, options, lesson, bytes))
#define meet_await(meet, step)                  AT_LESSON(meet_await(meet, step))
#define meet_sleep(meet, wait)                  AT_LESSON(meet_sleep(meet, wait))
#define meet_nap(meet, seconds)                 AT_LESSON(meet_nap(meet, seconds))
#define meet_hold(meet, step)                   AT_LESSON(meet_hold(meet, step))
#define meet_await_attached(meet, most)         AT_LESSON(meet_await_attached(meet, most))
#define meet_read(meet, fd, bytes, most)        AT_LESSON(meet_read(meet, fd, bytes, most))
#define meet_advance(meet, step)                AT_LESSON(meet_advance(meet, step))
#define meet_part(meet)                         AT_LESSON(meet_part(meet))
#endif

#endif
