/* posix.h - what the two handshakes share when the memory is POSIX's. */
#ifndef LAYOUT_POSIX_H
#define LAYOUT_POSIX_H

#include "head.h"

#define POSIX_LESSON SEGMENT_LESSON('p', 'o', 's', 'x')

enum { POSIX_VERSION = 2, POSIX_TEXT = 1024 };

/* How far the conversation is. The talker takes it to SAID, the listener to ANSWERED. */
enum { NOTHING, SAID, ANSWERED };

#define POSIX_VALUES "state: NOTHING SAID ANSWERED"

struct posix {
    struct segment_head head; /* the magic, stored last by the listener */
    _Atomic int talker;       /* PID of the one talker, 0 before */
    _Atomic int state;
    char text[POSIX_TEXT]; /* a string: the message, then the reply */
};

#endif
