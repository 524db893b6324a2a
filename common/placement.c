/* placement.c - on which CPU we run; see placement.h. */
#if defined(__linux__)
#define _GNU_SOURCE /* sched_setaffinity */
#include <sched.h>
#endif
#include "placement.h"

#include <errno.h>

#if defined(__linux__)

int placement_nth(int nth)
{
    cpu_set_t allowed;
    if (nth < 0 || sched_getaffinity(0, sizeof allowed, &allowed) == -1)
        return -1;
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET((unsigned)cpu, &allowed) && nth-- == 0)
            return cpu;
    return -1;
}

int placement_pin(int cpu)
{
    if (cpu < 0 || cpu >= CPU_SETSIZE) {
        errno = EINVAL;
        return -1;
    }
    cpu_set_t only;
    CPU_ZERO(&only);
    CPU_SET((unsigned)cpu, &only);
    return sched_setaffinity(0, sizeof only, &only);
}

#else

int placement_nth(int nth)
{
    (void)nth;
    return -1;
}

int placement_pin(int cpu)
{
    (void)cpu;
    errno = ENOSYS;
    return -1;
}

#endif
