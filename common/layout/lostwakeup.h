/* lostwakeup.h - one word that is said in the window between a check and a sleep. */
#ifndef LAYOUT_LOSTWAKEUP_H
#define LAYOUT_LOSTWAKEUP_H

#include "head.h"

#define LOSTWAKEUP_LESSON SEGMENT_LESSON('l', 'o', 's', 't')

enum { LOSTWAKEUP_IN_WINDOW = 1, LOSTWAKEUP_RUNG, LOSTWAKEUP_WOKEN };

struct lostwakeup {
    struct session_head session;
    _Atomic int said; /* what the listener waits for: 1 */
};

#endif
