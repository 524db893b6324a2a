/* progress.c - how far a transfer is; see progress.h. */
#define IN_COMMON
#include "progress.h"
#include "clock.h"
#include "lines.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const double second = 1e9, gibibyte = 1 << 30;

/* ---- the line that is renewed ---- */

enum { COLUMNS = 60 }; /* its width: short enough for one row of any terminal */

static bool is_on_screen;

/* What stderr would not take at once is not worth waiting for. */
static void put(const char *text)
{
    struct pollfd screen = {.fd = STDERR_FILENO, .events = POLLOUT};
    if (poll(&screen, 1, 0) == 1 && screen.revents & POLLOUT &&
        write(STDERR_FILENO, text, strlen(text)) == -1)
        return; /* nobody reads it any more; where that is SIGPIPE, it is obeyed in time */
}

void progress_wipe(void)
{
    char blank[COLUMNS + 3] = "";
    int error = errno;
    if (!is_on_screen)
        return;
    narrate_append(blank, sizeof blank, "\r%*s\r", COLUMNS, "");
    put(blank);
    is_on_screen = false;
    errno = error;
}

void progress_begin(struct progress *progress, bool asked)
{
    bool on_terminal = isatty(STDERR_FILENO) && !narrating();
    *progress = (struct progress){.shown = asked || on_terminal, .on_terminal = on_terminal};
    if (atexit(progress_wipe) != 0)
        errx(1, "atexit: no room for another function");
    progress->began = progress->shown_at = clock_now();
}

/* ---- what it says ---- */

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
    char line[COLUMNS + 1] = "", renewed[COLUMNS + 2] = "";
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
        narrate_append(renewed, sizeof renewed, "\r%-*s", COLUMNS, line);
    else
        narrate_append(renewed, sizeof renewed, "%s\n", line);
    put(renewed);
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

void progress_end(struct progress *progress, const char *verb, long rung, long slept)
{
    double seconds = (double)(clock_now() - progress->began) / second;
    progress_wipe();
    lines_print("%s %llu bytes in %.3f s (%.2f GiB/s), signals sent: %ld, slept: %ld", verb,
                (unsigned long long)progress->bytes, seconds,
                (double)progress->bytes / gibibyte / seconds, rung, slept);
}
