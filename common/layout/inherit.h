/* inherit.h - what the listener and its children do, and the talker counts from outside. */
#ifndef LAYOUT_INHERIT_H
#define LAYOUT_INHERIT_H

#include "head.h"

#define INHERIT_LESSON SEGMENT_LESSON('i', 'n', 'h', 'e')

/* Each is the listener's. The talker counts, and goes to the step after it, which is its own. */
enum {
    INHERIT_TWICE = 1,  /* attached twice */
    INHERIT_FORKED = 3, /* a child is there */
    INHERIT_EXECED = 5, /* it runs another program */
    INHERIT_AGAIN = 7,  /* another child is there */
    INHERIT_EXITED = 9, /* it has exited, without shmdt */
    INHERIT_ONCE = 11,  /* detached once */
    INHERIT_GONE = 13,  /* detached again */
};

struct inherit {
    struct session_head session;
    _Atomic int shmid; /* of the family's segment */
};

#endif
