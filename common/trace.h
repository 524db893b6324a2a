/* trace.h - narrate a run: on stderr for the class (-v, -x, --step), in a file for scripts (-T).
 *
 * Nothing is narrated unless the command line asked for it. Then each system call of a lesson, each
 * signal that is taken, and each value that passes through the segment is one line:
 *
 *     talker[4242] # Write the text, then the state, then signal.
 *     talker[4242] publish state = SAID (1)
 *     talker[4242] kill(4240, SIGUSR1) = 0
 *
 * A lesson uses explain, publish, observe, copy_text_in, copy_text_out (lesson.h) and trace_point.
 * The rest is for common/. What common/ does for a lesson belongs to the explanation in force.
 */
#ifndef TRACE_H
#define TRACE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* What the command line asked for. */
struct trace_options {
    const char *program;    /* "listener-torn": opens every line */
    const char *values;     /* the names of values: "state: NOTHING SAID ANSWERED"; or NULL */
    int verbose;            /* 1: narrate on stderr. 2: the program's own start as well */
    bool explain;           /* ... with the purpose of each step above its calls */
    bool step;              /* stop before each call, publish and observe */
    const char *file;       /* write records to this file as well; NULL: do not */
    const char *hold;       /* stop once, before this point; NULL: nowhere */
    unsigned long hold_nth; /* ... when it is reached for the n-th time, from 1 */
};

/* Returns 0, or -1 with errno where the file cannot be opened (ENXIO: it is a FIFO without a
 * reader).
 */
int trace_start(const struct trace_options *options);

/* Whether anything is narrated. Where nothing is, a call or a look costs this one test. */
extern bool trace_is_on;
static inline bool tracing(void)
{
    return trace_is_on;
}

/* The line of the lesson that we have come to: the macros of lesson.h note it. */
extern struct trace_place {
    const char *file;
    int line;
    const char *why; /* the explanation in force */
} trace_place;
static inline void trace_at(const char *file, int line)
{
    trace_place.file = file;
    trace_place.line = line;
}

/* Why the next lines of the lesson are there, in one sentence. It must stay valid (a literal). */
void trace_explain(const char *why);

/* A point that the lesson names: narrated, and held where --hold asked for it. */
void trace_point(const char *name);

/* ---- words of the segment ---- */

/* publish stores VALUE in the atomic word *FIELD with release order. A process that observes this
 * value sees all that was stored before it.
 *
 * observe loads *FIELD with acquire order and returns its value, in the type of the word. A loop
 * that sees the same value again, with nothing narrated in between, does not narrate it again.
 *
 * C11, 7.17.3 and 6.5.1.1. The types below are all that our segments use. */
#define publish(field, value) TRACE_PUBLISH(#field, field, value)
#define observe(field)        TRACE_OBSERVE(#field, field)

/* publish_if stores VALUE in the _Atomic int *FIELD only if it holds *EXPECTED, in one atomic step.
 * Returns whether it did; if not, *EXPECTED is what the word holds (C11, 7.17.7.4). */
#define publish_if(field, expected, value) trace_publish_if(#field, field, expected, value)
bool trace_publish_if(const char *field, _Atomic int *at, int *expected, int value);

#define TRACE_PUBLISH(name, field, value)                                                          \
    _Generic((field),                                                                              \
        _Atomic int *: publish_int,                                                                \
        _Atomic unsigned *: publish_unsigned,                                                      \
        _Atomic long *: publish_long,                                                              \
        _Atomic unsigned long *: publish_unsigned_long,                                            \
        _Atomic long long *: publish_long_long,                                                    \
        _Atomic unsigned long long *: publish_unsigned_long_long)(name, field, value)
#define TRACE_OBSERVE(name, field)                                                                 \
    _Generic(*(field), int                                                                         \
             : observe_int, unsigned                                                               \
             : observe_unsigned, long                                                              \
             : observe_long, unsigned long                                                         \
             : observe_unsigned_long, long long                                                    \
             : observe_long_long, unsigned long long                                               \
             : observe_unsigned_long_long)(name, field)

/* For stores and loads that a lesson makes itself, with an order of its own: narrates the value. To
 * be called before the store, and after the load. */
void trace_publish(const char *field, long long value);
void trace_observe(const char *field, const volatile void *at, long long value);

/* To be called before the load: stops there with --step, unless the loop just saw this value. */
void trace_reach_observe(const char *field, const volatile void *at, long long value);

