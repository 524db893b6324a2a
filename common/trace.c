/* trace.c - narrate a run as it happens; see trace.h. */
#define _DEFAULT_SOURCE /* on_exit */
#include "trace.h"
#include "clock.h"
#include "ready.h"
#include "signals.h"
#include "text.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    LINE = 2048,
    TEXT = 1536,
    SHOWN = 32
}; /* SHOWN: bytes of a string, as many as strace shows */

bool trace_is_on;
struct trace_place trace_place = {"", 0, ""};

static struct trace_options options;
static int file = -1;
static bool muted, ending;
static _Atomic int *stops_to;
static void (*obey_ending)(void);

/* The word that was observed last, if nothing was narrated since. */
static struct {
    const volatile void *at;
    long long value;
} last_observed;

/* A sleep is narrated late: a process that wakes for nothing goes on with the same sleep. */
static struct {
    bool pending;
    long long began, ended;
    struct trace_place place;
    char text[TEXT];
} asleep;

void trace_end(const char *how)
{
    if (file == -1)
        return;
    char text[TEXT] = "end: ";
    text_append(text, sizeof text, "%s", how);
    muted = false;
    const int verbose = options.verbose;
    options.verbose = 0;
    trace_note(text);
    options.verbose = verbose;
}

#ifdef __GLIBC__
static void end_with_status(int status, void *unused)
{
    (void)unused;
    char how[32] = "";
    text_append(how, sizeof how, "exit status %d", status);
    trace_end(how);
}
#else
static void end_somehow(void)
{
    trace_end("exit");
}
#endif

/* Called first, so it is the last thing that the process does. */
static bool note_the_end(void)
{
#ifdef __GLIBC__
    return on_exit(end_with_status, NULL) == 0;
#else
    return atexit(end_somehow) == 0;
#endif
}

/* With O_NONBLOCK, the open of a FIFO that no process reads fails. Without it, it waits, and
 * nothing would limit that. The writes are to block again. */
static bool open_file(void)
{
    const int flags = O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NONBLOCK;
    int fd = open(options.file, flags, 0666);
    if (fd == -1 || fcntl(fd, F_SETFL, O_APPEND) == -1)
        return false;
    file = fd;
    return true;
}

int trace_start(const struct trace_options *how)
{
    options = *how;
    if (options.file && (!open_file() || !note_the_end()))
        return -1;
    trace_is_on = options.verbose || options.step || options.hold || options.file;
    return 0;
}

/* ---- a line on stderr, a record in the file ---- */

/* Writes `text` whole. If no process reads `fd` (a full pipe, a stopped terminal), a signal that
 * asks us to end must still get through. So we wait with these signals unblocked. If one comes, we
 * return false, and the program soon comes to the place where it obeys. */
static bool write_whole(int fd, const char *text)
{
    sigset_t mask;
    sigprocmask(SIG_BLOCK, NULL, &mask);
    sigaddset(&mask, SIGUSR1); /* it may be unblocked just now; it must not be taken here */
    sigaddset(&mask, SIGALRM);
    for (int i = 0; i < SIGNALS_THAT_END; i++)
        if (signals_that_end[i] != SIGPIPE) /* that is pending after a write that failed */
            sigdelset(&mask, signals_that_end[i]);
    for (size_t left = strlen(text); left > 0;) {
        ssize_t written = -1;
        errno = 0;
        int ready = ready_wait(fd, READY_TO_WRITE, &mask, ending);
        if (ready == 1 || (ready == -1 && errno != EINTR)) /* cannot wait: the write waits */
            written = write(fd, text, left);
        if (written == -1 && errno == EAGAIN && !ending)
            continue;
        if (written == -1)
            return false;
        text += written;
        left -= (size_t)written;
    }
    return true;
}

static void write_line(const char *text)
{
    char line[LINE] = "";
    text_append(line, sizeof line - 1, "%s[%d] %s", options.program, (int)getpid(), text);
    text_append(line, sizeof line, "\n");
    if (!write_whole(STDERR_FILENO, line))
        options.verbose = 0; /* after SIGPIPE as well: it is pending, and obeyed later */
}

