/* offset.h - one list in shared memory, linked twice: by pointers, and by offsets. */
#ifndef LAYOUT_OFFSET_H
#define LAYOUT_OFFSET_H

#include "head.h"

#include <stddef.h>
#include <stdint.h>

#define OFFSET_LESSON SEGMENT_LESSON('o', 'f', 'f', 's')

enum { OFFSET_NODES = 8, OFFSET_WORD = 12 };

enum { OFFSET_PLACED = 1, OFFSET_LINKED, OFFSET_WALKED };

struct offset_node {
    struct offset_node *pointer; /* THE MISTAKE: to the next node, where the talker has it */
    uint32_t offset;             /* of the next node, from the segment's first byte; 0: no more */
    char word[OFFSET_WORD];
};

struct offset {
    struct session_head session;
    _Atomic uintptr_t place; /* where the listener has the segment */
    struct offset_node *first_pointer;
    _Atomic uint32_t first_offset;
    struct offset_node node[OFFSET_NODES];
};

/* The node at `offset`, or NULL: an offset that was read in the segment is only a claim, and a node
 * begins at few of them. */
static inline struct offset_node *offset_node_at(struct offset *shared, uint32_t offset)
{
    size_t into = offset - offsetof(struct offset, node);
    if (into >= sizeof shared->node || into % sizeof *shared->node != 0)
        return NULL;
    return &shared->node[into / sizeof *shared->node];
}

#endif
