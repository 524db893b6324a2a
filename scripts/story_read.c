/* story_read.c - read traces, and refuse what is none; see story.h.
 *
 * A trace is untrusted: its lines may have any length and any bytes.
 */
#include "story.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FIELDS = 8 };

/* ---- memory ---- */

void *story_more_room(void *old, size_t count, size_t size)
{
    void *room = realloc(old, (count ? count : 1) * size);
    if (!room)
        err(1, "no memory for %zu times %zu bytes", count, size);
    return room;
}

void *story_room(size_t count, size_t size)
{
    return memset(story_more_room(NULL, count, size), 0, (count ? count : 1) * size);
}

void story_misses(struct story *story, const char *format, ...)
{
    if (story->missing_count == MOST_SENTENCES)
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(story->missing[story->missing_count++], sizeof *story->missing, format, arguments);
    va_end(arguments);
}

/* ---- a file ---- */

/* Reads all bytes and adds a NUL: the file may be a pipe, and may grow meanwhile. */
static char *read_all(const char *path, size_t *length)
{
    static size_t total;
    size_t room = 1 << 16;
    char *bytes = story_room(room, 1);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd == -1)
        err(1, "%s", path);
    *length = 0;
    for (ssize_t got; (got = read(fd, bytes + *length, room - *length - 1)) != 0;) {
        if (got == -1 && errno == EINTR)
            continue;
        if (got == -1)
            err(1, "%s", path);
        *length += (size_t)got;
        if (*length + total > MOST_BYTES)
            errx(1, "%s: the traces are larger than %d bytes", path, MOST_BYTES);
        if (*length + 1 == room)
            bytes = story_more_room(bytes, room *= 2, 1);
    }
    total += *length;
    close(fd);
    bytes[*length] = '\0';
    return bytes;
}

/* ---- a line ---- */

/* Where a line comes from, for messages. */
struct place {
    const char *path;
    int line;
};

static _Noreturn void refuse(const struct place *at, const char *why)
{
    errx(1, "%s:%d: %s: this is no trace of this version", at->path, at->line, why);
}

static long long number(const struct place *at, const char *text, const char *what)
{
    char *end, why[80];
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (*text >= '0' && *text <= '9' && *end == '\0' && errno == 0 && value < LLONG_MAX / 4)
        return value;
    snprintf(why, sizeof why, "the %s is no number", what);
    refuse(at, why);
}

static enum kind kind_of(const struct place *at, const char *text, const char *narrated)
{
    static const struct {
        const char *name;
        enum kind kind;
    } kinds[] = {{"call", CALL},   {"signal", TAKEN}, {"publish", PUBLISH}, {"observe", OBSERVE},
                 {"point", POINT}, {"print", PRINT},  {"note", NOTE}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(text, kinds[i].name) == 0)
            return kinds[i].kind == NOTE && strncmp(narrated, "end: ", 5) == 0 ? END
                                                                               : kinds[i].kind;
    refuse(at, "unknown kind of record");
}

/* The same PID in two files is two processes: another run, or another PID namespace. */
static int process_of(struct story *story, const struct place *at, const char *name, int pid,
                      int file, long long began)
{
    static int last;
    for (int i = last, n = story->process_count; n > 0; n--, i = (i + 1) % story->process_count)
        if (story->processes[i].pid == pid && story->processes[i].file == file &&
            strcmp(story->processes[i].name, name) == 0)
            return last = i;
    bool is_talker = strncmp(name, "talker", 6) == 0;
    if (!is_talker && strncmp(name, "listener", 8) != 0)
        refuse(at, "the program is neither a talker nor a listener");
    if (story->process_count == MOST_PROCESSES)
        refuse(at, "too many processes");
    last = story->process_count++;
    story->processes =
        story_more_room(story->processes, (size_t)story->process_count, sizeof *story->processes);
    story->processes[last] = (struct process){.name = name,
                                              .began = began,
                                              .index = last,
                                              .pid = pid,
                                              .file = file,
                                              .parent = -1,
                                              .is_talker = is_talker};
    return last;
}

/* A publish and an observe say "publish FIELD = VALUE"; story_facts.c relies on it. */
static void check_text(const struct place *at, const struct record *record)
{
    if (record->kind == PUBLISH || record->kind == OBSERVE) {
        const char *field = strchr(record->text, ' ');
        const char *equals = field ? strstr(field, " = ") : NULL;
        if (!equals || equals == field)
            refuse(at, "a value without its field");
    }
}

