/* limits.h - what the listener was told of the system's limits. */
#ifndef LAYOUT_LIMITS_H
#define LAYOUT_LIMITS_H

#include "head.h"

#define LIMITS_LESSON SEGMENT_LESSON('l', 'i', 'm', 'i')

enum { LIMITS_TOLD = 1, LIMITS_REFUSED, LIMITS_OVER };

struct limits {
    struct session_head session;
    unsigned long shmmni, shmmax, shmall; /* stored before LIMITS_TOLD */
};

#endif
