/* huge.h - three segments of one size, which differ by a flag. */
#ifndef PAIRS_HUGE_H
#define PAIRS_HUGE_H

#include "../meet.h"

#define HUGE_LESSON SEGMENT_LESSON('h', 'u', 'g', 'e')

enum { HUGE_TOUCHED = 1, HUGE_TOUCHED_TOO, HUGE_OVER };

enum { HUGE_PLAIN, HUGE_NORESERVE, HUGE_HUGETLB, HUGE_KINDS };

struct huge {
    struct meet_head meet;
    _Atomic int shmids[HUGE_KINDS]; /* -1: this one was refused */
};

#endif
