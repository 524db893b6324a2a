/* cpu.c - on which CPU we run; see cpu.h. */
#if defined(__linux__)
#define _GNU_SOURCE /* sched_setaffinity, sched_getcpu */
#include <sched.h>
#endif
#include "cpu.h"

#include <errno.h>
#include <unistd.h>

#if defined(__linux__)

int cpu_nth(int nth)
{
    cpu_set_t allowed;
    if (nth < 0 || sched_getaffinity(0, sizeof allowed, &allowed) == -1)
        return -1;
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET((unsigned)cpu, &allowed) && nth-- == 0)
            return cpu;
    return -1;
}

int cpu_pin(int cpu)
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

bool cpu_only_one(void)
{
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) == 0)
        return CPU_COUNT(&allowed) == 1;
    return sysconf(_SC_NPROCESSORS_ONLN) == 1;
}

int cpu_current(void)
{
    return sched_getcpu() + 1;
}

#else

int cpu_nth(int nth)
{
    (void)nth;
    return -1;
}

int cpu_pin(int cpu)
{
    (void)cpu;
    errno = ENOSYS;
    return -1;
}

bool cpu_only_one(void)
{
    return sysconf(_SC_NPROCESSORS_ONLN) == 1;
}

int cpu_current(void)
{
    return 0;
}

#endif
