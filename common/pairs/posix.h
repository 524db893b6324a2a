/* posix.h - what the two handshakes share when the memory is POSIX's. */
#ifndef PAIRS_POSIX_H
#define PAIRS_POSIX_H

#include "../object.h"

#define POSIX_LESSON SEGMENT_LESSON('p', 'o', 's', 'x')

enum { POSIX_TEXT = 1024 };

/* How far the conversation is. The talker takes it to SAID, the listener to ANSWERED. */
enum { NOTHING, SAID, ANSWERED };

struct posix {
    struct object_head object; /* the magic, stored last by the listener, and the listener's PID */
    _Atomic int talker;        /* PID of the one talker, 0 before */
    _Atomic int state;
    char text[POSIX_TEXT]; /* a string: the message, then the reply */
};

#endif
