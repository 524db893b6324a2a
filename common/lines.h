/* lines.h - what a person sees and types: lines on stdout, lines from stdin.
 *
 * Both wait as sleepers do: a signal that asks the program to end gets through, and a peer that
 * dies meanwhile is noticed.
 */
#ifndef LINES_H
#define LINES_H

#include "wakeup.h"

#include <stdbool.h>
#include <stddef.h>

/* Writes one line to stdout, at once: `before` as printf would, then the bytes of `text`, then a
 * newline. On a terminal, control bytes in `text` are shown escaped (\x1b), so that a message
 * cannot steer it; elsewhere bytes go out as they are. Exits 1 where stdout cannot be written, and
 * dies of SIGPIPE where nobody reads it. */
void lines_say(const char *text, size_t length, const char *before, ...)
    __attribute__((format(printf, 3, 4)));

/* From now on lines_say and lines_print write to `fd`: for a program whose stdout is data. */
void lines_to(int fd);

/* Writes "listener: " or "talker: ", whichever side we are, and then a line as printf would. */
void lines_print(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* What lines_read found. */
enum line {
    LINE_READ,   /* a line, without its newline */
    LINE_LONG,   /* one that does not fit; it is passed over, `length` is its whole size */
    LINE_END,    /* the end of the input */
    LINE_BROKEN, /* reading failed, with errno */
    LINE_GONE,   /* WAKEUP_GONE or */
    LINE_LATE,   /* WAKEUP_LATE came first */
};

/* A descriptor that is read line by line. Set fd, and leave the rest 0. */
struct line_source {
    int fd;
    size_t start, end; /* bytes of the buffer that were read, and not given out yet */
    char buffer[4096];
};

/* Reads the next line into line[most]; a last line needs no newline. */
enum line lines_read(struct line_source *source, struct wakeup_wait *wait, char *line, size_t most,
                     size_t *length);

#endif
