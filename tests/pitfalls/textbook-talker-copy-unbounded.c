/* pitfall: copy-unbounded; side: talker; wire: textbook. A message of any length is copied into the
 * segment. */
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

/* Waits until the text has changed, and does not change any more. */
static int await_reply(const volatile char *shared, const char *said, int listener)
{
    char now[1024], before[1024] = "";
    struct timespec moment = {0, 50000000};
    for (int i = 0; i < 100; i++) {
        int dead = is_dead(listener);
        memcpy(now, (const char *)shared, sizeof now);
        if (memcmp(now, said, strlen(said) + 1) != 0 && memcmp(now, before, sizeof now) == 0)
            return 1;
        if (dead && memcmp(now, before, sizeof now) == 0)
            return 0;
        memcpy(before, now, sizeof before);
        nanosleep(&moment, NULL);
    }
    return 0;
}

int main(int argc, char **argv)
{
    int given = argc > 1 ? parse_pid(argv[1]) : 0;
    const char *message = argc > 2 ? argv[2] : "Hello, I'm talker";
    char *said = malloc(strlen(message) + 2);
    if (said == NULL)
        err(1, "malloc");
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

    int answered = await_reply(shared, said, listener);
    char text[1024];
    memcpy(text, shared, sizeof text);
    text[sizeof text - 1] = '\0';
    text[strcspn(text, "\n")] = '\0';
    shmdt(shared);
    shmctl(shmid, IPC_RMID, NULL); /* on this wire the talker removes it */
    if (!answered)
        errx(3, "no answer");
    printf("talker: listener said: %s\n", text);
    return 0;
}
