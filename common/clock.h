/* clock.h - the clock that all measure time by. */
#ifndef CLOCK_H
#define CLOCK_H

/* Nanoseconds of CLOCK_MONOTONIC, which is the same clock for all processes of a machine, and is
 * never set (clock_gettime(2)). */
long long clock_now(void);

#endif
