/* turn.h - a record of two halves, and the word that says which side may touch it. */
#ifndef LAYOUT_TURN_H
#define LAYOUT_TURN_H

#include "head.h"

#define TURN_LESSON SEGMENT_LESSON('t', 'u', 'r', 'n')

enum { ROUNDS = 3 };

enum {
    MET,
    HALF_WRITTEN, /* the talker has stopped in the middle of writing */
    LOOKED,       /* the listener has looked meanwhile */
    WRITTEN,
    HALF_READ, /* the listener has stopped in the middle of reading */
    TRIED,     /* the talker has tried to write meanwhile */
    READ,
};
enum { TALKER, LISTENER };
#define TURN_VALUES                                                                                \
    "step: MET HALF_WRITTEN LOOKED WRITTEN HALF_READ TRIED READ SESSION_SKIPPED=-1; "              \
    "turn: TALKER LISTENER"

/* Only the side that has the turn may touch the record or pass the turn. So no two accesses of the
 * record happen at the same time, and its halves need not be atomic. */
struct turn {
    struct session_head session;
    _Atomic int turn; /* TALKER or LISTENER */
    int left, right;  /* the record: both halves hold its number */
};

#endif
