/* attach.h - where each of the two has the segment, and bytes that nobody has asked for. */
#ifndef LAYOUT_ATTACH_H
#define LAYOUT_ATTACH_H

#include "head.h"

#include <stdint.h>
#include <unistd.h>

#define ATTACH_LESSON SEGMENT_LESSON('a', 't', 't', 'a')

enum { ATTACH_PLACED = 1, ATTACH_COMPARED };

/* What the listener leaves beyond the size: in the first byte, and in the last of the page. */
enum { ATTACH_FIRST = 'F', ATTACH_LAST = 'L' };

struct attach {
    struct session_head session;
    _Atomic uintptr_t place; /* where the listener has it */
};

static inline size_t attach_page(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

/* What `size` bytes take in whole pages. */
static inline size_t attach_in_pages(size_t size)
{
    return (size + attach_page() - 1) / attach_page() * attach_page();
}

#endif
