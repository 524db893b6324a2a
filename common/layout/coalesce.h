/* coalesce.h - many signals, and a number in memory that counts them. */
#ifndef LAYOUT_COALESCE_H
#define LAYOUT_COALESCE_H

#include "head.h"

#define COALESCE_LESSON SEGMENT_LESSON('c', 'o', 'a', 'l')

enum { SIGNALS = 1000 };

enum { MET, BLOCKED, SENT, COUNTED, QUEUED };
#define COALESCE_VALUES "step: MET BLOCKED SENT COUNTED QUEUED SESSION_SKIPPED=-1"

struct coalesce {
    struct session_head session;
    _Atomic int sequence; /* how many SIGUSR1 the talker has sent */
    _Atomic int queued;   /* how many realtime signals the kernel took from it */
};

#endif
