/* lifetime.h - a text that outlives both processes. */
#ifndef PAIRS_LIFETIME_H
#define PAIRS_LIFETIME_H

#include "../meet.h"

#define LIFETIME_LESSON SEGMENT_LESSON('l', 'i', 'f', 'e')

enum { LIFETIME_TEXT = 64 };

enum {
    LIFETIME_WRITTEN = 1,
    LIFETIME_LOOKED,
    LIFETIME_LEAVING, /* the listener will leave everything as it is */
    LIFETIME_HEIR,    /* and the talker will remove it */
};

struct lifetime {
    struct meet_head meet;
    char text[LIFETIME_TEXT];
};

#endif
