/* offset.h - one list in shared memory, linked twice: by pointers, and by offsets. */
#ifndef LAYOUT_OFFSET_H
#define LAYOUT_OFFSET_H

#include "head.h"

#define OFFSET_LESSON SEGMENT_LESSON('o', 'f', 'f', 's')

enum { OFFSET_NODES = 8, OFFSET_WORD = 12 };

enum { OFFSET_LINKED = 1, OFFSET_WALKED };
#define OFFSET_VALUES "step: MET OFFSET_LINKED OFFSET_WALKED"

struct offset_node {
    struct offset_node *pointer; /* THE MISTAKE: to the next node, where the talker has it */
    uint32_t offset;             /* of the next node, from the segment's first byte; 0: no more */
    char word[OFFSET_WORD];
};

struct offset {
    struct session_head session;
    _Atomic int pointer_size; /* sizeof(void *) of the listener: what follows depends on it */
    alignas(8) _Atomic unsigned long long place; /* where the listener has the segment */
    struct offset_node *first_pointer;
    _Atomic uint32_t first_offset;
    struct offset_node node[OFFSET_NODES];
};

#endif
