/* pingpong.h - what the two sides of pingpong share: a plan, and a line for each direction.
 *
 *     talker                                       listener
 *     the plan, step = PLANNED            ----->   reads and checks it, makes what it needs
 *                                         <-----   step = READY
 *     for each round:
 *         message, count = round, tells   ----->
 *                                         <-----   message, count = round, tells
 *                                         <-----   what it cost, step = COUNTED
 *
 * In round n both messages are of n, and of no other round: whoever finds another one was told too
 * early, or was not told.
 */
#ifndef LAYOUT_PINGPONG_H
#define LAYOUT_PINGPONG_H

#include "doorbell.h"
#include "head.h"

#include <stdalign.h>
#include <stdint.h>
#include <sys/resource.h>

#define PINGPONG_LESSON SEGMENT_LESSON('p', 'i', 'n', 'g')

enum { PINGPONG_LINE = 64, PINGPONG_MOST = 64 * 1024, PINGPONG_MOST_ROUNDS = 10000000 };

/* PLANNED is the talker's step, READY and COUNTED are the listener's. */
enum { PINGPONG_PLANNED = 1, PINGPONG_READY, PINGPONG_COUNTED };

/* The talker decides. To the listener it is a proposal: copied once, checked, then followed. */
struct pingpong_plan {
    _Atomic int method;
    _Atomic int cpu; /* for the listener to run on; -1: any */
    _Atomic int spin;
    _Atomic int size; /* of a message, in bytes */
    _Atomic int warm_up;
    _Atomic int rounds; /* those of the warm-up not counted */
};

/* What the rounds cost one side: what the kernel has charged it for, and what it has sent. */
struct pingpong_cost {
    _Atomic long long cpu;      /* microseconds */
    _Atomic long long switches; /* to another process, voluntary or not */
    _Atomic long long signals;
};

/* One direction. Count, doorbell and a small message lie on one cache line, which one side alone
 * writes, the bell's asleep apart: so a round takes one line over, and one back. */
struct pingpong_line {
    alignas(PINGPONG_LINE) _Atomic uint64_t count; /* of messages; the message is stored before */
    struct doorbell bell;
    _Atomic uint64_t message[PINGPONG_MOST / sizeof(uint64_t)];
};

struct pingpong {
    struct session_head session;
    struct pingpong_plan plan;
    struct pingpong_cost cost; /* the listener's */
    struct pingpong_line ping, pong;
};

/* Word `i` of a round's message: it depends on both. */
static inline uint64_t pingpong_word(uint64_t round, size_t i)
{
    return round * 0x9e3779b97f4a7c15 + i;
}

/* The last word, where the message fills only some bytes of it: past its end there are zeros. */
static inline uint64_t pingpong_last(size_t size, uint64_t round)
{
    uint64_t bits = size % sizeof round * 8;
    return pingpong_word(round, size / sizeof round) & (((uint64_t)1 << bits) - 1);
}

/* Word by word, each of them atomic: the other side is another process, and must see that whole. */
static inline void pingpong_write(struct pingpong_line *line, size_t size, uint64_t round)
{
    size_t words = size / sizeof round;
    for (size_t i = 0; i < words; i++)
        atomic_store_explicit(&line->message[i], pingpong_word(round, i), memory_order_relaxed);
    if (size % sizeof round)
        atomic_store_explicit(&line->message[words], pingpong_last(size, round),
                              memory_order_relaxed);
}

/* Whether the message that is there is this round's, whole. */
static inline bool pingpong_is(struct pingpong_line *line, size_t size, uint64_t round)
{
    size_t words = size / sizeof round;
    bool is = true;
    for (size_t i = 0; i < words; i++)
        is &= atomic_load_explicit(&line->message[i], memory_order_relaxed) ==
              pingpong_word(round, i);
    if (size % sizeof round)
        is &= atomic_load_explicit(&line->message[words], memory_order_relaxed) ==
              pingpong_last(size, round);
    return is;
}

/* Adds to `cost` what the kernel has charged us for so far, `sign` times. */
static inline void pingpong_charge(struct pingpong_cost *cost, int sign, long signals)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    long long seconds = usage.ru_utime.tv_sec + usage.ru_stime.tv_sec;
    cost->cpu += sign * (seconds * 1000000 + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
    cost->switches += sign * ((long long)usage.ru_nvcsw + usage.ru_nivcsw);
    cost->signals += sign * (long long)signals;
}

#endif
