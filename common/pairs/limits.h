/* limits.h - what the listener was told of the system's limits. */
#ifndef PAIRS_LIMITS_H
#define PAIRS_LIMITS_H

#include "../meet.h"

#define LIMITS_LESSON SEGMENT_LESSON('l', 'i', 'm', 'i')

enum { LIMITS_TOLD = 1, LIMITS_REFUSED, LIMITS_OVER };

struct limits {
    struct meet_head meet;
    unsigned long shmmni, shmmax, shmall; /* stored before LIMITS_TOLD */
};

#endif
