/* crowd.c - starts many processes at the same moment and prints how each ended, for the tests.
 *
 *     crowd COUNT DEADLINE [LEFT] -- COMMAND [ARGUMENT]... [+ COMMAND [ARGUMENT]...]
 *
 *     $ crowd 50 20 1 -- build/listener       (50 listeners; one is left waiting for a talker)
 *
 * It starts COUNT processes of each COMMAND. In their arguments % stands for a number from 0 to
 * COUNT - 1. Every process has an index, counted from 0 through all commands; its output goes to
 * INDEX.out and INDEX.err. When all processes are one step before their exec, they start together.
 * A line "INDEX STATUS" is printed for each that has ended (128 + N: killed by signal N). When only
 * LEFT are still running, a line "left PID" names one of them. A process that runs after DEADLINE
 * seconds is killed, and its status is "hung". Exit status: 0 if none hung.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST = 4096, MOST_ARGUMENTS = 64 };

static pid_t pids[MOST]; /* 0: ended */
static int count;
static volatile sig_atomic_t late;

static void on_alarm(int signo)
{
    (void)signo;
    late = 1;
    for (int i = 0; i < count; i++)
        if (pids[i] > 0)
            kill(pids[i], SIGKILL);
}

/* Returns `argument` with the number in place of each %. */
static char *with_number(const char *argument, int number)
{
    char *text = malloc(16 * strlen(argument) + 1), *end = text;
    if (!text)
        err(2, "malloc");
    for (; *argument; argument++) {
        if (*argument == '%')
            end += sprintf(end, "%d", number);
        else
            *end++ = *argument;
    }
    *end = '\0';
    return text;
}

static void redirect(int fd, int index, const char *suffix)
{
    char name[32];
    snprintf(name, sizeof name, "%d.%s", index, suffix);
    int file = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (file == -1 || dup2(file, fd) == -1)
        err(2, "%s", name);
    close(file);
}

/* The child reports that it has started, and waits for all others before its exec. */
static _Noreturn void become(char **command, int number, int there, int go)
{
    char *arguments[MOST_ARGUMENTS + 1] = {0}, nothing = 0;
    for (int i = 0; i < MOST_ARGUMENTS && command[i] && strcmp(command[i], "+") != 0; i++)
        arguments[i] = with_number(command[i], number);
    redirect(STDOUT_FILENO, count, "out");
    redirect(STDERR_FILENO, count, "err");
    if (write(there, &nothing, 1) != 1 || read(go, &nothing, 1) != 0)
        err(2, "waiting for the others");
    execvp(arguments[0], arguments);
    err(127, "%s", arguments[0]);
}

static void start(char **command, int how_many)
{
    int there[2], go[2];
    if (pipe(there) == -1 || pipe(go) == -1)
        err(2, "pipe");
    for (int i = 0; i < 4; i++)
        fcntl((i < 2 ? there : go)[i % 2], F_SETFD, FD_CLOEXEC);
    for (; *command; command++) {
        for (int i = 0; i < how_many; i++) {
            pid_t pid = fork();
            if (pid == -1)
                err(2, "fork of process %d", count);
            if (pid == 0) {
                close(go[1]);
                become(command, i, there[1], go[0]);
            }
            pids[count++] = pid;
        }
        while (*command && strcmp(*command, "+") != 0)
            command++;
        if (!*command)
            break;
    }
    char nothing;
    for (int i = 0; i < count; i++)
        if (read(there[0], &nothing, 1) != 1)
            errx(2, "a process failed before its exec");
    close(go[1]); /* all of them read end of file, and start */
}

static int index_of(pid_t pid)
{
    int i = 0;
    while (i < count && pids[i] != pid)
        i++;
    return i;
}

static void say_left(void)
{
    int i = 0;
    while (i < count && pids[i] == 0)
        i++;
    printf("left %d\n", i < count ? (int)pids[i] : 0);
    fflush(stdout);
}

/* Returns whether all ended by themselves. */
static bool await_all(int left)
{
    bool hung = false;
    for (int running = count; running > 0; running--) {
        if (running == left)
            say_left();
        int status;
        pid_t pid;
        while ((pid = wait(&status)) == -1)
            if (errno != EINTR)
                err(2, "wait");
        int index = index_of(pid);
        if (index == count)
            errx(2, "PID %d is no child of ours", (int)pid);
        pids[index] = 0;
        if (late && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
            hung = true;
            printf("%d hung\n", index);
        } else {
            printf("%d %d\n", index,
                   WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
        }
        fflush(stdout);
    }
    return !hung;
}

int main(int argc, char **argv)
{
    int commands = 3;
    while (commands < argc && strcmp(argv[commands], "--") != 0)
        commands++;
    if (argc < 5 || commands + 1 >= argc || atoi(argv[1]) < 1)
        errx(2, "usage: crowd COUNT DEADLINE [LEFT] -- COMMAND [ARGUMENT]... [+ COMMAND "
                "[ARGUMENT]...]");
    int how_many = atoi(argv[1]), kinds = 1;
    for (char **word = argv + commands; *word; word++)
        kinds += strcmp(*word, "+") == 0;
    if (how_many > MOST / kinds)
        errx(2, "%d processes of each are too many", how_many);

    signal(SIGALRM, on_alarm);
    start(argv + commands + 1, how_many);
    alarm((unsigned)atoi(argv[2]));
    return await_all(commands > 3 ? atoi(argv[3]) : 0) ? 0 : 1;
}
