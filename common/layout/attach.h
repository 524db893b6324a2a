/* attach.h - where the listener has the segment. */
#ifndef LAYOUT_ATTACH_H
#define LAYOUT_ATTACH_H

#include "head.h"

#define ATTACH_LESSON SEGMENT_LESSON('a', 't', 't', 'a')

enum { ATTACH_PLACED = 1, ATTACH_COMPARED };
#define ATTACH_VALUES "step: MET ATTACH_PLACED ATTACH_COMPARED"

struct attach {
    struct session_head session;
    alignas(8) _Atomic unsigned long long place; /* an address has 32 or 64 bits; this takes both */
};

#endif
