/* lines.c - lines out, and lines in; see lines.h. */
#define IN_COMMON
#include "lines.h"

#include <err.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- out ---- */

static int told_on = STDOUT_FILENO;

void lines_to(int fd)
{
    told_on = fd;
}

/* How many bytes at text[0] are one character that a terminal may have as it is; 0: none. Printable
 * ASCII, or well-formed UTF-8 from U+00A0 on: below that lie the control bytes, C1 among them. */
static size_t printable(const char *text, size_t left)
{
    const unsigned char *byte = (const unsigned char *)text;
    if (byte[0] >= ' ' && byte[0] <= '~')
        return 1;
    size_t length = byte[0] >= 0xf0 ? 4 : byte[0] >= 0xe0 ? 3 : 2;
    if (byte[0] < 0xc2 || byte[0] > 0xf4 || length > left)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((byte[i] & 0xc0) != 0x80)
            return 0;
    bool control = byte[0] == 0xc2 && byte[1] < 0xa0;
    bool overlong = (byte[0] == 0xe0 && byte[1] < 0xa0) || (byte[0] == 0xf0 && byte[1] < 0x90);
    bool surrogate = byte[0] == 0xed && byte[1] >= 0xa0;
    bool beyond = byte[0] == 0xf4 && byte[1] >= 0x90;
    return control || overlong || surrogate || beyond ? 0 : length;
}

/* Copies text into out, which has room for 4 bytes for each of its own. Returns the length. */
static size_t escape(char *out, const char *text, size_t length)
{
    size_t used = 0;
    for (size_t i = 0; i < length;) {
        size_t whole = printable(text + i, length - i);
        if (whole == 0) {
            used += (size_t)sprintf(out + used, "\\x%02x", (unsigned char)text[i++]);
            continue;
        }
        memcpy(out + used, text + i, whole);
        used += whole;
        i += whole;
    }
    return used;
}

/* Writes all of it. A pipe or a terminal is written PIPE_BUF bytes at a time, and only when it can
 * take them: a write that blocked would keep out the signals that are blocked. */
static void put(const char *bytes, size_t left)
{
    while (left > 0) {
        bool ready;
        struct wakeup_wait wait = {0};
        while (wakeup_sleep_on(&wait, told_on, true, &ready) == WAKEUP_LOOK && !ready)
            ;
        ssize_t written = write(told_on, bytes, left < PIPE_BUF ? left : PIPE_BUF);
        if (written == -1 && errno == EPIPE)
            wakeup_die(SIGPIPE);
        if (written == -1 && errno != EINTR && errno != EAGAIN)
            err(1, "write to %s", told_on == STDOUT_FILENO ? "stdout" : "stderr");
        if (written > 0) {
            bytes += written;
            left -= (size_t)written;
        }
    }
}

void lines_say(const char *text, size_t length, const char *before, ...)
{
    char opening[256];
    va_list arguments;
    va_start(arguments, before);
    int opens = vsnprintf(opening, sizeof opening, before, arguments);
    va_end(arguments);
    if (opens < 0 || (size_t)opens >= sizeof opening)
        errx(1, "a line that opens with \"%s\" is too long", before);

    char *line = malloc((size_t)opens + 4 * length + 1);
    if (!line)
        err(1, "malloc for a line of %zu bytes", length);
    memcpy(line, opening, (size_t)opens);
    size_t used = (size_t)opens;
    if (isatty(told_on)) {
        used += escape(line + used, text, length);
    } else {
        memcpy(line + used, text, length);
        used += length;
    }
    line[used++] = '\n';
    put(line, used);
    free(line);
}

void lines_print(const char *format, ...)
{
    char line[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    lines_say(line, strlen(line), "%s: ", narrate_side());
}

/* ---- in ---- */

/* Waits until there is more to read, and reads it. LINE_READ: there is. */
static enum line fill(struct line_source *source, struct wakeup_wait *wait)
{
    for (;;) {
        bool ready;
        switch (wakeup_sleep_on(wait, source->fd, false, &ready)) {
        case WAKEUP_GONE:
            return LINE_GONE;
        case WAKEUP_LATE:
            return LINE_LATE;
        case WAKEUP_LOOK:
            break;
        }
        if (!ready)
            continue;
        ssize_t got = read(source->fd, source->buffer, sizeof source->buffer);
        if (got == 0)
            return LINE_END;
        if (got > 0) {
            source->start = 0;
            source->end = (size_t)got;
            return LINE_READ;
        }
        if (errno != EINTR && errno != EAGAIN)
            return LINE_BROKEN;
    }
}

enum line lines_read(struct line_source *source, struct wakeup_wait *wait, char *line, size_t most,
                     size_t *length)
{
    *length = 0;
    for (;;) {
        if (source->start == source->end) {
            enum line filled = fill(source, wait);
            if (filled == LINE_END && *length > 0)
                break;
            if (filled != LINE_READ)
                return filled;
        }
        char byte = source->buffer[source->start++];
        if (byte == '\n')
            break;
        if (*length < most)
            line[*length] = byte;
        ++*length;
    }
    return *length <= most ? LINE_READ : LINE_LONG;
}
