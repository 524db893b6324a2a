/* polling.h - one message for a listener that looks all the time, and one for a listener that
 * sleeps. */
#ifndef LAYOUT_POLLING_H
#define LAYOUT_POLLING_H

#include "head.h"

#define POLLING_LESSON SEGMENT_LESSON('p', 'o', 'l', 'l')

enum { POLLING_TEXT = 1024 };

/* Each is a step of the listener's. */
enum {
    POLLING_POLLS = 1,
    POLLING_LOOKED, /* often enough: the talker may speak */
    POLLING_SLEEPS,
    POLLING_HEARD, /* both messages */
};

struct polling {
    struct session_head session;
    _Atomic int waited;      /* how long the listener polled, in milliseconds */
    _Atomic int said;        /* how many messages the talker has left so far */
    _Atomic uint32_t length; /* of the last, in bytes */
    char text[POLLING_TEXT]; /* no terminating NUL */
};

#endif
