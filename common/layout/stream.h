/* stream.h - what the two sides of the stream share: a ring of slots, and two numbers.
 *
 *     struct stream            slot 0     slot 1     ...           slot slots-1
 *     head, tail, lengths |    page       page       page          page
 *
 * The talker fills slot `head % slots`, stores its length, and then head + 1; the listener empties
 * slot `tail % slots`, and then stores tail + 1. Both only ever count up, and 64 bits do not run
 * out. head == tail: nothing to empty; head - tail == slots: no room to fill.
 *
 * A slot of length 0 is the end, as read(2) tells it. The stream is complete when the listener has
 * counted past that slot as well: it has written all by then.
 *
 * Slots begin on a page boundary: there the kernel copies fastest, in read(2) as in write(2).
 */
#ifndef LAYOUT_STREAM_H
#define LAYOUT_STREAM_H

#include "doorbell.h"
#include "head.h"

#include <stdalign.h>
#include <unistd.h>

#define STREAM_LESSON SEGMENT_LESSON('s', 't', 'r', 'm')

enum { STREAM_LINE = 64, STREAM_MOST_SLOTS = 1024, STREAM_SPIN = 0 };

/* head and tail lie on cache lines of their own: each is written by one side, all the time, and a
 * line can be in the cache of one writer only. The doorbell lies with what its side writes. */
struct stream {
    struct session_head session;
    _Atomic uint64_t slots;     /* how many; stored before the magic, */
    _Atomic uint64_t slot_size; /* as is what one holds, in bytes: whole pages */

    alignas(STREAM_LINE) _Atomic uint64_t head; /* slots that the talker has filled */
    struct doorbell talker;
    _Atomic uint64_t expected; /* bytes that will come, for show; 0: unknown */

    alignas(STREAM_LINE) _Atomic uint64_t tail; /* slots that the listener has emptied */
    struct doorbell listener;
    _Atomic int refused; /* errno with which the listener's write failed */

    alignas(STREAM_LINE) _Atomic uint64_t length[STREAM_MOST_SLOTS]; /* 0: the end */
};

/* The ring as one side knows it: what the segment says of it is copied once, and checked. */
struct stream_ring {
    char *first; /* slot */
    uint64_t slots, slot_size;
};

static inline uint64_t stream_page(void)
{
    return (uint64_t)sysconf(_SC_PAGESIZE);
}

/* Where the slots begin, counted from the segment's beginning. */
static inline uint64_t stream_begin(void)
{
    return (sizeof(struct stream) + stream_page() - 1) / stream_page() * stream_page();
}

static inline char *stream_slot(const struct stream_ring *ring, uint64_t count)
{
    return ring->first + count % ring->slots * ring->slot_size;
}

#endif
