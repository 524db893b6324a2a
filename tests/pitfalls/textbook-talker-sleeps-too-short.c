/* pitfall: sleeps-too-short; side: talker; wire: textbook. It sleeps for a hundredth of a second,
 * and takes what is there then. */
#include <err.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/shm.h>
#include <time.h>
#include <unistd.h>

static int is_dead(int pid)
{
    return kill(pid, 0) == -1 && errno == ESRCH;
}

static int parse_pid(const char *text)
{
    char *end;
    errno = 0;
    long pid = strtol(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || errno != 0 || pid < 1 || pid > INT_MAX)
        errx(2, "'%s' is not a PID", text);
    return (int)pid;
}

/* Sleeps for a moment, or until the listener has died. */
static int await_reply(const char *shared, const char *said, int listener)
{
    struct timespec moment = {0, 10000000};
    for (int i = 0; i < 1 && !is_dead(listener); i++)
        nanosleep(&moment, NULL);
    return memcmp(shared, said, strlen(said) + 1) != 0;
}

int main(int argc, char **argv)
{
    int given = argc > 1 ? parse_pid(argv[1]) : 0;
    const char *message = argc > 2 ? argv[2] : "Hello, I'm talker";
    char said[1024];
    if (strlen(message) > sizeof said - 2)
        errx(1, "a message of %zu bytes does not fit into 1024", strlen(message));
    sprintf(said, "%s\n", message);

    key_t key = ftok("shmfile", 1);
    if (key == -1)
        errx(3, "no listener: there is no shmfile here");
    int shmid = shmget(key, 0, 0);
    struct shmid_ds about;
    if (shmid == -1 || shmctl(shmid, IPC_STAT, &about) == -1)
        errx(3, "no listener: start it first");
    if (about.shm_segsz != 1024 || about.shm_perm.cuid != geteuid())
        errx(1, "segment %d is not a listener's", shmid);
    int listener = about.shm_cpid;
    if (listener <= 0 || is_dead(listener))
        errx(3, "no listener: it has died");
    if (given != 0 && given != listener)
        errx(3, "PID %d is not the listener, which is PID %d", given, listener);
    char *shared = shmat(shmid, NULL, 0);
    if (shared == (void *)-1)
        err(1, "shmat");

    strcpy(shared, said);
    printf("talker: said: %s\n", message);
    fflush(stdout);
    kill(listener, SIGUSR1);

    await_reply(shared, said, listener);
    char text[1024];
    memcpy(text, shared, sizeof text);
    text[sizeof text - 1] = '\0';
    text[strcspn(text, "\n")] = '\0';
    shmdt(shared);
    shmctl(shmid, IPC_RMID, NULL); /* on this wire the talker removes it */
    printf("talker: listener said: %s\n", text);
    return 0;
}