/* Eight fields, separated by tabs. One write(2) with O_APPEND: the records of a process and of its
 * child after fork do not mix. The warning is to be traced as well: so the trace ends before it. */
static void write_record(const char *kind, long long began, long long took,
                         const struct trace_place *place, const char *text)
{
    char line[LINE + TEXT] = "";
    text_append(line, sizeof line, "%lld\t%s\t%d\t%s:%d\t%s\t%s\t%s\t%lld\n", began,
                options.program, (int)getpid(), place->file, place->line, kind, text, place->why,
                took);
    if (write_whole(file, line))
        return;
    file = -1;
    if (errno != 0 && errno != EINTR) /* else it is a signal that ends us */
        warn("write to the trace \"%s\": the trace ends here", options.file);
}

/* Narrates the sleep that is over now. */
static void tell_sleep(void)
{
    if (!asleep.pending)
        return;
    asleep.pending = false;
    if (options.verbose)
        write_line(asleep.text);
    if (file != -1)
        write_record("call", asleep.began, asleep.ended - asleep.began, &asleep.place, asleep.text);
}

static void tell(const char *kind, long long began, long long took, const char *text)
{
    if (muted)
        return;
    last_observed.at = NULL;
    tell_sleep();
    if (options.verbose && strcmp(kind, "print") != 0)
        write_line(text);
    if (file != -1)
        write_record(kind, began, took, &trace_place, text);
}

/* Not a record: each record carries the explanation in force. */
void trace_explain(const char *why)
{
    trace_place.why = why;
    last_observed.at = NULL; /* what is observed now is observed for another reason */
    if (!options.explain)
        return;
    tell_sleep();
    char text[TEXT] = "# ";
    text_append(text, sizeof text, "%s", why);
    write_line(text);
}

void trace_note(const char *text)
{
    tell("note", clock_now(), 0, text);
}

void trace_print(const char *line, size_t length)
{
    if (file == -1)
        return;
    char text[TEXT] = "";
    text_append_escaped(text, sizeof text, line, length);
    tell("print", clock_now(), 0, text);
}

void trace_only_if_very_verbose(bool on)
{
    muted = on && options.verbose < 2;
}

/* ---- stopping ---- */

void trace_stops_to(_Atomic int *stopped)
{
    stops_to = stopped;
}

void trace_obeys(void (*obey)(void))
{
    obey_ending = obey;
}

void trace_stop_no_more(void)
{
    options.step = false;
    options.hold = NULL;
}

void trace_ending(void)
{
    trace_stop_no_more();
    ending = true;
}

static void stop_before(const char *what)
{
    int saved = errno;
    char text[TEXT] = "";
    text_append(text, sizeof text, "stopped before %s: \"fg\" or \"kill -CONT %d\" goes on", what,
                (int)getpid());
    const volatile void *looked_at = last_observed.at;
    const bool was_muted = muted;
    muted = false;
    trace_note(text);
    muted = was_muted;
    last_observed.at = looked_at; /* a loop that stops before its sleep has seen nothing new */
    if (stops_to)
        atomic_store(stops_to, (int)getpid());
    raise(SIGSTOP);
    if (stops_to)
        atomic_store(stops_to, 0);
    if (obey_ending && options.step)
        obey_ending();
    errno = saved;
}

/* "kill" of "kill(4711, SIGUSR1)"; a point has no parenthesis. */
static size_t name_length(const char *call)
{
    return strcspn(call, "(");
}

/* Whether --hold names this call or point, and this is the N-th time. */
static bool held(const char *what)
{
    size_t length = name_length(what);
    return options.hold && strlen(options.hold) == length &&
           strncmp(options.hold, what, length) == 0 && --options.hold_nth == 0;
}

long long trace_reach(const char *call)
{
    if (!tracing())
        return 0;
    if (held(call) || (options.step && !muted))
        stop_before(call);
    return clock_now();
}

