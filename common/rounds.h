/* rounds.h - the rounds of pingpong: the message of each, how long it took, and what it cost. */
#ifndef ROUNDS_H
#define ROUNDS_H

#include "layout/pingpong.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- the message ---- */

/* Writes the message of `round`, `size` bytes that depend on the round. */
void rounds_write(struct pingpong_line *line, size_t size, uint64_t round);

/* Whether the message of `round` is there, whole. */
bool rounds_check(const struct pingpong_line *line, size_t size, uint64_t round);

/* ---- what the rounds cost one side ---- */

struct rounds_cost {
    long long cpu;      /* microseconds */
    long long switches; /* to another process, voluntary or not */
    long long signals;
};

/* What the kernel has charged this process for so far; `signals` is what we have sent. Exits 1
 * where the kernel does not say. */
struct rounds_cost rounds_cost(long signals);

/* The cost of what happened between the two. */
struct rounds_cost rounds_cost_between(struct rounds_cost before, struct rounds_cost after);

/* ---- how long each took ---- */

/* Room for the times of `count` rounds, in nanoseconds. Its pages are there, so that the kernel
 * gives us none in the middle of a round. Exits 1 where there is no memory. */
uint64_t *rounds_times(size_t count);

/* Sorts the times, and prints median, 99th percentile, minimum, and how many rounds a second. */
void rounds_say_times(uint64_t *times, size_t count);

#endif
