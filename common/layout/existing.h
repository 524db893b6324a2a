/* existing.h - one message, through a segment that took the place of a stale one. */
#ifndef LAYOUT_EXISTING_H
#define LAYOUT_EXISTING_H

#include "head.h"

#define EXISTING_LESSON SEGMENT_LESSON('e', 'x', 's', 't')

enum { EXISTING_TEXT = 1024 };

enum { EXISTING_SAID = 1, EXISTING_HEARD };
#define EXISTING_VALUES "step: MET EXISTING_SAID EXISTING_HEARD"

struct existing {
    struct session_head session;
    char text[EXISTING_TEXT]; /* a string */
};

#endif
