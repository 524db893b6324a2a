/* narrate.c - tells a run as it happens; see narrate.h. */
#define IN_COMMON
#include "narrate.h"
#include "clock.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/select.h>
#include <unistd.h>

enum { LINE = 2048, TEXT = 1536, SHOWN = 32 }; /* SHOWN: of a string, as many as strace shows */

static struct narration narration;
static int trace = -1;
static bool ending;

/* Where in the lesson we are, and why. */
static struct place {
    const char *file;
    int line;
    const char *purpose;
} here = {"", 0, ""};

static _Atomic int *stops_to;

/* What was observed last, if nothing was told since: a loop that looks again is not told again. */
static struct {
    const volatile void *where;
    long long value;
} last_observed;

/* A sleep is told late: a sleeper that wakes up for nothing goes on with the same sleep. */
static struct {
    bool pending;
    long long began;
    struct place place;
    char text[TEXT];
} asleep;

void narrate_append(char *text, size_t size, const char *format, ...)
{
    size_t used = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + used, size - used, format, arguments);
    va_end(arguments);
}

/* Writes a line whole. Where nobody reads stderr (a full pipe, a terminal on hold) the signals that
 * ask us to end must still get through: we wait in pselect with them let in, and if one comes, we
 * narrate no more, so that the program reaches the place where it obeys; and then we wait no more.
 */
static void put(int fd, const char *line)
{
    sigset_t ends_let_in;
    sigprocmask(SIG_BLOCK, NULL, &ends_let_in);
    sigaddset(&ends_let_in, SIGUSR1); /* where they are let in just now (wakeup_let_in) */
    sigaddset(&ends_let_in, SIGALRM);
    sigdelset(&ends_let_in, SIGINT);
    sigdelset(&ends_let_in, SIGTERM);
    sigdelset(&ends_let_in, SIGHUP);

    size_t left = strlen(line);
    while (left > 0) {
        fd_set writable;
        FD_ZERO(&writable);
        FD_SET((size_t)fd, &writable);
        static const struct timespec at_once = {0, 0};
        int ready = pselect(fd + 1, NULL, &writable, NULL, ending ? &at_once : NULL, &ends_let_in);
        ssize_t written = ready == 1 ? write(fd, line, left) : -1;
        if (written == -1) {
            narration.verbose = false; /* if it was SIGPIPE: that is pending, and obeyed in time */
            return;
        }
        line += written;
        left -= (size_t)written;
    }
}

static void write_record(const char *kind, long long when, const struct place *place,
                         const char *text)
{
    char line[LINE + TEXT] = "";
    narrate_append(line, sizeof line, "%lld\t%s\t%d\t%s:%d\t%s\t%s\t%s\n", when, narration.program,
                   (int)getpid(), place->file, place->line, kind, text, place->purpose);
    if (write(trace, line, strlen(line)) == -1) {
        warn("write to the trace \"%s\": it ends here", narration.trace);
        trace = -1;
    }
}

static void write_line(const char *text)
{
    char line[LINE] = "";
    narrate_append(line, sizeof line - 1, "%s[%d] %s", narration.program, (int)getpid(), text);
    narrate_append(line, sizeof line, "\n");
    put(STDERR_FILENO, line);
}

/* Tells the sleep that is over now. */
static void tell_sleep(void)
{
    if (!asleep.pending)
        return;
    asleep.pending = false;
    if (narration.verbose)
        write_line(asleep.text);
    if (trace != -1)
        write_record("call", asleep.began, &asleep.place, asleep.text);
}

static void tell(const char *kind, long long when, const char *text)
{
    last_observed.where = NULL;
    tell_sleep();
    if (narration.verbose)
        write_line(text);
    if (trace != -1)
        write_record(kind, when, &here, text);
}

int narrate_as(const struct narration *how)
{
    narration = *how;
    if (!how->trace)
        return 0;
    int fd = open(how->trace, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666);
    if (fd == -1)
        return -1;
    trace = fcntl(fd, F_DUPFD_CLOEXEC, 3); /* not in the place of an output that is closed */
    close(fd);
    return trace == -1 ? -1 : 0;
}

const char *narrate_side(void)
{
    return strncmp(narration.program, "talker", strlen("talker")) == 0 ? "talker" : "listener";
}

bool narrating(void)
{
    return narration.verbose || narration.step || narration.hold || trace != -1;
}

void narrate_here(const char *file, int line)
{
    here.file = file;
    here.line = line;
}

/* Not a record of the trace: each record carries the explanation in force. */
void explain(const char *why)
{
    here.purpose = why;
    if (!narration.explain)
        return;
    tell_sleep();
    char text[TEXT] = "# ";
    narrate_append(text, sizeof text, "%s", why);
    write_line(text);
}

/* ---- stopping ---- */

void narrate_stops_to(_Atomic int *stopped)
{
    stops_to = stopped;
}

