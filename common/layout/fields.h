/* fields.h - nothing but the two words of a session: the lesson is about the segment itself. */
#ifndef LAYOUT_FIELDS_H
#define LAYOUT_FIELDS_H

#include "head.h"

#define FIELDS_LESSON SEGMENT_LESSON('f', 'i', 'e', 'l')

enum { MET, SHOWN, SET, SHOWN_AGAIN };
#define FIELDS_VALUES "step: MET SHOWN SET SHOWN_AGAIN SESSION_SKIPPED=-1"

struct fields {
    struct session_head session;
};

#endif
