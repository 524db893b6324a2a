/* output.h - what a program prints: lines, each written at once, and the progress of a transfer.
 *
 * While a write to a full pipe or a stopped terminal waits, a signal that asks the program to end
 * still gets through.
 */
#ifndef OUTPUT_H
#define OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Our side, "talker" or "listener", begins each line. */
void output_start(const char *side);

/* From now on print_line and print_bytes write to `fd`, not to stdout: for a program whose stdout
 * is data.
 */
void output_to(int fd);

/* Prints one line as printf would, with "talker: " or "listener: " before it. On a terminal,
 * control bytes are shown escaped (\x1b), so that a message cannot steer it; so are the characters
 * that change the direction of writing, and a backslash is doubled. Elsewhere bytes go out as they
 * are. Exits 1 where stdout cannot be written, and dies of SIGPIPE where its reader is gone. */
void print_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same for a line that ends with bytes[length], which may hold any byte. */
void print_bytes(const char *bytes, size_t length, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- progress ---- */

struct progress {
    bool shown;         /* before the closing line */
    bool on_terminal;   /* the line is renewed in place */
    uint64_t bytes;     /* so far */
    long long began;    /* nanoseconds of CLOCK_MONOTONIC */
    long long shown_at; /* when last */
};

/* The transfer begins now. Its progress is shown on stderr if `asked`, or if stderr is a terminal
 * with nothing else on it. */
void progress_begin(struct progress *progress, bool asked);

/* `bytes` more have been transferred, of `expected` in all; 0: not known. Where stderr does not
 * take the line at once, it is left out. */
void progress_advance(struct progress *progress, uint64_t bytes, uint64_t expected);

/* Clears the renewed line, before anything else is printed on the terminal. errno stays. */
void progress_wipe(void);

/* err(3) and errx(3) for as long as that line may be there. */
#define progress_err(...)  (progress_wipe(), err(__VA_ARGS__))
#define progress_errx(...) (progress_wipe(), errx(__VA_ARGS__))

/* The closing line; with less than 16 MiB it does not claim a rate:
 * talker: sent 1073741824 bytes in 0.234 s (4.27 GiB/s), signals sent: 8, slept: 199 */
void progress_end(struct progress *progress, const char *verb, long sent, long slept);

#endif
