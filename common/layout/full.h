/* full.h - nothing but a segment: the listener's child makes its own namespace full. */
#ifndef LAYOUT_FULL_H
#define LAYOUT_FULL_H

#include "head.h"

#define FULL_LESSON SEGMENT_LESSON('f', 'u', 'l', 'l')

enum {
    FULL_MET,
    FULL_REACHED, /* the listener's child has reached each limit, and its namespace is full */
    FULL_CREATED, /* the talker has created a segment all the same */
    FULL_OVER,
};
#define FULL_VALUES "step: FULL_MET FULL_REACHED FULL_CREATED FULL_OVER SESSION_SKIPPED=-1"

struct full {
    struct session_head session;
};

#endif
