/* torn.h - a record of two halves that belong together, and the number that says so. */
#ifndef LAYOUT_TORN_H
#define LAYOUT_TORN_H

#include "head.h"

#define TORN_LESSON SEGMENT_LESSON('t', 'o', 'r', 'n')

enum { ROUNDS = 3 };

enum {
    MET,
    HALF_WRITTEN, /* the talker has stopped in the middle of writing */
    LOOKED,       /* the listener has read meanwhile */
    WRITTEN,
    HALF_READ, /* the listener has stopped in the middle of reading */
    REWRITTEN, /* the talker has written meanwhile */
    READ,
};
#define TORN_VALUES                                                                                \
    "step: MET HALF_WRITTEN LOOKED WRITTEN HALF_READ REWRITTEN READ SESSION_SKIPPED=-1"

struct torn {
    struct session_head session;
    _Atomic unsigned sequence; /* odd while the record is being written */
    _Atomic int left, right;   /* the record: both halves hold its number */
};

#endif
