/* narrate.h - what a run tells about itself: on stderr for the class, in a file for a script.
 *
 * Nothing here is on unless the command line asked for it (-v, -x, -T, --step, --hold); then every
 * system call of a lesson, every signal as it is taken, and every word that passes through the
 * segment is one line:
 *
 *     talker[4242] # leave the word, then the turn, then ring: in this order
 *     talker[4242] publish turn = 4240
 *     talker[4242] kill(4240, SIGUSR1) = 0
 *
 * A lesson uses explain(), publish(), observe() and narrate_point(); the rest is for common/.
 */
#ifndef NARRATE_H
#define NARRATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* What the command line asked for. */
struct narration {
    const char *program;    /* "listener-torn": opens every line */
    bool verbose;           /* narrate on stderr */
    bool explain;           /* ... with the purpose of each step above its calls */
    bool step;              /* stop before each narrated call */
    const char *trace;      /* also write records to this file; NULL: do not */
    const char *hold;       /* stop once, before this point; NULL: nowhere */
    unsigned long hold_nth; /* ... when it is reached for the n-th time, from 1 */
};

/* Starts narrating as `how` says. Returns 0, or -1 with errno where the trace cannot be opened. */
int narrate_as(const struct narration *how);

/* Why the next lines of the lesson are there, in one sentence: a comment that runs. */
void explain(const char *why);

/* A point that the lesson names: told, and held where --hold asked for it. */
void narrate_point(const char *name);

/* publish: stores VALUE in the segment's atomic *FIELD with release order, and tells it.
 * All that was stored before is seen by whoever observes this value.
 *
 * observe: loads *FIELD with acquire order, tells it, and returns it (as long long). A loop that
 * sees the same value again, with nothing told in between, is not told again. */
#define publish(field, value)                                                                      \
    AT_LESSON(atomic_store_explicit((field),                                                       \
                                    FIT_FOR(field, narrate_publish(#field, (long long)(value))),   \
                                    memory_order_release))
#define observe(field)                                                                             \
    AT_LESSON(narrate_observe(#field, (field),                                                     \
                              (long long)atomic_load_explicit((field), memory_order_acquire)))

/* VALUE in the type that *FIELD has. Of all these conversions one is chosen when it is compiled,
 * and that alone is evaluated. */
#define FIT_FOR(field, value)                                                                      \
    _Generic((field),                                                                              \
        _Atomic int *: (int)(value),                                                               \
        _Atomic unsigned *: (unsigned)(value),                                                     \
        _Atomic long *: (long)(value),                                                             \
        _Atomic unsigned long *: (unsigned long)(value),                                           \
        _Atomic long long *: (value),                                                              \
        _Atomic unsigned long long *: (unsigned long long)(value))

/* The same for bytes, which the caller copies: tells that `length` of them pass in or out. */
void narrate_publish_text(const char *field, const char *text, size_t length);
void narrate_observe_text(const char *field, const char *text, size_t length);

/* The trace names the lesson's own line, also for what common/ does on its behalf: the functions
 * that a lesson calls are wrapped in this. */
#ifdef IN_COMMON
#define AT_LESSON(call) (call)
#else
#define AT_LESSON(call) (narrate_here(__FILE__, __LINE__), call)
#endif

/* ---- for common/ ---- */

/* Which side of a pair we are: "listener" or "talker". */
const char *narrate_side(void);

/* Whether anybody listens; where nobody does, formatting can be spared. */
bool narrating(void);

/* A call is about to be made: steps or holds where asked. Returns the time at which it begins,
 * in nanoseconds of CLOCK_MONOTONIC. */
long long narrate_reach(const char *call);

/* A call that began at `began` has returned. */
void narrate_call(long long began, const char *text);

/* As narrate_call, for a sleep that may be taken up again: told once, when anything else happens.
 */
void narrate_sleep(long long began, const char *text);

/* Whether the last thing told was a sleep in this call, and nothing has happened since. */
bool narrate_still_asleep(const char *call);

/* A signal, as it was taken, and who sent it. */
void narrate_signal(int signo, pid_t from);

/* From now on neither --step nor --hold stops this process. */
void narrate_stop_no_more(void);

/* The same for one that was asked to end: nor does it wait until somebody reads its lines. */
void narrate_ending(void);

/* A word in the segment that tells our peer while we stand still on purpose (--step, --hold): it
 * holds our PID then, else 0. NULL: there is none (any more). */
void narrate_stops_to(_Atomic int *stopped);

/* Appends to text[size], which holds a string, as printf would; what does not fit is cut. */
void narrate_append(char *text, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Appends bytes as strace shows a string: quoted, escaped, cut at `most`. */
void narrate_append_quoted(char *text, size_t size, const char *bytes, size_t length, size_t most);

/* Where in the lesson's source we are. */
void narrate_here(const char *file, int line);
long long narrate_publish(const char *field, long long value); /* returns the value */
long long narrate_observe(const char *field, const volatile void *where, long long value);

#ifndef IN_COMMON
#define explain(why)        AT_LESSON(explain(why))
#define narrate_point(name) AT_LESSON(narrate_point(name))
#define narrate_publish_text(field, text, length)                                                  \
    AT_LESSON(narrate_publish_text(field, text, length))
#define narrate_observe_text(field, text, length)                                                  \
    AT_LESSON(narrate_observe_text(field, text, length))
#endif

#endif
