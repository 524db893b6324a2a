/* progress.h - how far a stream is, and how fast it went. */
#ifndef PROGRESS_H
#define PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    bool shown;           /* on stderr, while it goes on */
    uint64_t done, total; /* in bytes; total 0: not known */
    double began, told;   /* in seconds of CLOCK_MONOTONIC; `began` at the first byte */
};

/* Shown where `asked` for it, or where stderr is a terminal. */
void progress_start(struct progress *progress, bool asked, uint64_t total);

/* Some more bytes have passed. */
void progress_add(struct progress *progress, uint64_t bytes);

/* The closing line: bytes, seconds, GiB/s, signals sent, times slept. */
void progress_end(struct progress *progress, long rung, long slept);

#endif
