/* lostwakeup.h - one word that is said in the window between a check and a sleep. */
#ifndef PAIRS_LOSTWAKEUP_H
#define PAIRS_LOSTWAKEUP_H

#include "../meet.h"

#define LOSTWAKEUP_LESSON SEGMENT_LESSON('l', 'o', 's', 't')

enum { LOSTWAKEUP_IN_WINDOW = 1, LOSTWAKEUP_RUNG, LOSTWAKEUP_WOKEN };

struct lostwakeup {
    struct meet_head meet;
    _Atomic int said; /* what the listener waits for: 1 */
};

#endif
