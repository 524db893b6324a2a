/* pingpong.h - what the two sides of pingpong share: a plan, and a line for each direction.
 *
 *     talker                                       listener
 *     the plan, step = PLANNED            ----->   reads and checks it, makes what it needs
 *                                         <-----   step = READY
 *     for each round:
 *         message, count = round, wakes   ----->
 *                                         <-----   message, count = round, wakes
 *                                         <-----   what it cost, step = COUNTED
 *
 * The messages of round n are different from those of all other rounds. A side that finds another
 * round's message was woken too early, or was not woken.
 */
#ifndef LAYOUT_PINGPONG_H
#define LAYOUT_PINGPONG_H

#include "doorbell.h"
#include "head.h"

#include <stdint.h>

#define PINGPONG_LESSON SEGMENT_LESSON('p', 'i', 'n', 'g')

enum { PINGPONG_LINE = 64, PINGPONG_MOST = 64 * 1024, PINGPONG_MOST_ROUNDS = 10000000 };

/* PLANNED is the talker's step, READY and COUNTED are the listener's. */
enum { PINGPONG_PLANNED = 1, PINGPONG_READY, PINGPONG_COUNTED };

#define PINGPONG_VALUES "step: MET PINGPONG_PLANNED PINGPONG_READY PINGPONG_COUNTED"

/* The talker decides. To the listener it is a proposal: copied once, checked, then followed. */
struct pingpong_plan {
    _Atomic int method;
    _Atomic int cpu; /* for the listener to run on; -1: any */
    _Atomic int spin;
    _Atomic int size; /* of a message, in bytes */
    _Atomic int warm_up;
    _Atomic int rounds; /* without those of the warm-up */
};

/* What the rounds cost the listener: what the kernel has charged it for, and what it has sent. */
struct pingpong_cost {
    alignas(8) _Atomic long long cpu;      /* microseconds */
    alignas(8) _Atomic long long switches; /* to another process, voluntary or not */
    alignas(8) _Atomic long long signals;
};

/* One direction. Count, doorbell and a small message lie on one cache line, which one side alone
 * writes (but for `asleep`). So in a round one line travels there, and one back. */
struct pingpong_line {
    alignas(PINGPONG_LINE) _Atomic uint64_t count; /* of messages; the message is stored before */
    struct doorbell bell;
    alignas(8) _Atomic uint64_t message[PINGPONG_MOST / sizeof(uint64_t)];
};

struct pingpong {
    struct session_head session;
    struct pingpong_plan plan;
    struct pingpong_cost cost; /* the listener's */
    struct pingpong_line ping, pong;
};

#endif
