/* lifetime.h - a text that outlives both processes. */
#ifndef LAYOUT_LIFETIME_H
#define LAYOUT_LIFETIME_H

#include "head.h"

#define LIFETIME_LESSON SEGMENT_LESSON('l', 'i', 'f', 'e')

enum { LIFETIME_TEXT = 64 };

enum {
    MET,
    WRITTEN, /* the listener will leave the segment as it is */
    HEIR,    /* the talker will remove it */
};
#define LIFETIME_VALUES "step: MET WRITTEN HEIR SESSION_SKIPPED=-1"

struct lifetime {
    struct session_head session;
    char text[LIFETIME_TEXT];
};

#endif
