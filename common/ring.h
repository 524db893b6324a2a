/* ring.h - where the slots of a stream lie, behind the struct in the segment (layout/stream.h).
 *
 * Each slot begins on a page boundary: there the kernel copies fastest, in read(2) as in write(2).
 */
#ifndef RING_H
#define RING_H

#include "layout/stream.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The ring as one side knows it: what the segment says of it is copied once, and checked. */
struct ring {
    char *first; /* slot */
    size_t slots, slot_size;
};

/* A page of memory, in bytes. */
size_t ring_page(void);

/* How many bytes the segment needs for so many slots of that size. 0: more than this program can
 * address. */
size_t ring_bytes(uint64_t slots, uint64_t slot_size);

/* Sets the ring in a segment of `size` bytes. Returns false if such slots do not fit there, or if
 * there is no such ring: numbers from the segment may be anything. */
bool ring_place(struct ring *ring, struct stream *stream, size_t size, uint64_t slots,
                uint64_t slot_size);

/* The slot in which number `count` is, if they are counted from 0 without end. */
char *ring_slot(const struct ring *ring, uint64_t count);

#endif
