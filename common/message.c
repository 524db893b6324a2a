/* message.c - err(3), errx(3), warn(3) and warnx(3), whose messages also go to the trace.
 *
 * They do what libc's do: "program: message: what errno says" is a line on stderr; err and errx
 * then exit. Neither C nor POSIX reserves the names, so a program may define them. A line is one
 * write(2): the lines of two programs on one screen do not mix.
 */
#define _GNU_SOURCE /* program_invocation_short_name */
#include "text.h"
#include "trace.h"

#include <err.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Writes the line, with what `number` means behind it if it is not 0. errno stays. */
static void tell(int number, const char *format, va_list arguments)
{
    const int saved = errno;
    char line[2048] = "";
    enum { ROOM = sizeof line - 1 }; /* for the newline */
    text_append(line, ROOM, "%s: ", program_invocation_short_name);
    const size_t length = strlen(line);
    vsnprintf(line + length, ROOM - length, format, arguments);
    if (number)
        text_append(line, ROOM, ": %s", strerror(number));
    trace_print(line, strlen(line));
    text_append(line, sizeof line, "\n");
    if (write(STDERR_FILENO, line, strlen(line)) == -1) {
        /* There is no other place to say so. */
    }
    errno = saved;
}

#define TELL(number, format)                                                                       \
    do {                                                                                           \
        va_list arguments;                                                                         \
        va_start(arguments, format);                                                               \
        tell((number), format, arguments);                                                         \
        va_end(arguments);                                                                         \
    } while (0)

void warn(const char *format, ...)
{
    TELL(errno, format);
}

void warnx(const char *format, ...)
{
    TELL(0, format);
}

_Noreturn void err(int status, const char *format, ...)
{
    TELL(errno, format);
    exit(status);
}

_Noreturn void errx(int status, const char *format, ...)
{
    TELL(0, format);
    exit(status);
}
