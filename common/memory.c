/* memory.c - Linux's memory, and page faults; see memory.h. */
#include "memory.h"
#include "exits.h"

#include <err.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

size_t memory_info(const char *field)
{
    char line[256];
    size_t value = 0, length = strlen(field);
    FILE *file = fopen("/proc/meminfo", "re");
    if (!file)
        return 0;
    while (value == 0 && fgets(line, sizeof line, file))
        if (strncmp(line, field, length) == 0 && line[length] == ':')
            sscanf(line + length + 1, "%zu", &value);
    fclose(file);
    return value;
}

static long faults(void)
{
    struct rusage used;
    if (getrusage(RUSAGE_SELF, &used) == -1)
        err(EXIT_FAILED, "getrusage(RUSAGE_SELF)");
    return used.ru_minflt;
}

long memory_touch(volatile char *place, size_t bytes)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    long before = faults();
    for (size_t at = 0; at < bytes; at += page)
        place[at] = 1;
    return faults() - before;
}
