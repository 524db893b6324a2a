/* limits.h - the system's limits, as the kernel reported them to the listener. */
#ifndef LAYOUT_LIMITS_H
#define LAYOUT_LIMITS_H

#include "head.h"

#define LIMITS_LESSON SEGMENT_LESSON('l', 'i', 'm', 'i')

enum {
    LIMITS_MET,
    LIMITS_REPORTED, /* the listener has stored its limits */
    LIMITS_COMPARED, /* the talker has compared them with its own */
    LIMITS_OVER,
};
#define LIMITS_VALUES                                                                              \
    "step: LIMITS_MET LIMITS_REPORTED LIMITS_COMPARED LIMITS_OVER SESSION_SKIPPED=-1"

struct limits {
    struct session_head session;
    _Atomic int bits; /* of the listener's `long`: 32 or 64 */
    uint64_t shmmni, shmmax, shmall;
};

#endif
