/* private.h - the id of a segment that has no key. */
#ifndef LAYOUT_PRIVATE_H
#define LAYOUT_PRIVATE_H

#include "head.h"

#define PRIVATE_LESSON SEGMENT_LESSON('p', 'r', 'i', 'v')

enum {
    PRIVATE_MET,
    PRIVATE_CREATED, /* the listener has created two segments without a key */
    PRIVATE_FOUND,   /* the talker has attached one of them by its id */
};
#define PRIVATE_VALUES "step: PRIVATE_MET PRIVATE_CREATED PRIVATE_FOUND"

struct private_id {
    struct session_head session;
    _Atomic int shmid; /* the listener's second segment; in it stands the listener's PID */
};

#endif
