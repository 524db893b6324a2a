/* stream.h - what the two sides of the stream share: a ring of slots, and two numbers.
 *
 *     struct stream            slot 0     slot 1     ...           slot slots-1
 *     head, tail, lengths |    page       page       page          page
 *
 * The talker fills slot `head % slots`, stores its length, and then head + 1. The listener empties
 * slot `tail % slots`, and then stores tail + 1. Both numbers only grow, and 64 bits do not run
 * out. head == tail: no slot is filled. head - tail == slots: no slot is free.
 *
 * A slot of length 0 is the end, as for read(2). The stream is complete when the listener has
 * counted past that slot as well: by then it has written all of the data.
 */
#ifndef LAYOUT_STREAM_H
#define LAYOUT_STREAM_H

#include "doorbell.h"
#include "head.h"

#include <stdint.h>

#define STREAM_LESSON SEGMENT_LESSON('s', 't', 'r', 'm')

enum { STREAM_LINE = 64, STREAM_MOST_SLOTS = 1024 };

/* head and tail lie on cache lines of their own. Each is written by one side, all the time, and a
 * line can be in the cache of one writer only. A side's doorbell lies with what it writes. */
struct stream {
    struct session_head session;
    alignas(8) _Atomic uint64_t slots;     /* how many; stored before the magic, */
    alignas(8) _Atomic uint64_t slot_size; /* as is their size in bytes: whole pages */

    alignas(STREAM_LINE) _Atomic uint64_t head; /* slots that the talker has filled */
    struct doorbell talker;
    alignas(8) _Atomic uint64_t expected; /* bytes that will come, for the progress; 0: not known */

    alignas(STREAM_LINE) _Atomic uint64_t tail; /* slots that the listener has emptied */
    struct doorbell listener;
    _Atomic int refused; /* errno with which the listener's write failed */

    alignas(STREAM_LINE) _Atomic uint64_t length[STREAM_MOST_SLOTS]; /* 0: the end */
};

#endif
