/* counter.h - the wire of the notes' counter and show_counter.
 *
 * The key is the number 9527. The counter stores the next number at each interval, without a
 * signal.
 */
#ifndef LAYOUT_COUNTER_H
#define LAYOUT_COUNTER_H

#include <limits.h>

enum { COUNTER_KEY = 9527, COUNTER_SIZE = 1024 };

struct counter {
    _Atomic char text[COUNTER_SIZE]; /* a number as a string */
};

#endif
