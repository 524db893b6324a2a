/* pitfall: signal-is-message; side: talker; wire: pair. It counts: it takes the first signal for
 * the invitation, and the second for the reply. */
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/shm.h>
#include <sys/time.h>
#include <unistd.h>

struct pair {
    atomic_uint magic;
    unsigned lesson, version, stopped[2], capacity;
    atomic_int turn, front, seat[256];
    atomic_uint length;
    char text[];
};

static volatile sig_atomic_t rung;

static void wake(int signo)
{
    if (signo == SIGUSR1)
        rung++;
}

static int is_dead(int pid)
{
    return kill(pid, 0) == -1 && errno == ESRCH;
}

static int shmid;
static struct pair *pair;

static void check_listener(int listener)
{
    struct shmid_ds about;
    if (!is_dead(listener) || pair->turn == getpid())
        return;
    shmdt(pair);
    if (shmctl(shmid, IPC_STAT, &about) == 0 && about.shm_nattch == 0)
        shmctl(shmid, IPC_RMID, NULL); /* the listener cannot remove it any more */
    errx(3, "the listener has died");
}

/* Exchanges the 0 of a free seat for our PID. -1: there is none. */
static int take_seat(int me)
{
    for (int i = 0; i < 256; i++) {
        int at = (pair->front + 1 + i) & 255, is_free = 0;
        if (atomic_compare_exchange_strong(&pair->seat[at], &is_free, me))
            return at;
    }
    return -1;
}

int main(int argc, char **argv)
{
    const char *message = argc > 1 ? argv[1] : "Hello, I'm talker";
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
    shmid = shmget(key, 0, 0);
    struct shmid_ds about;
    if (shmid == -1 || shmctl(shmid, IPC_STAT, &about) == -1)
        errx(3, "no listener: start it first");
    if (about.shm_segsz < sizeof(struct pair) || about.shm_perm.cuid != geteuid())
        errx(1, "segment %d is not a listener's", shmid);
    int listener = about.shm_cpid;
    if (listener <= 0 || is_dead(listener))
        errx(3, "no listener: it has died");
    pair = shmat(shmid, NULL, 0);
    if (pair == (void *)-1)
        err(1, "shmat");
    if (pair->magic == 0)
        errx(3, "the listener is not ready yet");
    if (pair->magic != 0x73686d74 || pair->lesson != 0x70616972)
        errx(1, "segment %d is not a listener's", shmid);
    unsigned room = about.shm_segsz - sizeof *pair, length = strlen(message);
    if (length > room || length > pair->capacity)
        errx(1, "a message of %u bytes does not fit", length);

    /* A tick every 100 ms, to notice that the listener has died. */
    struct itimerval tick = {{0, 100000}, {0, 100000}};
    setitimer(ITIMER_REAL, &tick, NULL);
    int me = getpid(), seat;
    while ((seat = take_seat(me)) == -1) {
        check_listener(listener);
        sigsuspend(&none); /* until the next tick */
    }
    kill(listener, SIGUSR1);
    while (rung < 1) {
        check_listener(listener);
        sigsuspend(&none);
    }

    memcpy(pair->text, message, length);
    pair->length = length;
    printf("talker: said: %s\n", message);
    fflush(stdout);
    pair->turn = listener;
    kill(listener, SIGUSR1);
    while (rung < 2) {
        check_listener(listener);
        sigsuspend(&none);
    }

    length = pair->length; /* copied once, then checked */
    if (length > room)
        errx(1, "a reply of %u bytes does not fit into the segment", length);
    printf("talker: listener said: %.*s\n", (int)length, pair->text);
    fflush(stdout);

    pair->seat[seat] = 0; /* leave the seat, then the turn */
    pair->turn = listener;
    kill(listener, SIGUSR1);
    shmdt(pair);
    return 0;
}
