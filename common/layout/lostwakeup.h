/* lostwakeup.h - one word that is said between the listener's check and its sleep. */
#ifndef LAYOUT_LOSTWAKEUP_H
#define LAYOUT_LOSTWAKEUP_H

#include "head.h"

#define LOSTWAKEUP_LESSON SEGMENT_LESSON('l', 'o', 's', 't')

enum { MET, IN_WINDOW, SIGNALLED, WOKEN };
enum { NOTHING, SAID };
#define LOSTWAKEUP_VALUES                                                                          \
    "step: MET IN_WINDOW SIGNALLED WOKEN SESSION_SKIPPED=-1; word: NOTHING SAID"

struct lostwakeup {
    struct session_head session;
    _Atomic int word; /* NOTHING or SAID: the listener waits for SAID */
};

#endif
