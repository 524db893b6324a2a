/* pitfall: never-removes; side: listener; wire: textbook. A talker that dies leaves the segment,
 * and so does Ctrl-C. */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/shm.h>
#include <time.h>
#include <unistd.h>

static int shmid = -1;
static volatile sig_atomic_t ended, late, sender;

static void wake(int signo, siginfo_t *info, void *context)
{
    (void)context;
    if (signo == SIGUSR1)
        sender = info->si_pid; /* the kernel says who it was */
    else if (signo == SIGALRM)
        late = 1;
    else
        ended = signo;
}

/* Ctrl-C: die of the same signal. */
static void die_if_ended(void)
{
    sigset_t none;
    if (!ended)
        return;
    signal(ended, SIG_DFL);
    raise(ended);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Is this segment what a killed listener has left? Ends the program if it is not. */
static void check_stale(int old)
{
    struct shmid_ds about;
    if (shmctl(old, IPC_STAT, &about) == -1)
        return;
    if (about.shm_perm.cuid != geteuid() || about.shm_segsz != 1024)
        errx(1, "segment %d has our key, but it is not a listener's", old);
    if (about.shm_nattch > 0 || about.shm_cpid <= 0 || kill(about.shm_cpid, 0) == 0 ||
        errno != ESRCH)
        errx(4, "busy: PID %d uses segment %d", (int)about.shm_cpid, old);
    char *text = shmat(old, NULL, SHM_RDONLY);
    if (text == (void *)-1)
        return;
    if (memchr(text, '\0', 1024) == NULL)
        errx(1, "segment %d has our key, but it holds no text", old);
    shmdt(text);
}

static int create(key_t key)
{
    int id, tries = 0;
    while ((id = shmget(key, 1024, IPC_CREAT | IPC_EXCL | 0600)) == -1) {
        if (errno != EEXIST || tries++ == 5)
            err(1, "shmget");
        int old = shmget(key, 0, 0);
        if (old != -1) {
            check_stale(old);
            shmctl(old, IPC_RMID, NULL);
        }
    }
    return id;
}

/* The talker removes the segment when it has read the reply. If it dies before, we do. */
static void wait_until_removed(int talker)
{
    struct shmid_ds about;
    struct timespec moment = {0, 50000000};
    for (int i = 0; i < 100; i++) {
        if (shmctl(shmid, IPC_STAT, &about) == -1 || about.shm_perm.mode & SHM_DEST) {
            shmid = -1;
            return;
        }
        if (about.shm_nattch < 2 && kill(talker, 0) == -1 && errno == ESRCH)
            errx(3, "the talker has died");
        nanosleep(&moment, NULL);
        die_if_ended();
    }
    shmid = -1; /* it takes its time, but it lives */
}

int main(void)
{
    int signals[] = {SIGUSR1, SIGALRM, SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_sigaction = wake, .sa_flags = SA_SIGINFO};
    sigset_t ours, none;
    sigemptyset(&none);
    sigemptyset(&ours);
    for (int i = 0; i < 5; i++)
        sigaddset(&ours, signals[i]);
    sigprocmask(SIG_BLOCK, &ours, NULL);
    for (int i = 0; i < 5; i++)
        sigaction(signals[i], &action, NULL);

    int file = open("shmfile", O_RDONLY | O_CREAT, 0600);
    if (file == -1)
        err(1, "shmfile");
    close(file);
    key_t key = ftok("shmfile", 1);
    if (key == -1)
        err(1, "ftok");
    shmid = create(key);
    volatile char *shared = shmat(shmid, NULL, 0);
    if (shared == (void *)-1)
        err(1, "shmat");
    printf("listener: waiting for a talker (pid %d, key %#x, shmid %d)\n", (int)getpid(),
           (unsigned)key, shmid);
    fflush(stdout);

    while (shared[0] == '\0' || sender == 0) {
        sigsuspend(&none);
        die_if_ended();
    }
    int talker = sender;
    sigprocmask(SIG_UNBLOCK, &ours, NULL);

    char text[1024];
    memcpy(text, (char *)shared, sizeof text);
    text[sizeof text - 1] = '\0';
    text[strcspn(text, "\n")] = '\0';
    printf("listener: received: %s\n", text);
    strcpy((char *)shared, "Have a nice day\n");
    printf("listener: replied: Have a nice day\n");
    fflush(stdout);

    wait_until_removed(talker);
    return 0; /* exit detaches */
}
