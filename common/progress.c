/* progress.c - how far a stream is; see progress.h. */
#define IN_COMMON
#include "progress.h"
#include "narrate.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static const double GIB = 1024.0 * 1024 * 1024;

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void progress_start(struct progress *progress, bool asked, uint64_t total)
{
    *progress = (struct progress){.shown = asked || isatty(STDERR_FILENO), .total = total};
    progress->began = progress->told = seconds();
}

static void show(const struct progress *progress, double now)
{
    double took = now - progress->began;
    double rate = took > 0 ? (double)progress->done / took : 0;
    fprintf(stderr, "%s%s: %" PRIu64 " bytes, %.2f GiB/s", isatty(STDERR_FILENO) ? "\r\033[K" : "",
            narrate_side(), progress->done, rate / GIB);
    if (progress->total > 0 && progress->done <= progress->total && rate > 0)
        fprintf(stderr, ", %d %%, %.0f s left", (int)(100 * progress->done / progress->total),
                (double)(progress->total - progress->done) / rate);
    if (!isatty(STDERR_FILENO))
        fputc('\n', stderr);
}

void progress_add(struct progress *progress, uint64_t bytes)
{
    if (progress->done == 0)
        progress->began = seconds();
    progress->done += bytes;
    if (!progress->shown)
        return;
    double now = seconds();
    if (now - progress->told < 0.2)
        return;
    progress->told = now;
    show(progress, now);
}

void progress_end(struct progress *progress, long rung, long slept)
{
    double took = seconds() - progress->began;
    fprintf(stderr,
            "%s%s: %" PRIu64 " bytes in %.3f s, %.2f GiB/s, %ld signals sent, %ld times slept\n",
            progress->shown && isatty(STDERR_FILENO) ? "\r\033[K" : "", narrate_side(),
            progress->done, took, took > 0 ? (double)progress->done / took / GIB : 0, rung, slept);
}
