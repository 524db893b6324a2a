/* session.h - how the two sides of a lesson meet, take steps and part.
 *
 * The pair and the handshake do all of this in the open. The other lessons are about something
 * else, and begin and end with these calls:
 *
 *     listener                                    talker
 *     session_open, session_await_talker          session_join
 *     session_advance(&session, DONE_THIS)        session_await(&session, DONE_THIS)
 *     ...                                         ...
 *     session_part                                session_part
 *
 * A word in the segment, `step`, says how far the lesson has come. Each lesson names its steps in
 * common/layout/. One side alone takes the lesson to a step; the other waits for it.
 */
#ifndef SESSION_H
#define SESSION_H

#include "layout/head.h"
#include "options.h"
#include "segment.h"
#include "wait.h"

struct session {
    struct segment segment;
    struct session_head *shared; /* where the segment is attached: the lesson's struct begins so */
    pid_t peer;                  /* confirmed by the kernel */
    double timeout;              /* seconds; 0: no limit */
};

/* ---- meet ---- */

/* For the listener: blocks SIGUSR1, creates the segment with room for `bytes`, and prints
 * "listener: waiting for a talker (pid P, key 0xK, shmid I)". Returns the address of the lesson's
 * struct. Exits 1 or 4 where it cannot. */
void *session_open(struct session *session, const struct options *options, uint32_t lesson,
                   size_t bytes);

/* session_open in two calls: for a listener that stores something before the talker may come, or
 * that needs `flags` for shmget(2) beside the mode 0600. */
void *session_create(struct session *session, const struct options *options, uint32_t lesson,
                     size_t bytes, int flags);
void session_announce(struct session *session);

/* For the listener: sleeps until a talker has come. Exits 3 where none comes within the timeout. */
void session_await_talker(struct session *session);

/* For the talker: blocks SIGUSR1, finds the listener's segment, attaches it, writes our PID there
 * and signals the listener. Returns the address of the lesson's struct. Exits 3 where no listener
 * is there, 1 where the segment is not of this lesson, 4 where another talker came first. */
void *session_join(struct session *session, const struct options *options, uint32_t lesson,
                   size_t bytes);

/* For a talker with --wait: sleeps until a segment of ours is there. Exits 3 where none comes
 * within the timeout. */
void session_await_listener(const struct options *options);

/* ---- take steps ---- */

/* Takes the lesson to `step` (release), and signals the peer. */
void session_advance(struct session *session, int step);

/* Sleeps until the lesson has come to `step`. Exits 3 where the peer goes away or takes too long,
 * and 0 where the peer says that the lesson is not possible on this machine. */
void session_await(struct session *session, int step);

/* The same with signals still blocked: for a moment at which the peer does something to us. */
void session_await_blocked(struct session *session, int step);

/* Sleeps until the kernel counts at most `most` attachments of the segment (shm_nattch): for a peer
 * that leaves on purpose. Exits 3 where that takes too long. */
void session_await_attached(struct session *session, unsigned long most);

/* Sleeps until `fd` can be read, and reads what a child of ours wrote. Exits as session_await does.
 * Returns what read(2) returns. */
ssize_t session_read(struct session *session, int fd, void *bytes, size_t most);

/* Lets time pass, where time is what the lesson is about. Exits 3 where the peer goes away. */
void session_nap(const struct session *session, double seconds);

/* For a wait for anything else: the wait, and one sleep of it, in a loop that looks each time.
 * Exits as session_await does. */
struct wait session_wait(const struct session *session);
void session_sleep(const struct session *session, struct wait *wait);

/* After a wait of the lesson's own that did not end with WAIT_LOOK: exits as session_await does. */
_Noreturn void session_give_up(const struct session *session, enum wait_result why);

/* ---- part ---- */

/* Detaches. The listener removes the segment before that. */
void session_part(struct session *session);

/* Prints "skipped: ...", says it to the peer as well, parts, and exits 0: the lesson is not
 * possible on this machine. */
_Noreturn void session_skip(struct session *session, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* In a lesson, these calls are narrated with its line, too. (lesson.h comes first there.) */
#ifdef LESSON_H
#define session_open(...)           HERE(session_open(__VA_ARGS__))
#define session_create(...)         HERE(session_create(__VA_ARGS__))
#define session_announce(...)       HERE(session_announce(__VA_ARGS__))
#define session_await_talker(...)   HERE(session_await_talker(__VA_ARGS__))
#define session_join(...)           HERE(session_join(__VA_ARGS__))
#define session_await_listener(...) HERE(session_await_listener(__VA_ARGS__))
#define session_advance(...)        HERE(session_advance(__VA_ARGS__))
#define session_await(...)          HERE(session_await(__VA_ARGS__))
#define session_await_blocked(...)  HERE(session_await_blocked(__VA_ARGS__))
#define session_await_attached(...) HERE(session_await_attached(__VA_ARGS__))
#define session_read(...)           HERE(session_read(__VA_ARGS__))
#define session_nap(...)            HERE(session_nap(__VA_ARGS__))
#define session_wait(...)           HERE(session_wait(__VA_ARGS__))
#define session_sleep(...)          HERE(session_sleep(__VA_ARGS__))
#define session_give_up(...)        HERE(session_give_up(__VA_ARGS__))
#define session_part(...)           HERE(session_part(__VA_ARGS__))
#define session_skip(...)           HERE(session_skip(__VA_ARGS__))
#endif

#endif
