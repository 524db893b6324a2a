/* progress.h - how far a long transfer is, on stderr: a line that is renewed, and a last one. */
#ifndef PROGRESS_H
#define PROGRESS_H

#include <err.h>
#include <stdbool.h>
#include <stdint.h>

struct progress {
    bool shown;         /* before the closing line */
    bool on_terminal;   /* the line is renewed in place */
    uint64_t bytes;     /* so far */
    long long began;    /* nanoseconds of CLOCK_MONOTONIC */
    long long shown_at; /* when last */
};

/* The transfer begins now. It is shown as it goes where `asked`, or where stderr is a terminal with
 * nothing else on it. What it says goes where lines_to has sent the lines. */
void progress_begin(struct progress *progress, bool asked);

/* `bytes` more have been transferred, of `expected` in all; 0: nobody knows. Nothing waits for the
 * line that shows it: it is left out where stderr would not take it at once. */
void progress_advance(struct progress *progress, uint64_t bytes, uint64_t expected);

/* Takes the line that is renewed off the terminal, before anything else is said there. errno stays
 * as it is. */
void progress_wipe(void);

/* err(3) and errx(3) for as long as that line may be there. */
#define progress_err(...)  (progress_wipe(), err(__VA_ARGS__))
#define progress_errx(...) (progress_wipe(), errx(__VA_ARGS__))

/* The closing line, as:
 * talker: sent 1048576 bytes in 0.001 s (0.98 GiB/s), signals sent: 2, slept: 1 */
void progress_end(struct progress *progress, const char *verb, long rung, long slept);

#endif
