/* handshake.h - what the two handshakes share: one message, one reply. */
#ifndef LAYOUT_HANDSHAKE_H
#define LAYOUT_HANDSHAKE_H

#include "head.h"

#define HANDSHAKE_LESSON SEGMENT_LESSON('h', 'a', 'n', 'd')

enum { HANDSHAKE_VERSION = 1, HANDSHAKE_TEXT = 1024 };

/* How far the conversation is. The talker takes it to SAID, the listener to ANSWERED. */
enum { NOTHING, SAID, ANSWERED };
#define HANDSHAKE_VALUES "state: NOTHING SAID ANSWERED"

struct handshake {
    struct segment_head head;  /* the magic, stored last by the listener */
    _Atomic int talker;        /* the talker's PID; 0: no talker yet */
    _Atomic int state;         /* NOTHING, SAID or ANSWERED */
    char text[HANDSHAKE_TEXT]; /* a string: first the message, then the reply */
};

#endif
