/* lifetime.h - a text that outlives both processes. */
#ifndef LAYOUT_LIFETIME_H
#define LAYOUT_LIFETIME_H

#include "head.h"

#define LIFETIME_LESSON SEGMENT_LESSON('l', 'i', 'f', 'e')

enum { LIFETIME_TEXT = 64 };

enum {
    LIFETIME_WRITTEN = 1,
    LIFETIME_LOOKED,
    LIFETIME_LEAVING, /* the listener will leave everything as it is */
    LIFETIME_HEIR,    /* and the talker will remove it */
};

struct lifetime {
    struct session_head session;
    char text[LIFETIME_TEXT];
};

#endif
