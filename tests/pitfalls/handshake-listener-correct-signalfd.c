/* correct; side: listener; wire: handshake. The signals are blocked, and are read from a descriptor
 * (Linux). */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { NOTHING, SAID, ANSWERED };

struct handshake {
    atomic_uint magic;
    unsigned lesson, version, stopped[2];
    atomic_int talker, state;
    char text[1024];
};

static int shmid = -1;

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

int main(void)
{
    int signals[] = {SIGUSR1, SIGINT, SIGTERM, SIGHUP};
    sigset_t ours;
    sigemptyset(&ours);
    for (int i = 0; i < 4; i++)
        sigaddset(&ours, signals[i]);
    sigprocmask(SIG_BLOCK, &ours, NULL);

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

    int fd = signalfd(-1, &ours, SFD_CLOEXEC);
    if (fd == -1)
        err(1, "signalfd");
    while (shared->state != SAID) {
        int pid = shared->talker;
        if (pid > 0 && kill(pid, 0) == -1 && errno == ESRCH && shared->state != SAID)
            errx(3, "the talker has died");
        struct signalfd_siginfo info;
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        if (poll(&ready, 1, 100) == 1 && read(fd, &info, sizeof info) == sizeof info &&
            info.ssi_signo != SIGUSR1)
            die((int)info.ssi_signo);
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
