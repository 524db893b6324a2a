/* progress.c - how far a transfer is; see progress.h. */
#define IN_COMMON
#include "progress.h"
#include "narrate.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

static const double second = 1e9, gibibyte = 1 << 30;

static long long now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (long long)time.tv_sec * 1000000000 + time.tv_nsec;
}

void progress_begin(struct progress *progress, bool asked)
{
    bool on_terminal = isatty(STDERR_FILENO);
    *progress = (struct progress){.shown = asked || on_terminal, .on_terminal = on_terminal};
    progress->began = progress->shown_at = now();
}

static void append_bytes(char *line, size_t size, double bytes)
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    size_t unit = 0;
    for (; bytes >= 1024 && unit < sizeof units / sizeof *units - 1; unit++)
        bytes /= 1024;
    narrate_append(line, size, unit == 0 ? "%.0f %s" : "%.1f %s", bytes, units[unit]);
}

static void show(const struct progress *progress, double seconds, uint64_t expected)
{
    double rate = (double)progress->bytes / seconds;
    char line[160] = "";
    narrate_append(line, sizeof line, "%s: ", narrate_side());
    append_bytes(line, sizeof line, (double)progress->bytes);
    narrate_append(line, sizeof line, ", ");
    append_bytes(line, sizeof line, rate);
    narrate_append(line, sizeof line, "/s");
    if (expected >= progress->bytes && rate > 0)
        narrate_append(line, sizeof line, ", %.0f%%, %.0f s left",
                       100 * (double)progress->bytes / (double)expected,
                       (double)(expected - progress->bytes) / rate);
    if (progress->on_terminal)
        fprintf(stderr, "\r%-70s", line);
    else
        fprintf(stderr, "%s\n", line);
}

void progress_advance(struct progress *progress, uint64_t bytes, uint64_t expected)
{
    progress->bytes += bytes;
    if (!progress->shown)
        return;
    long long time = now();
    double since = (double)(time - progress->shown_at) / second;
    if (since < (progress->on_terminal ? 0.2 : 1))
        return;
    progress->shown_at = time;
    show(progress, (double)(time - progress->began) / second, expected);
}

void progress_end(struct progress *progress, const char *verb, long rung, long slept)
{
    double seconds = (double)(now() - progress->began) / second;
    if (progress->on_terminal)
        fprintf(stderr, "\r%-70s\r", "");
    fprintf(stderr, "%s: %s %llu bytes in %.3f s (%.2f GiB/s), signals sent: %ld, slept: %ld\n",
            narrate_side(), verb, (unsigned long long)progress->bytes, seconds,
            (double)progress->bytes / gibibyte / seconds, rung, slept);
}
