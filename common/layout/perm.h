/* perm.h - one segment, whose mode the listener changes while others try to get in. */
#ifndef LAYOUT_PERM_H
#define LAYOUT_PERM_H

#include "head.h"

#define PERM_LESSON SEGMENT_LESSON('p', 'e', 'r', 'm')

/* The listener sets `mode`, and goes to the next step; the talker tries, and goes to the one after
 * that. */
struct perm {
    struct session_head session;
    _Atomic int mode; /* 0: that was the last */
    _Atomic int word; /* the PID of who wrote last */
};

#endif
