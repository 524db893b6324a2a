/* pitfall: signal-is-message; side: listener; wire: pair. A SIGUSR1 has come, so it reads: it does
 * not look whose turn it is. */
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

struct pair {
    atomic_uint magic;
    unsigned lesson, version, stopped[2], capacity;
    atomic_int turn, front, seat[256];
    atomic_uint length;
    char text[];
};

static int shmid = -1;
static volatile sig_atomic_t rung, ended;

static void wake(int signo)
{
    if (signo == SIGUSR1)
        rung++;
    else if (signo != SIGALRM)
        ended = signo;
}

static void clean_up(void)
{
    if (shmid != -1)
        shmctl(shmid, IPC_RMID, NULL);
}

/* Ctrl-C: clean up, then die of the same signal. */
static void die(int signo)
{
    sigset_t none;
    clean_up();
    signal(signo, SIG_DFL);
    raise(signo);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Is this segment what a killed listener has left? Ends the program if it is not. */
static void check_stale(int old)
{
    struct shmid_ds about;
    if (shmctl(old, IPC_STAT, &about) == -1)
        return;
    if (about.shm_perm.cuid != geteuid() || about.shm_segsz != 4001)
        errx(1, "segment %d has our key, but it is not a listener's", old);
    if (about.shm_nattch > 0 || about.shm_cpid <= 0 || kill(about.shm_cpid, 0) == 0 ||
        errno != ESRCH)
        errx(4, "busy: PID %d uses segment %d", (int)about.shm_cpid, old);
    unsigned *magic = shmat(old, NULL, SHM_RDONLY);
    if (magic == (void *)-1)
        return;
    if (*magic != 0 && *magic != 0x73686d74)
        errx(1, "segment %d has our key, but another magic", old);
    shmdt(magic);
}

static int create(key_t key)
{
    int id, tries = 0;
    while ((id = shmget(key, 4001, IPC_CREAT | IPC_EXCL | 0600)) == -1) {
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

/* The PID comes from the segment, so anybody may have written it: ask the kernel. */
static int has_attached(int pid)
{
    char path[40], line[512];
    int found = 0;
    long inode;
    snprintf(path, sizeof path, "/proc/%d/maps", pid);
    FILE *maps = pid > 0 ? fopen(path, "r") : NULL;
    while (maps && !found && fgets(line, sizeof line, maps))
        found = strstr(line, "/SYSV") && sscanf(line, "%*s %*s %*s %*s %ld", &inode) == 1 &&
                inode == shmid;
    if (maps)
        fclose(maps);
    return found;
}

/* The first talker behind the seat that was served last, or -1. */
static int find_talker(struct pair *pair)
{
    for (int i = 0; i < 256; i++) {
        int at = (pair->front + 1 + i) & 255, pid = pair->seat[at];
        if (pid == 0)
            continue;
        if (has_attached(pid))
            return at;
        atomic_compare_exchange_strong(&pair->seat[at], &pid, 0); /* no talker of ours */
    }
    return -1;
}

int main(void)
{
    int signals[] = {SIGUSR1, SIGALRM, SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = wake};
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
    atexit(clean_up);
    struct pair *pair = shmat(shmid, NULL, 0);
    if (pair == (void *)-1)
        err(1, "shmat");
    int me = getpid();
    pair->lesson = 0x70616972;
    pair->version = 1;
    pair->capacity = 1024;
    pair->turn = me;
    pair->magic = 0x73686d74; /* last: now it is ready */
    printf("listener: waiting for a talker (pid %d, key %#x, shmid %d)\n", me, (unsigned)key,
           shmid);
    fflush(stdout);

    /* A tick every 100 ms, to notice that the talker has died. */
    struct itimerval tick = {{0, 100000}, {0, 100000}};
    setitimer(ITIMER_REAL, &tick, NULL);
    int seat;
    while ((seat = find_talker(pair)) == -1) {
        sigsuspend(&none);
        if (ended)
            die(ended);
    }
    int talker = pair->seat[seat];
    pair->front = seat;
    rung = 0;
    pair->turn = talker; /* you may speak */
    kill(talker, SIGUSR1);

    for (;;) {
        while (!rung) {
            if (kill(talker, 0) == -1 && errno == ESRCH && !rung)
                errx(3, "the talker has died");
            sigsuspend(&none);
            if (ended)
                die(ended);
        }
        rung = 0;
        if (pair->seat[seat] != talker)
            break;                      /* it has left */
        unsigned length = pair->length; /* copied once, then checked */
        if (length > 1024)
            errx(1, "a message of %u bytes does not fit", length);
        char text[1024];
        memcpy(text, pair->text, length);
        printf("listener: received: %.*s\n", (int)length, text);

        const char *reply = "Have a nice day";
        memcpy(pair->text, reply, strlen(reply));
        pair->length = strlen(reply);
        printf("listener: replied: %s\n", reply);
        fflush(stdout);
        pair->turn = talker;
        kill(talker, SIGUSR1);
    }
    return 0; /* clean_up removes the segment */
}
