/* counter.h - a number as text, which the notes' programs know, and a bell behind it, which they do
 * not.
 *
 * The key is 9527, the segment 1024 bytes. The talker counts: it writes "%d" at the beginning. A
 * watcher that wants to be rung leaves its PID in the bell, and the talker then tells each number
 * with a signal, and waits until it was seen:
 *
 *     talker: text, tick + 1, ring -------> listener: reads the text, seen = tick, ring
 */
#ifndef LAYOUT_COUNTER_H
#define LAYOUT_COUNTER_H

#include "head.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNTER_LESSON SEGMENT_LESSON('c', 'n', 't', 'r')

enum { COUNTER_KEY = 9527, COUNTER_SIZE = 1024, COUNTER_TEXT = 960, COUNTER_DIGITS = 10 };

enum {
    COUNTER_MIDDLE = 1, /* the talker has counted before anybody looked */
    COUNTER_LOOKED,     /* the listener has looked twice */
    COUNTER_AHEAD,      /* the talker has counted on while nobody looked */
    COUNTER_RING,       /* the listener wants to be rung */
};

struct counter {
    char text[COUNTER_TEXT];
    struct session_head session;
    _Atomic int watcher; /* PID of a listener of ours, 0: there is none */
    _Atomic int tick;    /* how many numbers the talker has told with a signal */
    _Atomic int seen;    /* the last tick that the listener has seen */
};

_Static_assert(sizeof(struct counter) <= COUNTER_SIZE, "the bell has its place behind the text");

enum { COUNTER_NOTHING = -1, COUNTER_STRANGE = -2 };

/* The number that lies there; or nothing does, or something that is no number. */
static inline int counter_number(const char *text)
{
    char digits[COUNTER_DIGITS + 1] = "";
    memcpy(digits, text, COUNTER_DIGITS);
    if (digits[0] == '\0')
        return COUNTER_NOTHING;
    size_t length = strlen(digits);
    bool is_number = strspn(digits, "0123456789") == length && length < COUNTER_DIGITS;
    return is_number ? atoi(digits) : COUNTER_STRANGE;
}

/* Attaches a segment that can be a counter's. A segment that one of the notes' programs has made
 * carries no magic to go by, so this is all that can be asked: its size, its owner, and that it
 * holds a number or nothing. Returns NULL where it does not. */
static inline struct counter *counter_attach(int shmid, const struct shmid_ds *about)
{
    const struct ipc_perm *perm = &about->shm_perm;
    if (about->shm_segsz != COUNTER_SIZE || perm->uid != geteuid() || perm->cuid != geteuid())
        return NULL;
    struct counter *counter = sys_shmat(shmid, NULL, 0);
    if (counter == (void *)-1)
        return NULL;
    if (counter_number(counter->text) != COUNTER_STRANGE)
        return counter;
    if (sys_shmdt(counter) == -1)
        warn("shmdt(%p)", (void *)counter);
    return NULL;
}

_Noreturn static inline void counter_refuse(long key, int shmid, const struct shmid_ds *about)
{
    errx(1,
         "key %#lx belongs to a foreign segment (shmid %d, %zu bytes, no counter's), left as it "
         "is: choose another --key",
         key, shmid, (size_t)about->shm_segsz);
}

/* Has a segment of ours removed when we exit, whichever of us has made it: the other one may be
 * killed. One that the notes' programs have made is theirs. Returns whether it is ours. */
static inline bool counter_adopt(const struct counter *counter, int shmid)
{
    if (observe(&counter->session.head.magic) != SEGMENT_MAGIC)
        return false;
    segment_forget(shmid);
    segment_remove_at_exit(shmid);
    return true;
}

#endif
