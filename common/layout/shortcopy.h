/* shortcopy.h - one message, and its length. */
#ifndef LAYOUT_SHORTCOPY_H
#define LAYOUT_SHORTCOPY_H

#include "head.h"

#define SHORTCOPY_LESSON SEGMENT_LESSON('c', 'o', 'p', 'y')

enum { SHORTCOPY_TEXT = 1024 };

enum { SHORTCOPY_SAID = 1, SHORTCOPY_HEARD };
#define SHORTCOPY_VALUES "step: MET SHORTCOPY_SAID SHORTCOPY_HEARD"

struct shortcopy {
    struct session_head session;
    _Atomic unsigned length;   /* of the text, in bytes */
    char text[SHORTCOPY_TEXT]; /* no NUL at its end */
};

#endif
