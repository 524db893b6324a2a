/* errors.h - nothing but a segment, with which the talker tries what the kernel refuses. */
#ifndef LAYOUT_ERRORS_H
#define LAYOUT_ERRORS_H

#include "head.h"

#define ERRORS_LESSON SEGMENT_LESSON('e', 'r', 'r', 'o')

enum {
    ERRORS_MET,
    ERRORS_TRIED, /* the talker has tried everything */
    ERRORS_OVER,
};
#define ERRORS_VALUES "step: ERRORS_MET ERRORS_TRIED ERRORS_OVER"

struct errors {
    struct session_head session;
};

#endif
