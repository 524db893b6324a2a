/* run_conversation.c - runs one conversation of a listener and a talker for the torture, in which
 * one of them may be killed or stopped for a second; prints how and when each of them ended.
 * SIGTERM ends it and both of them.
 *
 *     run_conversation [-i FILE] [-k listener|talker:MICROSECONDS] [-s]
 *                      LISTENER... + TALKER... [+ NEXT...]
 *
 *     -i FILE   the stdin of the talkers
 *     -k        SIGKILL for that side, this long after the start of the listener
 *     -s        serve the NEXT talker in any case, then end the listener with SIGTERM
 *
 * The talker starts when the listener prints that it waits, or has ended. NEXT is another talker.
 * It starts if the listener still waits when the first talker has ended, because then the two have
 * not met. The output of a side is in listener.out, listener.err, talker.out and so on. A stopped
 * side is continued after a second. One that has not ended 10 seconds after the last start is
 * killed, and its status is "hang". Prints one line of numbers, times in microseconds since the
 * first start, and - for an event that did not happen:
 *
 *     LISTENER'S-STATUS WHEN TALKER'S-STATUS WHEN NEXT'S-STATUS WHEN KILLED-AT STOPS
 *
 * A status is like the shell's: 128 + N is death by signal N.
 */
#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* In microseconds: when a process hangs; how long a listener may go on waiting; the length of a
 * stop; how often we check the listener's output, and the clock. */
enum { MOST = 10000000, A_WHILE = 500000, STOPPED = 1000000, LISTEN = 500, LOOK = 20000 };

static struct side {
    const char *name;
    char **command;
    pid_t pid;         /* 0: not started */
    int status;        /* like the shell's */
    bool hung;         /* we killed it for that */
    long long ended;   /* 0: not yet */
    long long goes_on; /* when a stop is over; 0: it is not stopped */
} listener = {.name = "listener"}, talker = {.name = "talker"}, next = {.name = "next"};

static struct side *const sides[] = {&listener, &talker, &next};
enum { SIDES = 3 };

static const char *input = "/dev/null";
static bool serve_on;
static struct side *victim;
static long long kill_at, killed;
static long long began, deadline; /* the first start; a process that still runs hangs */
static int stops;
static bool ends_early; /* we were asked to end */

static long long now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (long long)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

/* ---- start and end ---- */

static void make_empty(const char *file)
{
    int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd == -1)
        err(2, "%s", file);
    close(fd);
}

static void name_files(const struct side *side, char out[32], char errors[32])
{
    snprintf(out, 32, "%s.out", side->name);
    snprintf(errors, 32, "%s.err", side->name);
}

/* The output of an earlier conversation must not be taken for that of this one. */
static void forget_words(const struct side *side)
{
    char out[32], errors[32];
    name_files(side, out, errors);
    make_empty(out);
    make_empty(errors);
}

static void onto(int fd, const char *file, int flags)
{
    int opened = open(file, flags, 0600);
    if (opened == -1 || dup2(opened, fd) == -1)
        err(127, "%s", file);
    close(opened);
}

static void start(struct side *side)
{
    char out[32], errors[32];
    name_files(side, out, errors);
    deadline = now() + MOST;
    side->pid = fork();
    if (side->pid == -1)
        err(2, "fork");
    if (side->pid > 0)
        return;
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    onto(0, side == &listener ? "/dev/null" : input, O_RDONLY);
    onto(1, out, O_WRONLY);
    onto(2, errors, O_WRONLY);
    execvp(side->command[0], side->command);
    err(127, "%s", side->command[0]);
}

static bool runs(const struct side *side)
{
    return side->pid != 0 && side->ended == 0;
}

