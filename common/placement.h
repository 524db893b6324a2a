/* placement.h - on which CPU a process runs, where the system lets it choose (Linux). */
#ifndef PLACEMENT_H
#define PLACEMENT_H

/* The CPU that comes `nth`, from 0, among those that this process may run on; -1: there are not so
 * many, or nobody can tell. */
int placement_nth(int nth);

/* From now on this process runs on `cpu` alone. Returns 0, or -1 with errno (EINVAL: it may not, or
 * there is no such CPU; ENOSYS: this system does not let us choose). */
int placement_pin(int cpu);

#endif
