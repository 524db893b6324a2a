/* listener.c - waits for one message, and answers it, if nothing goes wrong. See TASK.md. */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/shm.h>
#include <sys/time.h>
#include <unistd.h>

enum { NOTHING, SAID, ANSWERED };

struct handshake {
    atomic_uint magic;
    unsigned lesson, version, stopped[2];
    atomic_int talker, state;
    char text[1024];
};

static int shmid = -1;

static void wake(int signo)
{
    (void)signo; /* TODO 1: for SIGINT, SIGTERM and SIGHUP, note that the program must end */
}

static void clean_up(void)
{
    if (shmid != -1)
        shmctl(shmid, IPC_RMID, NULL);
}

/* TODO 2: a listener that was killed leaves its segment, and then shmget fails with EEXIST. Remove
 * that segment and try again, but only if it is a listener's (your user, 4001 bytes, and the magic
 * or 0), no process has it attached, and its creator is dead. Otherwise end: with 4 if it is in
 * use, with 1 if it is not a listener's. */
static int create(key_t key)
{
    int id = shmget(key, 4001, IPC_CREAT | IPC_EXCL | 0600);
    if (id == -1)
        err(errno == EEXIST ? 4 : 1, "shmget");
    return id;
}

/* TODO 3: any process can write any PID into the segment. Return whether this one has attached it:
 *         /proc/PID/maps then has a line with "/SYSV", whose fifth word is the shmid. */
static int has_attached(int pid)
{
    return pid != 0;
}

int main(void)
{
    int signals[] = {SIGUSR1, SIGALRM};
    struct sigaction action = {.sa_handler = wake};
    sigset_t ours, none;
    sigemptyset(&none);
    sigemptyset(&ours);
    for (int i = 0; i < 2; i++)
        sigaddset(&ours, signals[i]);
    sigprocmask(SIG_BLOCK, &ours, NULL);
    for (int i = 0; i < 2; i++)
        sigaction(signals[i], &action, NULL);

    int file = open("shmfile", O_RDONLY | O_CREAT, 0600);
    if (file == -1)
        err(1, "shmfile");
    close(file);
    key_t key = ftok("shmfile", 1);
    if (key == -1)
        err(1, "ftok");
    shmid = create(key);
    atexit(clean_up);
    struct handshake *shared = shmat(shmid, NULL, 0);
    if (shared == (void *)-1)
        err(1, "shmat");
    shared->lesson = 0x68616e64;
    shared->version = 1;
    shared->magic = 0x73686d74; /* last: now it is ready */
    printf("listener: waiting for a talker (pid %d, key %#x, shmid %d)\n", (int)getpid(),
           (unsigned)key, shmid);
    fflush(stdout);

    /* TODO 4: if the talker dies before it has said its message, end with 3. A timer can wake you
     *         now and then, so that you look. */
    while (shared->state != SAID) {
        sigsuspend(&none);
        /* TODO 5: if a signal has asked the program to end, clean up and die of that signal. */
    }

    char text[1024];
    memcpy(text, shared->text, sizeof text);
    text[sizeof text - 1] = '\0';
    int talker = shared->talker;
    if (!has_attached(talker))
        errx(3, "the talker has gone");
    printf("listener: received: %s\n", text);

    strcpy(shared->text, "Have a nice day");
    printf("listener: replied: Have a nice day\n");
    fflush(stdout);
    shared->state = ANSWERED;
    kill(talker, SIGUSR1);

    shmdt(shared);
    return 0; /* clean_up removes the segment */
}