static void reap(struct side *side)
{
    int status;
    if (!runs(side) || waitpid(side->pid, &status, WNOHANG | WUNTRACED) != side->pid)
        return;
    long long time = now();
    if (WIFSTOPPED(status)) {
        side->goes_on = time + STOPPED;
        stops++;
        return;
    }
    side->ended = time;
    side->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* ---- planned kills and ends ---- */

static sigset_t signals_to_wait_for(void)
{
    sigset_t ours;
    sigemptyset(&ours);
    sigaddset(&ours, SIGCHLD);
    sigaddset(&ours, SIGINT);
    sigaddset(&ours, SIGTERM);
    return ours;
}

static void send(struct side *side, int signo)
{
    if (runs(side) && kill(side->pid, signo) == -1)
        err(2, "kill(%d, %d)", (int)side->pid, signo);
}

/* Both sides may clean up; they have a second for it. */
static void end_early(void)
{
    ends_early = true;
    deadline = now() + 1000000;
    for (int i = 0; i < SIDES; i++) {
        send(sides[i], SIGTERM);
        send(sides[i], SIGCONT);
    }
}

/* Checks the clock and the children once, then sleeps shortly; the end of a child interrupts that.
 */
static void step(long look)
{
    long long time = now(), until = time + look;
    for (int i = 0; i < SIDES; i++) {
        struct side *side = sides[i];
        if (side->goes_on && time >= side->goes_on) {
            side->goes_on = 0;
            send(side, SIGCONT);
        }
        if (runs(side) && time > deadline) {
            side->hung = true;
            send(side, SIGKILL);
        }
    }
    if (victim && !killed && runs(victim)) {
        if (time >= began + kill_at) {
            killed = time;
            send(victim, SIGKILL);
        } else if (began + kill_at < until) {
            until = began + kill_at;
        }
    }
    sigset_t ours = signals_to_wait_for();
    struct timespec nap = {0, until > time ? (long)(until - time) * 1000 : 0};
    int signo = sigtimedwait(&ours, NULL, &nap);
    if (signo != -1 && signo != SIGCHLD)
        end_early();
    for (int i = 0; i < SIDES; i++)
        reap(sides[i]);
}

/* ---- the listener's output ---- */

static bool holds(const char *file, const char *word)
{
    char text[4096];
    int fd = open(file, O_RDONLY);
    ssize_t got = fd == -1 ? 0 : read(fd, text, sizeof text - 1);
    if (fd != -1)
        close(fd);
    text[got > 0 ? got : 0] = '\0';
    return strstr(text, word) != NULL;
}

static bool waits(void)
{
    static const char word[] = "waiting for a talker";
    return holds("listener.out", word) || holds("listener.err", word);
}

/* ---- the command line ---- */

static void parse_kill(char *text)
{
    char *colon = strchr(text, ':');
    if (!colon)
        errx(2, "-k: '%s' is not SIDE:MICROSECONDS", text);
    victim = strncmp(text, "listener:", 9) == 0 ? &listener : &talker;
    kill_at = strtoll(colon + 1, NULL, 10);
}

/* Splits the commands at "+". */
static void parse_commands(char **argv)
{
    for (int i = 0; i < SIDES && *argv; i++) {
        sides[i]->command = argv;
        while (*argv && strcmp(*argv, "+") != 0)
            argv++;
        if (*argv)
            *argv++ = NULL;
    }
    if (!listener.command || !talker.command || !*listener.command || !*talker.command)
        errx(2, "usage: run_conversation [options] LISTENER... + TALKER... [+ NEXT...]");
}

static void tell(const struct side *side)
{
    if (side->pid == 0)
        printf("- - ");
    else if (side->hung)
        printf("hang %lld ", side->ended - began);
    else
        printf("%d %lld ", side->status, side->ended - began);
}

int main(int argc, char **argv)
{
    int option;
    while ((option = getopt(argc, argv, "+i:k:s")) != -1) {
        if (option == 'i')
            input = optarg;
        else if (option == 'k')
            parse_kill(optarg);
        else if (option == 's')
            serve_on = true;
        else
            return 2;
    }
    parse_commands(argv + optind);
    for (int i = 0; i < SIDES; i++)
        forget_words(sides[i]);
    sigset_t ours = signals_to_wait_for();
    sigprocmask(SIG_BLOCK, &ours, NULL);

    began = now();
    start(&listener);
    while (runs(&listener) && !waits())
        step(LISTEN);
    if (!ends_early)
        start(&talker);
    bool asked = false;
    while (runs(&listener) || runs(&talker) || runs(&next)) {
        step(LOOK);
        bool met_nobody = talker.ended && now() - talker.ended > A_WHILE;
        if (next.command && !next.pid && runs(&listener) && talker.ended && !ends_early &&
            (serve_on || met_nobody))
            start(&next);
        if (serve_on && next.ended && runs(&listener) && !asked) {
            send(&listener, SIGTERM);
            asked = true;
        }
    }
    for (int i = 0; i < SIDES; i++)
        tell(sides[i]);
    if (killed)
        printf("%lld %d\n", killed - began, stops);
    else
        printf("- %d\n", stops);
    return fflush(stdout) == 0 ? 0 : 2;
}
