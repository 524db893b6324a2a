/* unready.h - a signal that comes before the listener is ready for it. */
#ifndef LAYOUT_UNREADY_H
#define LAYOUT_UNREADY_H

#include "head.h"

#define UNREADY_LESSON SEGMENT_LESSON('u', 'n', 'r', 'd')

enum { UNREADY_TAKEN = 1 };

struct unready {
    struct session_head session;
    _Atomic int taken; /* how many signals the listener's handler has taken by then */
};

#endif
