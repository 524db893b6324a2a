/* ring.c - where the slots of a stream lie; see ring.h. */
#include "ring.h"

#include <unistd.h>

size_t ring_page(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

/* Where the slots begin, counted from the beginning of the segment. */
static size_t first_slot(void)
{
    size_t page = ring_page();
    return (sizeof(struct stream) + page - 1) / page * page;
}

/* PTRDIFF_MAX: C promises nothing about a larger object. */
size_t ring_bytes(uint64_t slots, uint64_t slot_size)
{
    uint64_t room = PTRDIFF_MAX - first_slot();
    if (slots == 0 || slot_size > room / slots)
        return 0;
    return first_slot() + (size_t)(slots * slot_size);
}

bool ring_place(struct ring *ring, struct stream *stream, size_t size, uint64_t slots,
                uint64_t slot_size)
{
    if (slots > STREAM_MOST_SLOTS || slot_size == 0 || slot_size % ring_page() != 0)
        return false;
    size_t needed = ring_bytes(slots, slot_size);
    *ring = (struct ring){.first = (char *)stream + first_slot(),
                          .slots = (size_t)slots,
                          .slot_size = (size_t)slot_size};
    return needed != 0 && needed <= size;
}

char *ring_slot(const struct ring *ring, uint64_t count)
{
    return ring->first + (size_t)(count % ring->slots) * ring->slot_size;
}
