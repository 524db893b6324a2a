/* crash.h - a listener that is killed in the middle of its reply, and the one that comes after it.
 */
#ifndef LAYOUT_CRASH_H
#define LAYOUT_CRASH_H

#include "head.h"

#define CRASH_LESSON SEGMENT_LESSON('c', 'r', 's', 'h')

enum { CRASH_TEXT = 64 };

enum { CRASH_SAID = 1, CRASH_ANSWERED };

struct crash {
    struct session_head session;
    _Atomic int starter;         /* PID of whoever will start a listener again */
    _Atomic long long killed_at; /* when the listener died, by clock_now */
    char text[CRASH_TEXT];       /* what the talker said */
    char answer[CRASH_TEXT];     /* not to be believed before ANSWERED */
};

#endif
