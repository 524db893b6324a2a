/* huge.h - two segments of one size: in small pages, and in huge ones. */
#ifndef LAYOUT_HUGE_H
#define LAYOUT_HUGE_H

#include "head.h"

#define HUGE_LESSON SEGMENT_LESSON('h', 'u', 'g', 'e')

enum { HUGE_TOUCHED = 1, HUGE_TOUCHED_TOO, HUGE_OVER };
#define HUGE_VALUES "step: MET HUGE_TOUCHED HUGE_TOUCHED_TOO HUGE_OVER SESSION_SKIPPED=-1"

struct huge {
    struct session_head session;
    _Atomic int plain;   /* a shmid */
    _Atomic int hugetlb; /* a shmid; -1: SHM_HUGETLB was refused */
};

#endif
