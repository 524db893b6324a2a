/* rounds.c - the rounds of pingpong; see rounds.h. */
#include "rounds.h"
#include "exits.h"
#include "output.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* ---- the message ---- */

static uint64_t word(uint64_t round, size_t i)
{
    return round * 0x9e3779b97f4a7c15 + i;
}

/* The last word, if the message fills only some bytes of it. The others are zeros. */
static uint64_t last_word(uint64_t round, size_t size)
{
    uint64_t bits = size % sizeof round * 8;
    return word(round, size / sizeof round) & (((uint64_t)1 << bits) - 1);
}

/* Word by word, and each of them atomic: the other process may be reading at the same time. */
void rounds_write(struct pingpong_line *line, size_t size, uint64_t round)
{
    size_t words = size / sizeof round;
    for (size_t i = 0; i < words; i++)
        atomic_store_explicit(&line->message[i], word(round, i), memory_order_relaxed);
    if (size % sizeof round)
        atomic_store_explicit(&line->message[words], last_word(round, size), memory_order_relaxed);
}

bool rounds_check(const struct pingpong_line *line, size_t size, uint64_t round)
{
    size_t words = size / sizeof round;
    bool is = true;
    for (size_t i = 0; i < words; i++)
        is &= atomic_load_explicit(&line->message[i], memory_order_relaxed) == word(round, i);
    if (size % sizeof round)
        is &= atomic_load_explicit(&line->message[words], memory_order_relaxed) ==
              last_word(round, size);
    return is;
}

/* ---- what the rounds cost one side ---- */

struct rounds_cost rounds_cost(long signals)
{
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) == -1)
        err(EXIT_FAILED, "getrusage(RUSAGE_SELF)");
    long long seconds = (long long)usage.ru_utime.tv_sec + usage.ru_stime.tv_sec;
    return (struct rounds_cost){.cpu = seconds * 1000000 + usage.ru_utime.tv_usec +
                                       usage.ru_stime.tv_usec,
                                .switches = (long long)usage.ru_nvcsw + usage.ru_nivcsw,
                                .signals = signals};
}

struct rounds_cost rounds_cost_between(struct rounds_cost before, struct rounds_cost after)
{
    return (struct rounds_cost){.cpu = after.cpu - before.cpu,
                                .switches = after.switches - before.switches,
                                .signals = after.signals - before.signals};
}

/* ---- how long each took ---- */

uint64_t *rounds_times(size_t count)
{
    uint64_t *times = malloc(count * sizeof *times);
    if (!times)
        err(EXIT_FAILED, "malloc for the times of %zu rounds", count);
    memset(times, -1, count * sizeof *times);
    return times;
}

static int compare(const void *a, const void *b)
{
    uint64_t one = *(const uint64_t *)a, other = *(const uint64_t *)b;
    return (one > other) - (one < other);
}

void rounds_say_times(uint64_t *times, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (double)times[i];
    qsort(times, count, sizeof *times, compare);
    double median = (double)times[count / 2] / 1e3;
    double late = (double)times[(size_t)((uint64_t)count * 99 / 100)] / 1e3;
    print_line("round trip: median %.3f us, 99th percentile %.3f us, minimum %.3f us", median, late,
               (double)times[0] / 1e3);
    print_line("%.0f rounds a second", (double)count / sum * 1e9);
}
