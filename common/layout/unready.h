/* unready.h - a signal that comes before the listener has a handler for it. */
#ifndef LAYOUT_UNREADY_H
#define LAYOUT_UNREADY_H

#include "head.h"

#define UNREADY_LESSON SEGMENT_LESSON('u', 'n', 'r', 'd')

enum { MET, TAKEN };
#define UNREADY_VALUES "step: MET TAKEN SESSION_SKIPPED=-1"

struct unready {
    struct session_head session;
    _Atomic int taken; /* whether the listener's handler has taken the signal */
};

#endif
