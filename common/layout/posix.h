/* posix.h - what the two handshakes share when the memory is POSIX's. */
#ifndef LAYOUT_POSIX_H
#define LAYOUT_POSIX_H

#include "head.h"

#define POSIX_LESSON SEGMENT_LESSON('p', 'o', 's', 'x')

/* An object has no creator and no owner that the kernel would name: the listener writes its PID. */
struct object_head {
    struct segment_head head; /* the magic, stored last */
    _Atomic int creator;      /* the listener's PID, as it says; 0: not written yet */
};

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
