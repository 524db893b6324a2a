/* watch.c - shows a segment, its processes and their SIGUSR1 while they run; see scripts/watch.
 *
 * A picture is a list of lines: a name and a value. A line is marked if the picture before had
 * another value for this name, or had no such line.
 */
#include "watch.h"

#include "../common/clock.h"
#include "../common/layout/head.h"
#include "../common/text.h"
#include "../common/trace.h"

#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/select.h>
#include <sys/shm.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum { DONE, FAILED, USAGE, NO_SEGMENT };
enum { WIDTH = 80, LINES = 64, VALUE = 160, PROCESSES_SHOWN = 24 };
#define SECOND 1000000000LL

/* ---- the command line ---- */

static struct {
    const char *file;
    int project, shmid; /* shmid -1: not given */
    bool by_key;        /* --file or --project is given */
    bool once, wait, attach;
    const struct layout *lesson; /* NULL: as the segment says */
    double interval;
} options = {.file = "shmfile", .project = 1, .shmid = -1, .interval = 0.1};

static long number(const char *name, const char *text, long least, long most)
{
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || errno != 0 || value < least || value > most)
        errx(USAGE, "--%s: '%s' is not a whole number from %ld to %ld", name, text, least, most);
    return value;
}

static double seconds(const char *text)
{
    char *end;
    double value = strtod(text, &end);
    if (*text == '\0' || strspn(text, "0123456789.") != strlen(text) || *end != '\0' ||
        !(value >= 0.01) || value > 3600)
        errx(USAGE, "--interval: '%s' is not a number of seconds from 0.01 to 3600", text);
    return value;
}

static void take(int letter, const char *value)
{
    switch (letter) {
    case 'f':
        options.file = value;
        options.by_key = true;
        break;
    case 'j':
        options.project = (int)number("project", value, 1, 255);
        options.by_key = true;
        break;
    case 's':
        options.shmid = (int)number("shmid", value, 0, 0x7fffffff);
        break;
    case 'i':
        options.interval = seconds(value);
        break;
    case 'l':
        if (!(options.lesson = layout_of_name(value)))
            errx(USAGE, "--lesson: '%s' is not a lesson with a System V segment", value);
        break;
    case 'o':
        options.once = true;
        break;
    case 'w':
        options.wait = true;
        break;
    case 'a':
        options.attach = true;
        break;
    }
}

static void parse(int argc, char **argv)
{
    static const struct option known[] = {{"file", required_argument, NULL, 'f'},
                                          {"project", required_argument, NULL, 'j'},
                                          {"shmid", required_argument, NULL, 's'},
                                          {"interval", required_argument, NULL, 'i'},
                                          {"lesson", required_argument, NULL, 'l'},
                                          {"once", no_argument, NULL, 'o'},
                                          {"wait", no_argument, NULL, 'w'},
                                          {"attach", no_argument, NULL, 'a'},
                                          {NULL, 0, NULL, 0}};
    int letter, at;
    opterr = 0;
    while (at = optind, (letter = getopt_long(argc, argv, "+:f:j:i:w", known, NULL)) != -1) {
        if (letter == ':')
            errx(USAGE, "option '%s' needs a value; --help shows the usage", argv[at]);
        if (letter == '?')
            errx(USAGE, "unknown option '%s'; --help shows the usage", argv[at]);
        take(letter, optarg);
    }
    if (optind < argc)
        errx(USAGE, "unexpected operand '%s'; --help shows the usage", argv[optind]);
    if (options.shmid != -1 && options.by_key)
        errx(USAGE, "--shmid names the segment, so --file and --project cannot: give one of them");
}

/* ---- a picture ---- */

enum colour { PLAIN, HEADING, TALKER, LISTENER, WARNING };

struct line {
    char name[24], value[VALUE];
    char was[VALUE];   /* what the value was before it changed */
    long long changed; /* when it changed; 0: not in this run */
    enum colour colour;
};

struct picture {
    struct line line[LINES];
    int count;
};

