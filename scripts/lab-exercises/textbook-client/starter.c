/* talker.c - the client of the textbook. See TASK.md. */
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

/* TODO 1: end with 2 unless `text` is a whole number above 0. atoi does not say what is a number.
 */
static int parse_pid(const char *text)
{
    return (int)strtol(text, NULL, 10);
}

/* TODO 6: wait until the reply is there, and return 1. Return 0 if none comes: if the listener has
 *         died, or after five seconds. The notes sleep for two seconds here. Can you do better? */
static int await_reply(const char *shared, const char *said, int listener)
{
    return !is_dead(listener) && strcmp(shared, said) != 0;
}

int main(int argc, char **argv)
{
    int given = argc > 1 ? parse_pid(argv[1]) : 0;
    const char *message = argc > 2 ? argv[2] : "Hello, I'm talker";
    char said[1024];
    /* TODO 2: if the message, a newline and a NUL do not fit into `said`, end with 1. */
    snprintf(said, sizeof said, "%s\n", message);

    key_t key = ftok("shmfile", 1);
    /* TODO 3: what is the key if there is no file? End with 3 then. */
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
    /* TODO 4: shmat can fail. What does it return then? */

    /* TODO 5: store `said`. Print "talker: said: MESSAGE" and flush it. Then send SIGUSR1. */

    int answered = await_reply(shared, said, listener);
    char text[1024];
    /* TODO 7: copy the reply to `text`. The listener may have written no NUL. */
    text[0] = '\0';
    text[strcspn(text, "\n")] = '\0';
    shmdt(shared);
    /* TODO 8: on this wire the talker removes the segment, whether there was an answer or not. */
    if (!answered)
        errx(3, "no answer");
    printf("talker: listener said: %s\n", text);
    return 0;
}
