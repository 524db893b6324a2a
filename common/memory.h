/* memory.h - what Linux says about its memory, and how many page faults it takes to touch some. */
#ifndef MEMORY_H
#define MEMORY_H

#include <stddef.h>

/* The number in one line of /proc/meminfo (proc(5)): in KiB, or a count of pages. 0 where it cannot
 * be read. */
size_t memory_info(const char *field);

/* Stores one byte in each page of `bytes` bytes. Returns how many page faults that took without a
 * read from disk. Exits 1 where it cannot count them. */
long memory_touch(volatile char *place, size_t bytes);

#endif
