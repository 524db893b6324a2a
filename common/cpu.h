/* cpu.h - on which CPU a process runs, where the system lets it choose (Linux). */
#ifndef CPU_H
#define CPU_H

#include <stdbool.h>

/* The `nth` CPU, from 0, of those that this process may run on. -1: there are not so many, or the
 * system does not say. */
int cpu_nth(int nth);

/* From now on this process runs on `cpu` alone. Returns 0, or -1 with errno (EINVAL: it may not, or
 * there is no such CPU; ENOSYS: this system does not let us choose). */
int cpu_pin(int cpu);

/* Whether this process may run on one CPU only. */
bool cpu_only_one(void);

/* The CPU that we run on at this moment, counted from 1; 0: the system does not say. */
int cpu_current(void);

#endif