/* Cuts the line into its fields, in place. */
static void read_line(struct story *story, const struct place *at, char *line, int file)
{
    char *field[FIELDS];
    int count = 0;
    for (char *next = line; next; count++) {
        char *begin = next;
        if ((next = strchr(begin, '\t')))
            *next++ = '\0';
        if (count < FIELDS)
            field[count] = begin;
    }
    if (count != FIELDS) {
        char why[60];
        snprintf(why, sizeof why, "%d fields, not %d", count, FIELDS);
        refuse(at, why);
    }
    if (story->record_count == MOST_RECORDS)
        errx(1, "%s:%d: more than %d records", at->path, at->line, MOST_RECORDS);
    if ((story->record_count & (story->record_count - 1)) == 0)
        story->records = story_more_room(story->records,
                                         story->record_count ? 2 * (size_t)story->record_count : 1,
                                         sizeof *story->records);

    struct record *record = &story->records[story->record_count];
    long long pid = number(at, field[2], "PID");
    if (pid < 1 || pid > INT_MAX)
        refuse(at, "the PID is out of range");
    record->began = number(at, field[0], "time");
    record->process = process_of(story, at, field[1], (int)pid, file, record->began);
    record->where = field[3];
    record->text = field[5];
    record->kind = kind_of(at, field[4], field[5]);
    record->why = field[6];
    record->took = number(at, field[7], "duration");
    check_text(at, record);
    story->record_count++;
}

/* ---- what can be wrong with a file as a whole ---- */

/* A clock that goes back, or two records of one process at the same time of two runs: the order of
 * the processes would be invented. */
static void check_clock(struct story *story, const struct place *at, const long long *latest,
                        const struct record *record)
{
    if (record->began >= latest[record->process])
        return;
    errx(1, "%s:%d: the clock goes back by %lld ns in process %d: these records are not of one run",
         at->path, at->line, latest[record->process] - record->began,
         story->processes[record->process].pid);
}

static void check_twice(struct story *story, const char *path, int first_process)
{
    for (int i = first_process; i < story->process_count; i++)
        for (int j = 0; j < first_process; j++)
            if (story->processes[i].pid == story->processes[j].pid)
                errx(1, "%s: process %d is in another of the traces, too", path,
                     story->processes[i].pid);
}

static void read_trace(struct story *story, const char *path, int file)
{
    static long long latest[MOST_PROCESSES];
    struct place at = {path, 0};
    struct stat about;
    if (stat(path, &about) == 0 && S_ISDIR(about.st_mode))
        errx(1, "%s: is a directory, not a trace", path);
    size_t length;
    char *bytes = read_all(path, &length), *end = bytes + length;
    int first_process = story->process_count, first_record = story->record_count;
    if (length == 0)
        story_misses(story, "%s is empty.", path);
    for (char *line = bytes, *next; line < end; line = next) {
        at.line++;
        char *newline = memchr(line, '\n', (size_t)(end - line));
        if (!newline) {
            story_misses(story, "%s is cut off in line %d: what follows is not shown.", path,
                         at.line);
            break;
        }
        *newline = '\0';
        next = newline + 1;
        if (strlen(line) != (size_t)(newline - line))
            refuse(&at, "a NUL byte");
        read_line(story, &at, line, file);
        const struct record *record = &story->records[story->record_count - 1];
        check_clock(story, &at, latest, record);
        latest[record->process] = record->began;
    }
    check_twice(story, path, first_process);
    if (story->record_count == first_record)
        free(bytes); /* otherwise the records point into it */
}

static void check_sides(struct story *story)
{
    bool talker = false, listener = false;
    for (int i = 0; i < story->process_count; i++)
        *(story->processes[i].is_talker ? &talker : &listener) = true;
    if (!talker)
        story_misses(story, "There is no trace of a talker: what it did is not shown.");
    if (!listener)
        story_misses(story, "There is no trace of a listener: what it did is not shown.");
}

void story_read(struct story *story, int count, char **paths)
{
    for (int i = 0; i < count; i++)
        read_trace(story, paths[i], i);
    if (story->record_count == 0)
        errx(1, "%s: no record is in it: a program with -T FILE writes a trace", paths[0]);
    check_sides(story);
}