void trace_point(const char *name)
{
    if (!tracing())
        return;
    if (held(name))
        stop_before(name);
    char text[TEXT] = "point ";
    text_append(text, sizeof text, "%s", name);
    tell("point", clock_now(), 0, text);
}

/* ---- calls, sleeps and signals ---- */

void trace_call(long long began, const char *text)
{
    tell("call", began, clock_now() - began, text);
}

void trace_sleep(long long began, const char *text)
{
    asleep.pending = true;
    asleep.began = began;
    asleep.ended = clock_now();
    asleep.place = trace_place;
    asleep.text[0] = '\0';
    text_append(asleep.text, sizeof asleep.text, "%s", text);
}

bool trace_still_asleep(const char *call)
{
    return asleep.pending && strncmp(asleep.text, call, name_length(call) + 1) == 0;
}

void trace_signal(int signo, pid_t from)
{
    if (!tracing())
        return;
    char text[TEXT] = "";
    text_append(text, sizeof text, "--- %s from %d ---", signals_name(signo), (int)from);
    tell("signal", clock_now(), 0, text);
}

/* ---- what passes through the segment ---- */

/* "&pair->turn", "&shared.turn" and "&pair->turn[i]" are all shown as "turn". */
static void append_bare(char *text, size_t size, const char *field)
{
    const char *name = field, *end = field + strcspn(field, "[");
    for (const char *at = field; at < end; at++)
        if (*at == '>' || *at == '.' || *at == '&')
            name = at + 1;
    text_append(text, size, "%.*s", (int)(end - name), name);
}

/* Finds in `values` ("state: NOTHING SAID; step: MET SKIPPED=-1") the name that `value` has in this
 * field. A name without a number is one more than the name before it; the first is 0. Returns its
 * length, 0: it has none. */
static size_t name_of_value(const char *values, const char *field, long long value,
                            const char **name)
{
    size_t length = strlen(field);
    const char *at = values;
    while (at && !(strncmp(at, field, length) == 0 && at[length] == ':'))
        at = (at = strchr(at, ';')) ? at + 1 + strspn(at + 1, " ") : NULL;
    if (!at)
        return 0;
    at += length + 1;
    for (long long number = 0; *(at += strspn(at, " ")) != '\0' && *at != ';'; number++) {
        size_t word = strcspn(at, " ;="), all = strcspn(at, " ;");
        if (word < all)
            number = strtoll(at + word + 1, NULL, 10);
        if (number == value) {
            *name = at;
            return word;
        }
        at += all;
    }
    return 0;
}

/* As the letters that it is made of: 0x73686d74 "shmt". */
static void append_magic(char *text, size_t size, unsigned bits)
{
    char letters[4];
    for (int i = 0; i < 4; i++)
        letters[i] = (char)(bits >> (24 - 8 * i) & 0xff);
    text_append(text, size, "%#x ", bits);
    text_append_quoted(text, size, letters, sizeof letters, sizeof letters);
}

void trace_append_value(char *text, size_t size, const char *values, const char *field,
                        long long value)
{
    const char *name;
    size_t length = name_of_value(values, field, value, &name);
    unsigned bits = (unsigned)value;
    if (length > 0)
        text_append(text, size, "%.*s (%lld)", (int)length, name, value);
    else if (strcmp(field, "magic") == 0 && bits != 0)
        append_magic(text, size, bits);
    else if (strcmp(field, "key") == 0)
        text_append(text, size, "%#x", bits);
    else
        text_append(text, size, "%lld", value);
}

static bool steps(void)
{
    return options.step && !muted;
}

/* "publish state = SAID (1)" */
struct sentence {
    char text[TEXT];
};
static struct sentence about_value(const char *kind, const char *field, long long value)
{
    struct sentence about = {""};
    char bare[64] = "";
    append_bare(bare, sizeof bare, field);
    text_append(about.text, TEXT, "%s %s = ", kind, bare);
    trace_append_value(about.text, TEXT, options.values, bare, value);
    return about;
}

