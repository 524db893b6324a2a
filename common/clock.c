/* clock.c - see clock.h. */
#include "clock.h"

#include <time.h>

long long clock_now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (long long)time.tv_sec * 1000000000 + time.tv_nsec;
}
