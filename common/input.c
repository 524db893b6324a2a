/* input.c - read lines from a descriptor; see input.h. */
#include "input.h"

#include <errno.h>
#include <unistd.h>

/* Waits until there is more to read, and reads it. INPUT_LINE: there is. */
static enum input_result fill(struct input *input, struct wait *wait)
{
    for (;;) {
        bool ready;
        if (wait_on(wait, input->fd, READY_TO_READ, &ready) != WAIT_LOOK)
            return INPUT_VERDICT;
        if (!ready && wait->verdict != WAIT_LOOK)
            continue;
        if (!ready)
            return INPUT_RUNG;
        ssize_t got = read(input->fd, input->buffer, sizeof input->buffer);
        if (got == 0)
            return INPUT_END;
        if (got > 0) {
            input->start = 0;
            input->end = (size_t)got;
            return INPUT_LINE;
        }
        if (errno != EINTR && errno != EAGAIN)
            return INPUT_FAILED;
    }
}

enum input_result input_line(struct input *input, struct wait *wait, char *line, size_t most,
                             size_t *length)
{
    for (;;) {
        if (input->start == input->end) {
            enum input_result filled = fill(input, wait);
            if (filled == INPUT_END && input->length > 0)
                break;
            if (filled != INPUT_LINE)
                return filled;
        }
        char byte = input->buffer[input->start++];
        if (byte == '\n')
            break;
        if (input->length < most)
            line[input->length] = byte;
        input->length++;
    }
    *length = input->length;
    input->length = 0;
    return *length <= most ? INPUT_LINE : INPUT_LONG;
}
