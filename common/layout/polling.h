/* polling.h - one message for a listener that looks all the time, and one for one that sleeps. */
#ifndef LAYOUT_POLLING_H
#define LAYOUT_POLLING_H

#include "head.h"

#define POLLING_LESSON SEGMENT_LESSON('p', 'o', 'l', 'l')

enum { POLLING_TEXT = 1024 };

/* The listener takes the lesson to each step. */
enum {
    POLLING_LOOKED = 1, /* often enough: the talker may say the first message */
    POLLING_SLEEPS,     /* the talker may say the second, after the same time */
    POLLING_HEARD,      /* both */
};
#define POLLING_VALUES "step: MET POLLING_LOOKED POLLING_SLEEPS POLLING_HEARD"

struct polling {
    struct session_head session;
    _Atomic int waited;      /* how long the listener polled, in milliseconds */
    _Atomic int said;        /* how many messages the talker has stored so far */
    char text[POLLING_TEXT]; /* a string: the last message */
};

#endif