/* "observe state", without the value: it may change while the process stands still. */
static void stop_before_look(const char *field)
{
    if (!steps())
        return;
    char text[80] = "observe ";
    append_bare(text, sizeof text, field);
    stop_before(text);
}

void trace_publish(const char *field, long long value)
{
    if (!tracing())
        return;
    struct sentence about = about_value("publish", field, value);
    if (steps())
        stop_before(about.text);
    tell("publish", clock_now(), 0, about.text);
}

/* Narrated before the store, as publish is: else the line of a process that observes the value
 * could come first. */
bool trace_publish_if(const char *field, _Atomic int *at, int *expected, int value)
{
    struct sentence about = {""};
    if (tracing())
        about = about_value("publish", field, value);
    if (steps())
        stop_before(about.text);
    bool narrated = tracing() && atomic_load(at) == *expected;
    if (narrated)
        tell("publish", clock_now(), 0, about.text);
    bool stored = atomic_compare_exchange_strong(at, expected, value);
    if (narrated && !stored)
        trace_note("not published: another process was faster");
    return stored;
}

static bool was_seen(const volatile void *at, long long value)
{
    return at == last_observed.at && value == last_observed.value;
}

void trace_reach_observe(const char *field, const volatile void *at, long long value)
{
    if (!was_seen(at, value))
        stop_before_look(field);
}

void trace_observe(const char *field, const volatile void *at, long long value)
{
    if (!tracing() || was_seen(at, value))
        return;
    tell("observe", clock_now(), 0, about_value("observe", field, value).text);
    last_observed.at = at;
    last_observed.value = value;
}

/* ---- texts ---- */

static struct sentence about_text(const char *kind, const char *field, const char *bytes,
                                  size_t length)
{
    struct sentence about = {""};
    text_append(about.text, TEXT, "%s ", kind);
    append_bare(about.text, TEXT, field);
    text_append(about.text, TEXT, " = ");
    text_append_quoted(about.text, TEXT, bytes, length, SHOWN);
    return about;
}

static void tell_text(const char *kind, const char *field, const char *bytes, size_t length)
{
    if (tracing())
        tell(kind, clock_now(), 0, about_text(kind, field, bytes, length).text);
}

static void stop_and_tell_text(const char *field, const char *bytes, size_t length)
{
    if (steps())
        stop_before(about_text("publish", field, bytes, length).text);
    tell_text("publish", field, bytes, length);
}

void trace_publish_text(const char *field, const char *bytes, size_t length)
{
    tell_text("publish", field, bytes, length);
}

void trace_observe_text(const char *field, const char *bytes, size_t length)
{
    tell_text("observe", field, bytes, length);
}

void trace_observe_digits(const char *field, const volatile void *at, const char *digits,
                          long long number)
{
    if (!tracing() || was_seen(at, number))
        return;
    tell_text("observe", field, digits, strlen(digits));
    last_observed.at = at;
    last_observed.value = number;
}

void trace_copy_bytes_in(const char *field, char *at, const char *bytes, size_t length)
{
    stop_and_tell_text(field, bytes, length);
    memcpy(at, bytes, length);
}

void trace_copy_bytes_out(const char *field, char *bytes, const char *at, size_t length)
{
    stop_before_look(field);
    memcpy(bytes, at, length);
    tell_text("observe", field, bytes, length);
}

void trace_copy_text_in(const char *field, char *at, const char *string, size_t size)
{
    size_t length = strlen(string);
    if (length >= size)
        errx(1, "a text of %zu bytes does not fit into %zu", length, size);
    stop_and_tell_text(field, string, length);
    memcpy(at, string, length + 1);
}

void trace_copy_text_out(const char *field, char *text, const char *at, size_t size)
{
    stop_before_look(field);
    memcpy(text, at, size);
    text[size - 1] = '\0';
    tell_text("observe", field, text, strlen(text));
}
