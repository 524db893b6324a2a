/* output.c - what a program prints; see output.h. */
#include "output.h"
#include "clock.h"
#include "ending.h"
#include "exits.h"
#include "ready.h"
#include "signals.h"
#include "text.h"
#include "trace.h"

#include <err.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *side = "listener";
static int out = STDOUT_FILENO;

void output_start(const char *our_side)
{
    side = our_side;
}

void output_to(int fd)
{
    out = fd;
}

/* ---- a line ---- */

/* What is to be written. It goes out when the line is complete, or when the buffer is full. */
static struct {
    size_t used;
    char bytes[4096];
} buffer;

/* Writes PIPE_BUF bytes at a time, and only when `out` can take them: a write that blocked would
 * keep the blocked signals waiting. */
static void flush(void)
{
    sigset_t mask;
    if (sigprocmask(SIG_BLOCK, NULL, &mask) == -1)
        err(EXIT_FAILED, "sigprocmask(SIG_BLOCK)");
    ending_unblock_in(&mask);
    for (size_t done = 0; done < buffer.used;) {
        if (ready_wait(out, READY_TO_WRITE, &mask, false) == -1 && errno != EINTR)
            err(EXIT_FAILED, "wait for %s", out == STDOUT_FILENO ? "stdout" : "stderr");
        if (signals_ending)
            ending_die(signals_ending);
        size_t left = buffer.used - done;
        ssize_t written = write(out, buffer.bytes + done, left < PIPE_BUF ? left : PIPE_BUF);
        if (written == -1 && errno == EPIPE)
            ending_die(SIGPIPE);
        if (written == -1 && errno != EINTR && errno != EAGAIN)
            err(EXIT_FAILED, "write to %s", out == STDOUT_FILENO ? "stdout" : "stderr");
        if (written > 0)
            done += (size_t)written;
    }
    buffer.used = 0;
}

static void put(const char *bytes, size_t length)
{
    while (length > 0) {
        size_t room = sizeof buffer.bytes - buffer.used, some = length < room ? length : room;
        memcpy(buffer.bytes + buffer.used, bytes, some);
        buffer.used += some;
        bytes += some;
        length -= some;
        if (buffer.used == sizeof buffer.bytes)
            flush();
    }
}

/* U+202A to U+202E and U+2066 to U+2069 change the direction of what is written after them. */
static bool changes_direction(const unsigned char *byte)
{
    return byte[0] == 0xe2 && ((byte[1] == 0x80 && byte[2] >= 0xaa && byte[2] <= 0xae) ||
                               (byte[1] == 0x81 && byte[2] >= 0xa6 && byte[2] <= 0xa9));
}

/* How many bytes at text[0] are one character that a terminal may get as it is; 0: none. These are
 * printable ASCII, and well-formed UTF-8 from U+00A0 on: below that lie the control characters. */
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
    bool harmful = control || (length == 3 && changes_direction(byte));
    return harmful || overlong || surrogate || beyond ? 0 : length;
}

static void put_escaped(const char *text, size_t length)
{
    for (size_t i = 0; i < length;) {
        size_t whole = printable(text + i, length - i);
        if (text[i] == '\\')
            put("\\", 1);
        if (whole == 0) {
            char escaped[5];
            snprintf(escaped, sizeof escaped, "\\x%02x", (unsigned char)text[i++]);
            put(escaped, strlen(escaped));
            continue;
        }
        put(text + i, whole);
        i += whole;
    }
}

/* Our side, then `before`, then the bytes. The trace gets the beginning of a long line. */
static void put_line(const char *before, const char *bytes, size_t length)
{
    if (tracing()) {
        char line[1024] = "";
        text_append(line, sizeof line, "%s: %s", side, before);
        size_t used = strlen(line), room = sizeof line - used;
        size_t some = length < room ? length : room;
        memcpy(line + used, bytes, some);
        trace_print(line, used + some);
    }
    void (*put_text)(const char *, size_t) = isatty(out) ? put_escaped : put;
    put(side, strlen(side));
    put(": ", 2);
    put_text(before, strlen(before));
    put_text(bytes, length);
    put("\n", 1);
    flush();
}

