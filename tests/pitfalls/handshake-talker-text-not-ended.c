/* pitfall: text-not-ended; side: talker; wire: handshake. The reply is printed as a string, but has
 * a NUL only if the listener has written one. */
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
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

static void wake(int signo)
{
    (void)signo;
}

static int is_dead(int pid)
{
    return kill(pid, 0) == -1 && errno == ESRCH;
}

int main(int argc, char **argv)
{
    const char *message = argc > 1 ? argv[1] : "Hello, I'm talker";
    if (strlen(message) >= sizeof((struct handshake *)0)->text)
        errx(1, "a message of %zu bytes does not fit into 1024", strlen(message));

    sigset_t ours, none;
    sigemptyset(&none);
    sigemptyset(&ours);
    sigaddset(&ours, SIGUSR1);
    sigaddset(&ours, SIGALRM);
    sigprocmask(SIG_BLOCK, &ours, NULL);
    struct sigaction action = {.sa_handler = wake};
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGALRM, &action, NULL);

    key_t key = ftok("shmfile", 1);
    if (key == -1)
        errx(3, "no listener: there is no shmfile here");
    int shmid = shmget(key, 0, 0);
    struct shmid_ds about;
    if (shmid == -1 || shmctl(shmid, IPC_STAT, &about) == -1)
        errx(3, "no listener: start it first");
    if (about.shm_segsz < sizeof(struct handshake) || about.shm_perm.cuid != geteuid())
        errx(1, "segment %d is not a listener's", shmid);
    int listener = about.shm_cpid;
    if (listener <= 0 || is_dead(listener))
        errx(3, "no listener: it has died");
    struct handshake *shared = shmat(shmid, NULL, 0);
    if (shared == (void *)-1)
        err(1, "shmat");
    if (shared->magic == 0)
        errx(3, "the listener is not ready yet");
    if (shared->magic != 0x73686d74 || shared->lesson != 0x68616e64)
        errx(1, "segment %d is not a listener's", shmid);

    int nobody = 0;
    if (!atomic_compare_exchange_strong(&shared->talker, &nobody, getpid()))
        errx(4, "busy: PID %d talks already", nobody);
    strcpy(shared->text, message);
    printf("talker: said: %s\n", message);
    fflush(stdout);
    shared->state = SAID;
    kill(listener, SIGUSR1);

    /* A tick every 100 ms, to notice that the listener has died. */
    struct itimerval tick = {{0, 100000}, {0, 100000}};
    setitimer(ITIMER_REAL, &tick, NULL);
    while (shared->state != ANSWERED) {
        if (is_dead(listener) && shared->state != ANSWERED) {
            shmdt(shared);
            if (shmctl(shmid, IPC_STAT, &about) == 0 && about.shm_nattch == 0)
                shmctl(shmid, IPC_RMID, NULL); /* the listener cannot remove it any more */
            errx(3, "the listener has died");
        }
        sigsuspend(&none);
    }

    printf("talker: listener said: %s\n", shared->text);
    shmdt(shared);
    return 0;
}
