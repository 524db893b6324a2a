/* inherit.h - what the listener and its children do, and the talker counts from outside. */
#ifndef LAYOUT_INHERIT_H
#define LAYOUT_INHERIT_H

#include "head.h"

#define INHERIT_LESSON SEGMENT_LESSON('i', 'n', 'h', 'e')

/* The listener takes each of these steps. The talker counts, and takes the step that follows. */
enum {
    INHERIT_TWICE = 1,  /* attached twice */
    INHERIT_FORKED = 3, /* there is a child */
    INHERIT_EXECED = 5, /* the child runs another program */
    INHERIT_AGAIN = 7,  /* there is another child */
    INHERIT_EXITED = 9, /* it has exited, without shmdt */
    INHERIT_ONCE = 11,  /* detached once */
    INHERIT_GONE = 13,  /* detached again */
};
#define INHERIT_VALUES                                                                             \
    "step: MET INHERIT_TWICE COUNTED INHERIT_FORKED COUNTED INHERIT_EXECED COUNTED "               \
    "INHERIT_AGAIN COUNTED INHERIT_EXITED COUNTED INHERIT_ONCE COUNTED INHERIT_GONE COUNTED"

struct inherit {
    struct session_head session;
    _Atomic int shmid; /* of the family's segment */
};

#endif
