/* perm.h - one segment, whose mode the listener changes while other users try to use it. */
#ifndef LAYOUT_PERM_H
#define LAYOUT_PERM_H

#include "head.h"

#define PERM_LESSON SEGMENT_LESSON('p', 'e', 'r', 'm')

/* The steps are numbers: to an odd step the listener goes when it has set a mode, to the even one
 * after it the talker when all users have tried. */
#define PERM_VALUES "mode: NO_MORE 0400=256 0600=384 0640=416 0666=438"

enum { NO_MORE }; /* in place of a mode: that was the last */

struct perm {
    struct session_head session;
    _Atomic int mode; /* as the listener has set it */
    _Atomic int word; /* the PID of the process that wrote last */
};

#endif
