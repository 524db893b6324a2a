/* program.c - a program's start and end; see program.h. */
#include "program.h"
#include "ending.h"
#include "output.h"
#include "signals.h"
#include "tick.h"
#include "trace.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool is_talker;
static char other_name[64];
static int failed;

/* ---- start ---- */

/* A descriptor that we open must not take the place of a closed stdin, stdout or stderr. open(2)
 * takes the lowest that is free. stdin is opened for writing, the others for reading: so a read or
 * a write there fails with EBADF, as on a closed descriptor, and nothing is lost in silence. */
static void open_standard_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) == -1 &&
            open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
            err(EXIT_FAILED, "open(\"/dev/null\") as descriptor %d", fd);
}

/* The signals whose dispositions we change. */
static const int changed[] = {
    SIGCHLD, SIGXFSZ, SIGINT,  SIGTERM, SIGHUP,    SIGQUIT, SIGPIPE,
    SIGUSR1, SIGALRM, SIGUSR2, SIGXCPU, SIGVTALRM, SIGPROF,
#ifdef SIGPOLL
    SIGPOLL,
#endif
};
enum { CHANGED = sizeof changed / sizeof *changed };

static struct {
    sigset_t mask;
    struct sigaction action[CHANGED]; /* by the index in `changed` */
} inherited;

/* An ignored SIGCHLD would take from us how a child ended (waitpid(2)). With SIGXFSZ ignored, a
 * write to a file that is too large fails with EFBIG, and we can say so. */
static void set_signals(void)
{
    sigset_t needed;
    sigemptyset(&needed);
    sigaddset(&needed, SIGCHLD);
    sigaddset(&needed, SIGSEGV);
    sigaddset(&needed, SIGBUS);
    if (sigprocmask(SIG_UNBLOCK, &needed, &inherited.mask) == -1)
        err(EXIT_FAILED, "sigprocmask(SIG_UNBLOCK)");
    for (int i = 0; i < CHANGED; i++)
        if (sigaction(changed[i], NULL, &inherited.action[i]) == -1)
            err(EXIT_FAILED, "sigaction(%s)", signals_name(changed[i]));
    struct sigaction usual = {.sa_handler = SIG_DFL}, ignored = {.sa_handler = SIG_IGN};
    if (sigaction(SIGCHLD, &usual, NULL) == -1 || sigaction(SIGXFSZ, &ignored, NULL) == -1)
        err(EXIT_FAILED, "sigaction(SIGCHLD), sigaction(SIGXFSZ)");
}

void program_restore_signals(void)
{
    for (int i = 0; i < CHANGED; i++)
        if (sigaction(changed[i], &inherited.action[i], NULL) == -1)
            err(EXIT_FAILED, "sigaction(%s) back", signals_name(changed[i]));
    if (sigprocmask(SIG_SETMASK, &inherited.mask, NULL) == -1)
        err(EXIT_FAILED, "sigprocmask(SIG_SETMASK) back");
}

struct options program_start(int argc, char **argv, const struct program *program)
{
    open_standard_descriptors();
    is_talker = strncmp(program->name, "talker", strlen("talker")) == 0;
    snprintf(other_name, sizeof other_name, "%s%s", program_other_side(),
             program->name + strlen(program_side()));
    output_start(program_side());
    struct options options = options_parse(argc, argv, program);

    set_signals(); /* before the first line of -v, which may go to a file that is too large */
    trace_note("start: Ctrl-C cleans up; a timer checks the peer (see -vv)");
    trace_only_if_very_verbose(true);
    ending_start();
    tick_start();
    trace_only_if_very_verbose(false);
    return options;
}

const char *program_side(void)
{
    return is_talker ? "talker" : "listener";
}

const char *program_other_side(void)
{
    return is_talker ? "listener" : "talker";
}

bool program_is_talker(void)
{
    return is_talker;
}

const char *program_other_name(void)
{
    return other_name;
}

/* ---- checks, and the end ---- */

bool check(bool holds, const char *format, ...)
{
    char line[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    print_line("%s", line);
    if (!holds) {
        warnx("this is not what the lesson claims: %s", line);
        failed = EXIT_FAILED;
    }
    return holds;
}

int check_status(void)
{
    return failed;
}

int program_end(void)
{
    ending_obey();
    return check_status();
}