#define TRACE_WORD(type, name)                                                                     \
    static inline void publish_##name(const char *field, _Atomic type *at, type value)             \
    {                                                                                              \
        if (tracing())                                                                             \
            trace_publish(field, (long long)value);                                                \
        atomic_store_explicit(at, value, memory_order_release);                                    \
    }                                                                                              \
    static inline type observe_##name(const char *field, const _Atomic type *at)                   \
    {                                                                                              \
        if (tracing())                                                                             \
            trace_reach_observe(field, at, (long long)atomic_load(at));                            \
        type value = atomic_load_explicit(at, memory_order_acquire);                               \
        if (tracing())                                                                             \
            trace_observe(field, at, (long long)value);                                            \
        return value;                                                                              \
    }
TRACE_WORD(int, int)
TRACE_WORD(unsigned, unsigned)
TRACE_WORD(long, long)
TRACE_WORD(unsigned long, unsigned_long)
TRACE_WORD(long long, long_long)
TRACE_WORD(unsigned long long, unsigned_long_long)

/* copy_text_in copies a string to the segment's FIELD, copy_text_out copies one from there: the
 * whole field of `size` bytes, and then ends the copy with NUL, because the other process may not
 * have. The string must fit. copy_bytes_in and copy_bytes_out copy `length` bytes. */
#define copy_text_in(field, string, size)    trace_copy_text_in(#field, field, string, size)
#define copy_text_out(text, field, size)     trace_copy_text_out(#field, text, field, size)
#define copy_bytes_in(field, bytes, length)  trace_copy_bytes_in(#field, field, bytes, length)
#define copy_bytes_out(bytes, field, length) trace_copy_bytes_out(#field, bytes, field, length)

/* For bytes that a lesson copies itself: narrates them. */
void trace_publish_text(const char *field, const char *bytes, size_t length);
void trace_observe_text(const char *field, const char *bytes, size_t length);

/* The same for digits, unless the number that they stand for was the last thing narrated. */
void trace_observe_digits(const char *field, const volatile void *at, const char *digits,
                          long long number);

void trace_copy_text_in(const char *field, char *at, const char *string, size_t size);
void trace_copy_text_out(const char *field, char *text, const char *at, size_t size);
void trace_copy_bytes_in(const char *field, char *at, const char *bytes, size_t length);
void trace_copy_bytes_out(const char *field, char *bytes, const char *at, size_t length);

/* Appends a value as publish and observe show it: "SAID (1)" where `values` (see trace_options; or
 * NULL) has a name for it. */
void trace_append_value(char *text, size_t size, const char *values, const char *field,
                        long long value);

/* ---- calls, signals, lines ---- */

/* A call, "kill(4711, SIGUSR1)", is about to be made: --step and --hold stop here. Returns the time
 * at which it begins, in nanoseconds of CLOCK_MONOTONIC. */
long long trace_reach(const char *call);

/* A call that began at `began` has returned. */
void trace_call(long long began, const char *text);

/* The same for a sleep that may be taken up again: narrated once, before anything else is. */
void trace_sleep(long long began, const char *text);

/* Whether the last thing was a sleep in this call (its name is compared), and nothing was narrated
 * since. */
bool trace_still_asleep(const char *call);

/* A signal, as it was taken, and who sent it. */
void trace_signal(int signo, pid_t from);

/* A line that the program is about to print. On stderr it is not repeated. */
void trace_print(const char *line, size_t length);

/* A remark of the program about itself. */
void trace_note(const char *text);

/* How this process ends, "SIGTERM" or "exit status 0": the last record of the trace. A normal exit
 * records itself, where libc tells its status (on_exit). */
void trace_end(const char *how);

/* What follows is narrated with -vv only, until it is switched off again. */
void trace_only_if_very_verbose(bool on);

/* ---- stopping ---- */

/* From now on neither --step nor --hold stops this process. */
void trace_stop_no_more(void);

/* After each stop of --step and --hold, `obey` is called: a signal that asks us to end may have
 * come while we stood still, and it is blocked. */
void trace_obeys(void (*obey)(void));

/* The same for a process that was asked to end: it also does not wait until stderr is read. */
void trace_ending(void);

/* A word in the segment that says to our peer that we stand still on purpose (--step, --hold): it
 * holds our PID then, else 0. NULL: there is none. */
void trace_stops_to(_Atomic int *stopped);

#endif
