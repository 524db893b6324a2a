/* rdonly.h - a text that the talker writes and the listener can only read. */
#ifndef LAYOUT_RDONLY_H
#define LAYOUT_RDONLY_H

#include "head.h"

#define RDONLY_LESSON SEGMENT_LESSON('r', 'd', 'o', 'n')

enum { RDONLY_TEXT = 64 };

enum { RDONLY_ATTACHED = 1, RDONLY_SAID, RDONLY_TRIED };
#define RDONLY_VALUES "step: MET RDONLY_ATTACHED RDONLY_SAID RDONLY_TRIED"

struct rdonly {
    struct session_head session;
    char text[RDONLY_TEXT]; /* a string */
};

#endif
