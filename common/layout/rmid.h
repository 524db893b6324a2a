/* rmid.h - a segment that is removed while two processes are attached, and its successor. */
#ifndef LAYOUT_RMID_H
#define LAYOUT_RMID_H

#include "head.h"

#define RMID_LESSON SEGMENT_LESSON('r', 'm', 'i', 'd')

enum { RMID_TEXT = 64 };

enum { MET, REMOVED, SAID, ANSWERED, ANEW, COMPARED, LEAVING };
#define RMID_VALUES "step: MET REMOVED SAID ANSWERED ANEW COMPARED LEAVING SESSION_SKIPPED=-1"

/* The removed segment holds this, and so does the one that is created anew. */
struct rmid {
    struct session_head session;
    _Atomic int said, answered;
    char text[RMID_TEXT]; /* which of the two segments it is */
};

#endif
