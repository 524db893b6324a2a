/* crash.h - a listener that is killed in the middle of its answer, and the one that follows it. */
#ifndef LAYOUT_CRASH_H
#define LAYOUT_CRASH_H

#include "head.h"

#define CRASH_LESSON SEGMENT_LESSON('c', 'r', 's', 'h')

enum { CRASH_TEXT = 64 };

enum { CRASH_SAID = 1, CRASH_ANSWERED };
#define CRASH_VALUES "step: MET CRASH_SAID CRASH_ANSWERED SESSION_SKIPPED=-1"

struct crash {
    struct session_head session;
    _Atomic int starter; /* the PID of the process that will start the next listener */
    alignas(8) _Atomic long long killed_at; /* when the first listener died, by clock_now */
    char text[CRASH_TEXT];                  /* what the talker said */
    char answer[CRASH_TEXT];                /* the answer, but only when `step` is CRASH_ANSWERED */
};

#endif
