/* unready.h - a signal that comes before the listener is ready for it. */
#ifndef PAIRS_UNREADY_H
#define PAIRS_UNREADY_H

#include "../meet.h"

#define UNREADY_LESSON SEGMENT_LESSON('u', 'n', 'r', 'd')

enum { UNREADY_TAKEN = 1 };

struct unready {
    struct meet_head meet;
    _Atomic int taken; /* how many signals the listener's handler has taken by then */
};

#endif
