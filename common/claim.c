/* claim.c - observations against claims; see claim.h. */
#define IN_COMMON
#include "claim.h"
#include "lines.h"

#include <err.h>
#include <stdarg.h>
#include <stdio.h>

static int failed;

bool claim(bool holds, const char *format, ...)
{
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    lines_print("%s", line);
    if (!holds) {
        warnx("this is not what the lesson claims: %s", line);
        failed = 1;
    }
    return holds;
}

int claim_status(void)
{
    return failed;
}
