/* rmid.h - a segment that is removed while two are attached, and its successor. */
#ifndef LAYOUT_RMID_H
#define LAYOUT_RMID_H

#include "head.h"

#define RMID_LESSON SEGMENT_LESSON('r', 'm', 'i', 'd')

enum { RMID_TEXT = 64 };

enum { RMID_REMOVED = 1, RMID_SAID, RMID_ANSWERED, RMID_ANEW, RMID_COMPARED, RMID_LEAVING };

/* Both hold this: the removed segment, and the one that is created anew. */
struct rmid {
    struct session_head session;
    _Atomic int said, answered;
    char text[RMID_TEXT]; /* whose generation it is */
};

#endif
