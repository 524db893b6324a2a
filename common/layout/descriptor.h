/* descriptor.h - one word, for which the talker waits. */
#ifndef LAYOUT_DESCRIPTOR_H
#define LAYOUT_DESCRIPTOR_H

#include "head.h"

#define DESCRIPTOR_LESSON SEGMENT_LESSON('d', 'e', 's', 'c')

enum {
    DESCRIPTOR_MET,
    DESCRIPTOR_TRIED,   /* the talker has tried to wait as for a descriptor */
    DESCRIPTOR_WRITTEN, /* the listener has written the word */
    DESCRIPTOR_OVER,
};
#define DESCRIPTOR_VALUES "step: DESCRIPTOR_MET DESCRIPTOR_TRIED DESCRIPTOR_WRITTEN DESCRIPTOR_OVER"

struct descriptor {
    struct session_head session;
    _Atomic int word; /* the listener's PID, stored before DESCRIPTOR_WRITTEN */
};

#endif
