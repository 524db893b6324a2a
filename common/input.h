/* input.h - read lines from a descriptor, and notice meanwhile that the peer died. */
#ifndef INPUT_H
#define INPUT_H

#include "wait.h"

#include <stddef.h>

/* What input_line found. */
enum input_result {
    INPUT_LINE,    /* a line, without its newline */
    INPUT_LONG,    /* a line that does not fit: it is skipped, and `length` is its whole size */
    INPUT_END,     /* the end of the input */
    INPUT_FAILED,  /* read(2) failed, with errno */
    INPUT_RUNG,    /* SIGUSR1 came first: look into the segment, then go on with this line */
    INPUT_VERDICT, /* wait->verdict came first: the peer is gone, or the time is up */
};

/* A descriptor that is read line by line. Set fd, and leave the rest 0. */
struct input {
    int fd;
    size_t start, end; /* bytes of the buffer that were read, and not returned yet */
    size_t length;     /* bytes of the present line so far */
    char buffer[4096];
};

/* Reads the next line into line[most], and sets *length. The last line needs no newline. */
enum input_result input_line(struct input *input, struct wait *wait, char *line, size_t most,
                             size_t *length);

#endif
