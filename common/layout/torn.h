/* torn.h - a record of two halves that must agree, and what tells whether they do. */
#ifndef LAYOUT_TORN_H
#define LAYOUT_TORN_H

#include "head.h"

#define TORN_LESSON SEGMENT_LESSON('t', 'o', 'r', 'n')

enum { TORN_ROUNDS = 3 };

enum {
    TORN_HALF_WRITTEN = 1, /* the talker stands still in the middle of writing */
    TORN_LOOKED,
    TORN_WRITTEN,
    TORN_HALF_READ, /* the listener stands still in the middle of reading */
    TORN_TRIED,     /* the talker has written meanwhile, if it may */
    TORN_READ,
};

struct torn {
    struct session_head session;
    _Atomic unsigned sequence; /* odd while the record is being written */
    _Atomic int turn;          /* PID of whoever may touch the record; 0: nobody asks */
    _Atomic int left, right;   /* the record: both halves hold its number */
};

#endif