void print_bytes(const char *bytes, size_t length, const char *format, ...)
{
    char before[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(before, sizeof before, format, arguments);
    va_end(arguments);
    put_line(before, bytes, length);
}

void print_line(const char *format, ...)
{
    char line[2048];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    put_line("", line, strlen(line));
}

static const double second = 1e9, gibibyte = 1 << 30;

/* ---- progress: the line that is renewed ---- */

enum { COLUMNS = 60 }; /* its width: short enough for one row of any terminal */

static bool is_on_screen;

/* Does not wait: progress is not worth it. */
static void put_at_once(const char *text)
{
    struct pollfd screen = {.fd = STDERR_FILENO, .events = POLLOUT};
    if (poll(&screen, 1, 0) == 1 && screen.revents & POLLOUT &&
        write(STDERR_FILENO, text, strlen(text)) == -1)
        return; /* its reader is gone; SIGPIPE is pending then, and obeyed later */
}

void progress_wipe(void)
{
    char blank[COLUMNS + 3] = "";
    int error = errno;
    if (!is_on_screen)
        return;
    text_append(blank, sizeof blank, "\r%*s\r", COLUMNS, "");
    put_at_once(blank);
    is_on_screen = false;
    errno = error;
}

void progress_begin(struct progress *progress, bool asked)
{
    bool on_terminal = isatty(STDERR_FILENO) && !tracing();
    *progress = (struct progress){.shown = asked || on_terminal, .on_terminal = on_terminal};
    if (atexit(progress_wipe) != 0)
        errx(EXIT_FAILED, "atexit: no room for another function");
    progress->began = progress->shown_at = clock_now();
}

/* ---- progress: what it says ---- */

static void append_bytes(char *line, size_t size, double bytes)
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    size_t unit = 0;
    for (; bytes >= 1024 && unit < sizeof units / sizeof *units - 1; unit++)
        bytes /= 1024;
    text_append(line, size, unit == 0 ? "%.0f %s" : "%.1f %s", bytes, units[unit]);
}

static void show(const struct progress *progress, double seconds, uint64_t expected)
{
    double rate = (double)progress->bytes / seconds;
    char line[COLUMNS + 1] = "", renewed[COLUMNS + 2] = "";
    text_append(line, sizeof line, "%s: ", side);
    append_bytes(line, sizeof line, (double)progress->bytes);
    text_append(line, sizeof line, ", ");
    append_bytes(line, sizeof line, rate);
    text_append(line, sizeof line, "/s");
    if (expected >= progress->bytes && rate > 0)
        text_append(line, sizeof line, ", %.0f%%, %.0f s left",
                    100 * (double)progress->bytes / (double)expected,
                    (double)(expected - progress->bytes) / rate);
    if (progress->on_terminal)
        text_append(renewed, sizeof renewed, "\r%-*s", COLUMNS, line);
    else
        text_append(renewed, sizeof renewed, "%s\n", line);
    put_at_once(renewed);
    is_on_screen = progress->on_terminal;
}

void progress_advance(struct progress *progress, uint64_t bytes, uint64_t expected)
{
    progress->bytes += bytes;
    if (!progress->shown)
        return;
    long long time = clock_now();
    double since = (double)(time - progress->shown_at) / second;
    if (since < (progress->on_terminal ? 0.2 : 1))
        return;
    progress->shown_at = time;
    show(progress, (double)(time - progress->began) / second, expected);
}

void progress_end(struct progress *progress, const char *verb, long sent, long slept)
{
    enum { LEAST_FOR_A_RATE = 16 * 1024 * 1024 }; /* with less, the start takes most of the time */
    double seconds = (double)(clock_now() - progress->began) / second;
    char rate[32] = "";
    if (progress->bytes >= LEAST_FOR_A_RATE)
        text_append(rate, sizeof rate, " (%.2f GiB/s)",
                    (double)progress->bytes / gibibyte / seconds);
    progress_wipe();
    print_line("%s %llu bytes in %.3f s%s, signals sent: %ld, slept: %ld", verb,
               (unsigned long long)progress->bytes, seconds, rate, sent, slept);
}
