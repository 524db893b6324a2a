/* coalesce.h - many signals, and a number in memory that counts them. */
#ifndef LAYOUT_COALESCE_H
#define LAYOUT_COALESCE_H

#include "head.h"

#define COALESCE_LESSON SEGMENT_LESSON('c', 'o', 'a', 'l')

enum { COALESCE_SIGNALS = 1000 };

enum { COALESCE_BLOCKED = 1, COALESCE_SENT, COALESCE_COUNTED, COALESCE_QUEUED };

struct coalesce {
    struct session_head session;
    _Atomic int sequence; /* how many SIGUSR1 the talker has sent */
    _Atomic int queued;   /* how many realtime signals the kernel took from it */
};

#endif
