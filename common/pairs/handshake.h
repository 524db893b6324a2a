/* handshake.h - what the two handshakes share: one message, one reply. */
#ifndef PAIRS_HANDSHAKE_H
#define PAIRS_HANDSHAKE_H

#include "../segment.h"

#define HANDSHAKE_LESSON SEGMENT_LESSON('h', 'a', 'n', 'd')

enum { HANDSHAKE_VERSION = 1, HANDSHAKE_TEXT = 1024 };

/* How far the conversation is. The talker takes it to SAID, the listener to ANSWERED. */
enum { NOTHING, SAID, ANSWERED };

struct handshake {
    struct segment_head head; /* the magic, stored last by the listener */
    _Atomic int talker;       /* PID of the one talker, 0 before; the kernel tells the listener's */
    _Atomic int state;
    char text[HANDSHAKE_TEXT]; /* a string: the message, then the reply */
};

#endif
