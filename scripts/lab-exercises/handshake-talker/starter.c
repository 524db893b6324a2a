/* talker.c - says one message, and prints the reply. See TASK.md. */
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
    /* TODO 1: if the message and its NUL do not fit into `text`, end with 1. */
    (void)message; /* remove this line when you use it */

    /* TODO 2: block SIGUSR1 and SIGALRM, and then give each the handler `wake`. */
    sigset_t ours, none;
    struct sigaction action = {.sa_handler = wake};
    sigemptyset(&none);
    sigemptyset(&ours);
    sigaction(SIGUSR1, &action, NULL);

    key_t key = ftok("shmfile", 1);
    /* TODO 3: what is the key if there is no file? End with 3 then. */
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
    /* TODO 4: shmat can fail. What does it return then? */
    if (shared->magic == 0)
        errx(3, "the listener is not ready yet");
    if (shared->magic != 0x73686d74 || shared->lesson != 0x68616e64)
        errx(1, "segment %d is not a listener's", shmid);

    /* TODO 5: exchange the 0 in `talker` for your PID, in one atomic step. If another PID is there,
     *         another talker was first: end with 4. */

    /* TODO 6: store the message. Print "talker: said: MESSAGE", and flush it. Then store SAID, and
     *         then send SIGUSR1 to the listener. Why in this order? */

    /* TODO 7: wait until the state is ANSWERED. If the listener dies first, detach, remove the
     *         segment if no process has it attached any more, and end with 3. */

    /* TODO 8: copy the reply, end the copy with a NUL, and print "talker: listener said: REPLY". */
    shmdt(shared);
    return 0;
}
