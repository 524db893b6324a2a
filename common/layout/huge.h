/* huge.h - three segments of one size, which differ by a flag. */
#ifndef LAYOUT_HUGE_H
#define LAYOUT_HUGE_H

#include "head.h"

#define HUGE_LESSON SEGMENT_LESSON('h', 'u', 'g', 'e')

enum { HUGE_TOUCHED = 1, HUGE_TOUCHED_TOO, HUGE_OVER };

enum { HUGE_PLAIN, HUGE_NORESERVE, HUGE_HUGETLB, HUGE_KINDS };

struct huge {
    struct session_head session;
    _Atomic int shmids[HUGE_KINDS]; /* -1: this one was refused */
};

#endif
