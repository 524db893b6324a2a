/* pages.h - bytes beyond the size of a segment. */
#ifndef LAYOUT_PAGES_H
#define LAYOUT_PAGES_H

#include "head.h"

#define PAGES_LESSON SEGMENT_LESSON('p', 'a', 'g', 'e')

enum { PAGES_STORED = 1, PAGES_READ, PAGES_OVER };
#define PAGES_VALUES "step: MET PAGES_STORED PAGES_READ PAGES_OVER"

/* What the listener stores beyond the size: in the first byte, and in the last of the page. */
enum { PAGES_FIRST = 'F', PAGES_LAST = 'L' };

struct pages {
    struct session_head session;
};

#endif