static struct line *add(struct picture *picture, enum colour colour, const char *name)
{
    int at = picture->count < LINES ? picture->count++ : LINES - 1;
    struct line *line = &picture->line[at];
    *line = (struct line){.colour = colour};
    text_append(line->name, sizeof line->name, "%s", name);
    return line;
}

static void put(struct line *line, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(struct line *line, const char *format, ...)
{
    char text[VALUE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    text_append(line->value, sizeof line->value, "%s", text);
}

/* What is seen of the segment at one moment. */
struct sight {
    struct facts facts;
    struct processes processes;
    struct reader reader;
    struct copy copy;
    bool is_copied;
    struct head head;
    const struct layout *layout; /* NULL: unknown */
    pid_t stuck;                 /* it sleeps, though it should run; 0: none */
    long long stuck_since;
};

static enum colour colour_of(const struct sight *sight, pid_t pid)
{
    return pid == sight->facts.creator ? LISTENER : TALKER;
}

/* A PID, and the name of its process if we know it, or else `unknown`. */
static void put_pid(struct line *line, const struct sight *sight, long long pid,
                    const char *unknown)
{
    const struct process *process = process_of(&sight->processes, (pid_t)pid);
    put(line, "%lld", pid);
    if (pid == getpid())
        put(line, " (this watch)");
    else if (process) {
        char name[64] = "";
        text_append_escaped(name, sizeof name, process->name, strlen(process->name));
        put(line, " (%s%s)", name, process->state == 0 ? ", has ended" : "");
    } else if (pid != 0)
        put(line, " (%s)", unknown);
}

/* ---- ... of the kernel's facts ---- */

static int attachments_found(const struct processes *processes)
{
    int found = 0;
    for (int i = 0; i < processes->count; i++)
        found += processes->list[i].attachments;
    return found;
}

static void show_facts(struct picture *picture, const struct sight *sight)
{
    const struct facts *facts = &sight->facts;
    char name[24];
    snprintf(name, sizeof name, "segment %d", facts->shmid);
    struct line *line = add(picture, HEADING, name);
    if (facts->mode & SHM_DEST)
        put(line, ": %lu bytes, REMOVED: it lives until the last process detaches", facts->size);
    else
        put(line, ": key %#x, %lu bytes, mode 0%o", (unsigned)facts->key, facts->size,
            facts->mode & 0777);
    if (facts->uid != geteuid())
        put(line, ", owner uid %lu", facts->uid);

    line = add(picture, PLAIN, "shm_nattch");
    put(line, "%lu", facts->nattch);
    long hidden = (long)facts->nattch - attachments_found(&sight->processes);
    if (hidden > 0)
        put(line, ", of them %ld by processes that we may not look at", hidden);
    put_pid(add(picture, PLAIN, "shm_cpid"), sight, facts->creator, "has ended");
    put_pid(add(picture, PLAIN, "shm_lpid"), sight, facts->last, "has ended");
}

/* ---- ... of the words ---- */

/* A PID in the segment is a claim: any process that can write there can write any number. */
static const char stranger[] = "has not attached it";

static void put_letters(struct line *line, uint32_t word)
{
    char letters[4];
    for (int i = 0; i < 4; i++)
        letters[i] = (char)(word >> (24 - 8 * i) & 0xff);
    char text[32] = "";
    text_append_quoted(text, sizeof text, letters, sizeof letters, sizeof letters);
    put(line, "%#x %s", (unsigned)word, word != 0 ? text : "");
}

static void put_bytes(struct line *line, const char *bytes, size_t length)
{
    char text[5 * MESSAGE_SHOWN] = "";
    text_append_quoted(text, sizeof text, bytes, length, MESSAGE_SHOWN);
    put(line, "%s", text);
}

static void show_head(struct picture *picture, const struct sight *sight)
{
    struct line *line = add(picture, PLAIN, "magic");
    put_letters(line, sight->head.magic);
    if (sight->head.magic == 0)
        put(line, "(not ready yet)");
    put_letters(add(picture, PLAIN, "lesson"), sight->head.lesson);
    put(add(picture, PLAIN, "version"), "%u", (unsigned)sight->head.version);
    line = add(picture, PLAIN, "stopped");
    put(line, "talker ");
    put_pid(line, sight, sight->head.stopped[SIDE_TALKER], stranger);
    put(line, ", listener ");
    put_pid(line, sight, sight->head.stopped[SIDE_LISTENER], stranger);
}

static void show_word(struct picture *picture, const struct sight *sight, const struct word *word)
{
    struct line *line = add(picture, PLAIN, word->name);
    const struct copy *copy = &sight->copy;
    if (word->offset >= copy->length) {
        put(line, "(behind the end of this segment)");
        return;
    }
    if (word->kind == WORD_TEXT) {
        const char *text = (const char *)copy->bytes + word->offset;
        size_t most = copy->length - word->offset;
        put_bytes(line, text, strnlen(text, word->size < most ? word->size : most));
        return;
    }
    long long value = word_number(copy, word);
    if (word->kind == WORD_PID)
        put_pid(line, sight, value, stranger);
    else if (word->kind == WORD_HEX)
        put(line, "%#llx",
            word->size == 4 ? (unsigned long long)(unsigned)value : (unsigned long long)value);
    else
        trace_append_value(line->value, sizeof line->value, sight->layout->values, word->name,
                           value);
}

static void show_seats_and_text(struct picture *picture, const struct sight *sight)
{
    int at[SEATS_SHOWN];
    pid_t pid[SEATS_SHOWN];
    int taken = pair_seats(&sight->copy, at, pid);
    struct line *line = add(picture, PLAIN, "seat");
    for (int i = 0; i < taken && i < SEATS_SHOWN; i++) {
        put(line, "%s[%d] ", i == 0 ? "" : ", ", at[i]);
        put_pid(line, sight, pid[i], stranger);
    }
    if (taken > SEATS_SHOWN)
        put(line, ", and %d more", taken - SEATS_SHOWN);
    else
        put(line, "%s", taken == 0 ? "all are free" : "; the others are free");
    size_t length;
    const char *text = pair_text(&sight->copy, &length);
    put_bytes(add(picture, PLAIN, "text"), text, length);
}

static bool has_words(const struct sight *sight)
{
    return sight->is_copied && (sight->layout || sight->head.magic == SEGMENT_MAGIC);
}

static void show_words(struct picture *picture, const struct sight *sight)
{
    const struct layout *layout = sight->layout;
    if (!has_words(sight))
        return;
    struct line *line = add(picture, HEADING, "words");
    if (layout)
        put(line, " of the lesson \"%s\"", layout->lesson);
    if (sight->reader.source == SOURCE_PAGES)
        put(line, ", from its pages: watch attached it for a moment");
    if (!layout || layout->id != 0)
        show_head(picture, sight);
    for (size_t i = 0; layout && i < layout->count; i++)
        show_word(picture, sight, &layout->words[i]);
    if (layout && layout->is_pair)
        show_seats_and_text(picture, sight);
}

/* ---- ... of the processes ---- */

static void state_text(const struct process *process, char *text, size_t size)
{
    static const char letters[] = "RSDTtZXI";
    static const char *const names[] = {"runs",      "sleeps", "sleeps (D)", "stopped",
                                        "is traced", "zombie", "dead",       "idle"};
    const char *letter = process->state ? strchr(letters, process->state) : NULL;
    text_append(text, size, "%s",
                process->state == 0 ? "has ended"
                : letter            ? names[letter - letters]
                                    : "?");
    if (process->call[0])
        text_append(text, size, " in %s", process->call);
    else if (process->attachments == 0 && process->state != 0 && process->state != 'Z')
        text_append(text, size, ", detached");
}

static const char *action_of(const struct process *process)
{
    return process->catches ? "caught" : process->ignores ? "ignored" : "kills";
}

static void show_process(struct picture *picture, const struct sight *sight,
                         const struct process *process)
{
    char pid[16], name[64] = "", state[48] = "";
    snprintf(pid, sizeof pid, "%d", (int)process->pid);
    text_append_escaped(name, sizeof name, process->name, strlen(process->name));
    state_text(process, state, sizeof state);
    struct line *line = add(picture, colour_of(sight, process->pid), pid);
    put(line, "%-19.19s %-22.22s", name, state);
    if (process->state != 0 && process->state != 'Z')
        put(line, " %-7s %-7s %s", process->blocks ? "yes" : "no", process->pending ? "YES" : "no",
            action_of(process));
}

static void show_processes(struct picture *picture, const struct sight *sight)
{
    const struct processes *processes = &sight->processes;
    struct line *heading = add(picture, HEADING, "processes");
    int shown = 0, hidden = 0;
    for (int i = 0; i < processes->count; i++) {
        const struct process *process = &processes->list[i];
        if (process->attachments == 0 && process->state != 'Z' &&
            (process->state == 0 || process->pid != sight->facts.creator))
            continue;
        if (shown == PROCESSES_SHOWN) {
            hidden++;
            continue;
        }
        show_process(picture, sight, process);
        shown++;
    }
    if (shown == 0)
        put(heading, ": none that we may look at has attached it");
    else
        put(heading, "%30s %16s blocked pending action", "state", "SIGUSR1:");
    if (hidden > 0)
        put(add(picture, PLAIN, "..."), "and %d%s more", hidden, processes->more ? " or" : "");
}

/* ---- ... and what is to say about it ---- */

static bool has_32_bit(const struct processes *processes)
{
    for (int i = 0; i < processes->count; i++)
        if (processes->list[i].attachments > 0 && processes->list[i].is_32_bit)
            return true;
    return false;
}

static bool is_of_our_size(const struct sight *sight)
{
    return sight->facts.size % 4096 == 4001; /* see segment_size */
}

static void say_why_no_words(struct line *line, const struct sight *sight)
{
    if (!sight->is_copied && sight->reader.why[0])
        put(line, "not read: %s", sight->reader.why);
    else if (!sight->is_copied)
        put(line, "not read: no process has it attached%s",
            sight->facts.attached == 0 ? " so far" : " now");
    else
        put(line, "not shown: it is foreign, because its first word is %#x",
            (unsigned)sight->head.magic);
}

static const char *owner_of_turn(const struct sight *sight)
{
    return sight->stuck == sight->facts.creator ? "listener" : "talker";
}

static void say_stuck(struct picture *picture, const struct sight *sight)
{
    const struct process *process = process_of(&sight->processes, sight->stuck);
    if (!process || sight->stuck_since == 0 || clock_now() - sight->stuck_since < SECOND)
        return;
    int all = 0;
    for (int i = 0; i < sight->processes.count; i++)
        all += sight->processes.list[i].attachments > 0;
    struct line *line = add(picture, WARNING, "stuck");
    put(line, "%s sleep: the turn is the %s's", all > 2 ? "all" : "both", owner_of_turn(sight));
    put(line,
        process->pending ? "; SIGUSR1 is pending, but blocked" : ", and no SIGUSR1 is pending");
}

static void show_notes(struct picture *picture, const struct sight *sight)
{
    if (!has_words(sight))
        say_why_no_words(add(picture, WARNING, "words"), sight);
    else if (!sight->layout)
        put(add(picture, WARNING, "note"), "watch does not know this lesson or version");
    if (has_words(sight) && has_32_bit(&sight->processes) && layout_is_wide(sight->layout))
        put(add(picture, WARNING, "note"),
            "a 32-bit program is attached: for it, words of 8 bytes may stand elsewhere");
    say_stuck(picture, sight);
}

/* ---- look ---- */

static const struct layout *layout_of(const struct sight *sight)
{
    const struct facts *facts = &sight->facts;
    const struct layout *layout = layout_of_id(sight->head.lesson);
    if (sight->head.magic == SEGMENT_MAGIC || (sight->head.magic == 0 && is_of_our_size(sight)))
        return layout && layout->version == sight->head.version ? layout : NULL;
    if (options.lesson && options.lesson->id == 0)
        return options.lesson;
    if (facts->size != 1024 || facts->key == IPC_PRIVATE)
        return NULL;
    return layout_of_name(facts->key == 9527 ? "counter" : "textbook");
}

static bool copy_words(struct sight *sight, struct copy *copy)
{
    return reader_copy(&sight->reader, &sight->facts, &sight->processes, layout_span(sight->layout),
                       copy);
}

/* The head says which lesson it is, and the lesson how many bytes there are to copy. */
static bool look_at_words(struct sight *sight, struct copy *copy)
{
    if (!copy_words(sight, copy))
        return false;
    const struct layout *before = sight->layout;
    sight->head = head_of(copy);
    sight->layout = layout_of(sight);
    return sight->layout == before || copy_words(sight, copy);
}

static bool all_sleep(const struct processes *processes)
{
    int attached = 0;
    for (int i = 0; i < processes->count; i++) {
        if (processes->list[i].attachments == 0)
            continue;
        if (processes->list[i].state != 'S')
            return false;
        attached++;
    }
    return attached >= 2;
}

/* Returns the process that should run, if all sleep and no signal is on its way to it; else 0. */
static pid_t who_is_stuck(const struct sight *sight)
{
    if (!sight->is_copied || !sight->layout || !all_sleep(&sight->processes))
        return 0;
    pid_t pid = layout_who_should_run(sight->layout, &sight->copy, sight->facts.creator);
    const struct process *process = process_of(&sight->processes, pid);
    bool sleeps = process && process->attachments > 0 && sleeps_for_signal(process);
    return sleeps && (!process->pending || process->blocks) ? pid : 0;
}

/* A timer may wake a process for some microseconds, and then it sleeps on. */
static bool one_runs(const struct processes *processes)
{
    for (int i = 0; i < processes->count; i++)
        if (processes->list[i].attachments > 0 && processes->list[i].state == 'R')
            return true;
    return false;
}

static bool is_same(const struct copy *a, const struct copy *b)
{
    return a->length == b->length && a->length > 0 && memcmp(a->bytes, b->bytes, a->length) == 0;
}

/* Returns false if the segment is gone. */
static bool look(struct sight *sight)
{
    struct facts before = sight->facts;
    if (!facts_of(before.shmid, &sight->facts))
        return false;
    processes_look(&sight->processes, &before, &sight->facts);
    struct copy copy = {NULL, 0};
    sight->is_copied = look_at_words(sight, &copy);
    bool same = is_same(&copy, &sight->copy);
    free(sight->copy.bytes);
    sight->copy = copy;
    if (same && one_runs(&sight->processes))
        return true;
    pid_t stuck = who_is_stuck(sight);
    if (stuck == 0 || stuck != sight->stuck || !same)
        sight->stuck_since = stuck != 0 ? clock_now() : 0;
    sight->stuck = stuck;
    return true;
}

static void take_picture(struct picture *picture, const struct sight *sight)
{
    picture->count = 0;
    show_facts(picture, sight);
    show_words(picture, sight);
    show_processes(picture, sight);
    show_notes(picture, sight);
}

/* ---- what has changed ---- */

static const struct line *line_of(const struct picture *picture, const char *name)
{
    for (int i = 0; i < picture->count; i++)
        if (strcmp(picture->line[i].name, name) == 0)
            return &picture->line[i];
    return NULL;
}

/* Marks what differs from the picture before. A mark stays for `keep` nanoseconds. Returns whether
 * anything differs. */
static bool mark_changes(struct picture *picture, const struct picture *before, long long keep)
{
    bool changed = picture->count != before->count;
    long long now = clock_now();
    for (int i = 0; i < picture->count; i++) {
        struct line *line = &picture->line[i];
        const struct line *old = line_of(before, line->name);
        if (!old || strcmp(old->value, line->value) != 0) {
            changed = true;
            line->changed = now;
            snprintf(line->was, sizeof line->was, "%s", old ? old->value : "");
        } else if (old->changed != 0 && now - old->changed < keep) {
            line->changed = old->changed;
            memcpy(line->was, old->was, sizeof line->was);
        }
    }
    return changed;
}

/* ---- the screen ---- */

static struct {
    bool terminal, colours;
    char text[LINES * (WIDTH + 64)];
} screen;

static void screen_start(void)
{
    const char *term = getenv("TERM"), *no_colour = getenv("NO_COLOR");
    bool smart = term && strcmp(term, "dumb") != 0;
    screen.terminal = isatty(STDOUT_FILENO) && smart && !options.once;
    screen.colours = isatty(STDOUT_FILENO) && smart && !(no_colour && *no_colour);
    if (screen.terminal)
        printf("\033[H\033[2J");
}

static void screen_size(int *rows, int *columns)
{
    struct winsize size;
    *rows = LINES + 1;
    *columns = WIDTH;
    if (!screen.terminal || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == -1 || size.ws_row == 0)
        return;
    *rows = size.ws_row;
    if (size.ws_col > 0 && size.ws_col < WIDTH)
        *columns = size.ws_col;
}

static const char *sequence(enum colour colour, bool changed)
{
    static const char *const plain[] = {"", "\033[1m", "\033[35m", "\033[32m", "\033[1;31m"};
    static const char *const marked[] = {"\033[1;33m", "\033[1;33m", "\033[1;35m", "\033[1;32m",
                                         "\033[1;31m"};
    return !screen.colours ? "" : changed ? marked[colour] : plain[colour];
}

static int name_width(const struct picture *picture)
{
    size_t width = 10;
    for (int i = 0; i < picture->count; i++)
        if (picture->line[i].colour != HEADING && strlen(picture->line[i].name) > width)
            width = strlen(picture->line[i].name);
    return (int)width;
}

static void draw_line(const struct line *line, int width, int columns)
{
    char text[3 * VALUE] = "";
    const char *mark = line->changed ? "*" : " ";
    if (line->colour == HEADING)
        text_append(text, sizeof text, "%s%s", line->name, line->value);
    else
        text_append(text, sizeof text, "%s %-*s  %s", mark,
                    line->colour == TALKER || line->colour == LISTENER ? 10 : width, line->name,
                    line->value);
    if (line->changed && line->was[0] && line->colour == PLAIN)
        text_append(text, sizeof text, "   was %s", line->was);
    if ((int)strlen(text) > columns)
        snprintf(text + columns - 3, 4, "...");
    text_append(screen.text, sizeof screen.text, "%s%s%s%s\n",
                sequence(line->colour, line->changed), text, screen.colours ? "\033[0m" : "",
                screen.terminal ? "\033[K" : "");
}

static void draw(const struct picture *picture)
{
    int rows, columns;
    screen_size(&rows, &columns);
    snprintf(screen.text, sizeof screen.text, "%s", screen.terminal ? "\033[H" : "");
    for (int i = 0; i < picture->count && i < rows - 1; i++)
        draw_line(&picture->line[i], name_width(picture), columns);
    if (screen.terminal)
        text_append(screen.text, sizeof screen.text, "\033[J");
    if (fputs(screen.text, stdout) == EOF || fflush(stdout) != 0)
        err(FAILED, "write to stdout");
}

/* ---- signals ---- */

static volatile sig_atomic_t ending; /* the signal that asks us to end */
static sigset_t usual;               /* the mask that we inherited */

static void on_ending(int signo)
{
    ending = signo;
}

/* They are blocked except in nap, so that no picture is drawn by half. */
static void signals_start(void)
{
    static const int asks[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    struct sigaction action = {.sa_handler = on_ending};
    sigset_t blocked;
    sigemptyset(&action.sa_mask);
    sigemptyset(&blocked);
    for (size_t i = 0; i < sizeof asks / sizeof *asks; i++) {
        sigaddset(&blocked, asks[i]);
        sigaction(asks[i], &action, NULL);
    }
    sigprocmask(SIG_BLOCK, &blocked, &usual);
}

static void obey(void)
{
    if (!ending)
        return;
    signal(ending, SIG_DFL);
    raise(ending);
    sigprocmask(SIG_SETMASK, &usual, NULL);
}

/* The programs have timers. With the same rhythm as theirs we would always see them awake. */
static double varied(double interval)
{
    static unsigned state = 1;
    state = state * 1103515245u + 12345u;
    return interval * (0.8 + 0.4 * (state >> 16 & 0xff) / 255);
}

static void nap(double length)
{
    struct timespec time = {(time_t)length, (long)((length - (double)(time_t)length) * 1e9)};
    pselect(0, NULL, NULL, NULL, &time, &usual);
    obey();
}

/* ---- which segment ---- */

enum { LISTED = 32 };

static bool is_live_and_ours(const struct facts *facts)
{
    return facts->uid == geteuid() && facts->nattch > 0;
}

static _Noreturn void list_and_exit(const struct facts *list, int count)
{
    for (int i = 0; i < count && i < LISTED; i++)
        printf("--shmid %d: key %#x, %lu bytes, shm_cpid %d, shm_nattch %lu\n", list[i].shmid,
               (unsigned)list[i].key, list[i].size, list[i].creator, list[i].nattch);
    fflush(stdout);
    errx(USAGE, "%d segments of yours are in use: choose one with --shmid", count);
}

/* Returns the shmid, or -1. */
static int find_by_key(void)
{
    key_t key = ftok(options.file, options.project);
    if (key == -1 && errno != ENOENT)
        err(FAILED, "ftok(\"%s\", %d)", options.file, options.project);
    return key == -1 ? -1 : shmget(key, 0, 0);
}

static int find_the_only_one(void)
{
    struct facts list[LISTED];
    int count = facts_list(is_live_and_ours, list, LISTED);
    if (count > 1)
        list_and_exit(list, count);
    if (count == 1)
        warnx("no segment has the key of \"%s\": segment %d is the only one of yours in use",
              options.file, list[0].shmid);
    return count == 1 ? list[0].shmid : -1;
}

static int find(void)
{
    int shmid = options.shmid;
    if (shmid == -1)
        shmid = find_by_key();
    if (shmid == -1 && !options.by_key && !options.wait)
        shmid = find_the_only_one();
    return shmid;
}

static int find_or_exit(void)
{
    int shmid = find();
    struct facts facts;
    while (options.wait && (shmid == -1 || !facts_of(shmid, &facts))) {
        nap(0.05);
        shmid = find();
    }
    if (shmid != -1 && facts_of(shmid, &facts))
        return shmid;
    if (options.shmid != -1)
        errx(NO_SEGMENT, "there is no segment %d: see ipcs -m", options.shmid);
    errx(NO_SEGMENT, "no segment has the key of \"%s\" and project %d: start a listener first",
         options.file, options.project);
}

/* ---- from beginning to end ---- */

/* The kernel does not record who removed a segment. */
static void say_removed(const struct sight *sight)
{
    struct line line = {.value = ""};
    put_pid(&line, sight, sight->facts.creator, "has ended");
    printf("%ssegment %d is gone: it was removed. The kernel does not record by whom.\n"
           "Its creator was PID %s.\n",
           screen.terminal ? "" : "\n", sight->facts.shmid, line.value);
}

/* For --once: processes that seem to be stuck are looked at for a second, and shown asleep. */
static bool may_be_stuck(const struct sight *sight)
{
    return options.once && sight->stuck_since != 0 &&
           (clock_now() - sight->stuck_since < SECOND || one_runs(&sight->processes));
}

static void show(const struct sight *sight, long long began)
{
    static struct picture now, before;
    take_picture(&now, sight);
    bool is_first = before.count == 0;
    bool changed = mark_changes(&now, &before, screen.terminal ? SECOND : 0);
    for (int i = 0; is_first && i < now.count; i++)
        now.line[i].changed = 0;
    if (!changed && !screen.terminal)
        return;
    if (!screen.terminal && !is_first)
        printf("\nafter %.3f s\n", (double)(clock_now() - began) / 1e9);
    draw(&now);
    before = now;
}

int main(int argc, char **argv)
{
    parse(argc, argv);
    signals_start();
    static struct sight sight = {.reader = READER_START};
    sight.facts.shmid = find_or_exit();
    sight.reader.only_pages = options.attach;
    screen_start();
    long long began = clock_now();
    while (look(&sight)) {
        if (!may_be_stuck(&sight))
            show(&sight, began);
        if (options.once && !may_be_stuck(&sight))
            return DONE;
        nap(varied(options.interval));
    }
    say_removed(&sight);
    return fflush(stdout) == 0 ? DONE : FAILED;
}