void narrate_stop_no_more(void)
{
    narration.step = false;
    narration.hold = NULL;
}

void narrate_ending(void)
{
    narrate_stop_no_more();
    ending = true;
}

static void stop_before(const char *what)
{
    int saved = errno;
    char text[TEXT] = "";
    narrate_append(text, sizeof text, "stopped before %s: \"fg\" or \"kill -CONT %d\" goes on",
                   what, (int)getpid());
    const volatile void *looked_at = last_observed.where;
    tell("note", clock_now(), text);
    last_observed.where = looked_at; /* to stop before a sleep is no news for the loop around it */
    if (stops_to)
        atomic_store(stops_to, (int)getpid());
    raise(SIGSTOP);
    if (stops_to)
        atomic_store(stops_to, 0);
    errno = saved;
}

/* Whether --hold names this point, and this is the time that it meant. */
static bool held(const char *point)
{
    return narration.hold && strcmp(narration.hold, point) == 0 && --narration.hold_nth == 0;
}

long long narrate_reach(const char *call)
{
    if (!narrating())
        return 0;
    if (held(call) || narration.step)
        stop_before(call);
    return clock_now();
}

void narrate_point(const char *name)
{
    if (!narrating())
        return;
    if (held(name))
        stop_before(name);
    char text[TEXT] = "point ";
    narrate_append(text, sizeof text, "%s", name);
    tell("point", clock_now(), text);
}

/* ---- calls, sleeps and signals ---- */

void narrate_call(long long began, const char *text)
{
    tell("call", began, text);
}

void narrate_sleep(long long began, const char *text)
{
    asleep.pending = true;
    asleep.began = began;
    asleep.place = here;
    asleep.text[0] = '\0';
    narrate_append(asleep.text, sizeof asleep.text, "%s", text);
}

bool narrate_still_asleep(const char *call)
{
    size_t length = strlen(call);
    return asleep.pending && strncmp(asleep.text, call, length) == 0 && asleep.text[length] == '(';
}

void narrate_signal(int signo, pid_t from)
{
    if (!narrating())
        return;
    char text[TEXT] = "";
    narrate_append(text, sizeof text, "--- %s from %d ---",
                   signo == SIGUSR1 ? "SIGUSR1" : strsignal(signo), (int)from);
    tell("signal", clock_now(), text);
}

/* ---- what passes through the segment ---- */

/* "&pair->turn", "&shared.turn" and "&pair->turn[i]" are all told as "turn". */
static void append_bare(char *text, size_t size, const char *field)
{
    const char *name = field;
    const char *end = field + strcspn(field, "[");
    for (const char *at = field; at < end; at++)
        if (*at == '>' || *at == '.' || *at == '&')
            name = at + 1;
    narrate_append(text, size, "%.*s", (int)(end - name), name);
}

/* Apart, so that a run of which nothing is told pays for a look at `narration` only, not for the
 * room that the text takes. */
static __attribute__((noinline)) void tell_value(const char *kind, const char *field,
                                                 long long value)
{
    char text[TEXT] = "";
    narrate_append(text, sizeof text, "%s ", kind);
    append_bare(text, sizeof text, field);
    narrate_append(text, sizeof text, " = %lld", value);
    tell(kind, clock_now(), text);
}

long long narrate_publish(const char *field, long long value)
{
    if (narrating())
        tell_value("publish", field, value);
    return value;
}

long long narrate_observe(const char *field, const volatile void *where, long long value)
{
    if (!narrating() || (where == last_observed.where && value == last_observed.value))
        return value;
    tell_value("observe", field, value);
    last_observed.where = where;
    last_observed.value = value;
    return value;
}

void narrate_append_quoted(char *text, size_t size, const char *bytes, size_t length, size_t most)
{
    narrate_append(text, size, "\"");
    for (size_t i = 0; i < length && i < most; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        if (byte == '\n')
            narrate_append(text, size, "\\n");
        else if (byte == '\t')
            narrate_append(text, size, "\\t");
        else if (byte == '"' || byte == '\\')
            narrate_append(text, size, "\\%c", byte);
        else if (byte < ' ' || byte > '~')
            narrate_append(text, size, "\\%o", byte);
        else
            narrate_append(text, size, "%c", byte);
    }
    narrate_append(text, size, length > most ? "\"..." : "\"");
}

static void tell_text(const char *kind, const char *field, const char *bytes, size_t length)
{
    if (!narrating())
        return;
    char text[TEXT] = "";
    narrate_append(text, sizeof text, "%s ", kind);
    append_bare(text, sizeof text, field);
    narrate_append(text, sizeof text, " = ");
    narrate_append_quoted(text, sizeof text, bytes, length, SHOWN);
    tell(kind, clock_now(), text);
}

void narrate_publish_text(const char *field, const char *text, size_t length)
{
    tell_text("publish", field, text, length);
}

void narrate_observe_text(const char *field, const char *text, size_t length)
{
    tell_text("observe", field, text, length);
}
