/* storm.c - sends signals over and over until one of the processes has ended, for the tests.
 *
 *     storm SIGNALS[/COUNT] PID...     SIGNALS: numbers, separated by commas
 *
 * It sends thousands a second with kill(2) and, on Linux, with tgkill(2) as well, because a handler
 * gets a different si_code from each. Prints a line when it has started, "enough" when it has sent
 * each signal COUNT times, and at its end how many it sent in all.
 */
#if defined(__linux__)
#define _GNU_SOURCE /* syscall */
#include <sys/syscall.h>
#endif
#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static long sent;

static void leave(void)
{
    printf("sent %ld\n", sent);
    exit(0);
}

static void print_line(const char *what)
{
    if (puts(what) == EOF || fflush(stdout) == EOF)
        err(1, "stdout");
}

static void send_or_leave(pid_t pid, int signo)
{
    if (kill(pid, signo) == -1)
        leave();
    sent++;
#if defined(__linux__)
    if (syscall(SYS_tgkill, pid, pid, signo) == -1)
        leave();
    sent++;
#endif
}

int main(int argc, char **argv)
{
    int signals[8], count = 0;
    if (argc < 3)
        errx(2, "usage: storm SIGNALS[/COUNT] PID...");
    const char *slash = strchr(argv[1], '/');
    long enough = slash ? atol(slash + 1) : 0;
    for (char *word = strtok(argv[1], ","); word && count < 8; word = strtok(NULL, ","))
        signals[count++] = atoi(word);
    for (long round = 0;; round++) {
        for (char **pid = argv + 2; *pid; pid++)
            for (int i = 0; i < count && atoi(*pid) > 0; i++)
                send_or_leave((pid_t)atoi(*pid), signals[i]);
        /* The receivers need some of the CPU. */
        nanosleep(&(struct timespec){0, 50000}, NULL);
        if (round == 0)
            print_line("it blows");
        if (enough > 0 && sent >= enough * count) {
            print_line("enough");
            enough = 0;
        }
    }
}
