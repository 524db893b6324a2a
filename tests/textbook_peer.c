/* textbook_peer.c - another talker and listener for the segment of the textbook, for the tests.
 *
 *     textbook_peer say SHMID PID COUNT   stores COUNT bytes "x" without a NUL, signals PID
 *     textbook_peer answer KEY COUNT      creates or opens the segment, prints its id; on SIGUSR1
 *                                         stores COUNT bytes "y" without a NUL; runs until another
 *                                         signal ends it
 */
#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/shm.h>
#include <unistd.h>

static char *attach(int shmid)
{
    char *text = shmat(shmid, NULL, 0);
    if (text == (void *)-1)
        err(1, "shmat(%d)", shmid);
    return text;
}

static void print_line(int shmid, pid_t pid, size_t count)
{
    memset(attach(shmid), 'x', count);
    if (pid <= 0 || kill(pid, SIGUSR1) == -1)
        err(1, "kill(%d, SIGUSR1)", (int)pid);
}

static void answer(key_t key, size_t count)
{
    sigset_t usr1;
    int signo;
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    sigprocmask(SIG_BLOCK, &usr1, NULL);
    int shmid = shmget(key, 1024, IPC_CREAT | 0666);
    if (shmid == -1)
        err(1, "shmget(%#x)", (unsigned)key);
    char *text = attach(shmid);
    printf("%d\n", shmid);
    fflush(stdout);
    sigwait(&usr1, &signo);
    memset(text, 'y', count);
    pause();
}

int main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "say") == 0)
        print_line(atoi(argv[2]), (pid_t)atoi(argv[3]), strtoul(argv[4], NULL, 10));
    else if (argc == 4 && strcmp(argv[1], "answer") == 0)
        answer((key_t)strtoul(argv[2], NULL, 0), strtoul(argv[3], NULL, 10));
    else
        errx(2, "usage: textbook_peer say SHMID PID COUNT, or textbook_peer answer KEY COUNT");
    return 0;
}
