/* noreserve.h - a segment that is larger than the memory. */
#ifndef LAYOUT_NORESERVE_H
#define LAYOUT_NORESERVE_H

#include "head.h"

#define NORESERVE_LESSON SEGMENT_LESSON('n', 'o', 'r', 's')

enum { NORESERVE_PAGES = 512 }; /* so many of its pages are touched */

enum { NORESERVE_TOUCHED = 1, NORESERVE_TOUCHED_TOO, NORESERVE_OVER };
#define NORESERVE_VALUES                                                                           \
    "step: MET NORESERVE_TOUCHED NORESERVE_TOUCHED_TOO NORESERVE_OVER SESSION_SKIPPED=-1"

struct noreserve {
    struct session_head session;
    _Atomic int shmid; /* of the large segment */
};

#endif
