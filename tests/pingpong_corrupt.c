/* pingpong_corrupt.c - stores false values in the segment of pingpong, for the tests.
 *
 *     pingpong_corrupt SHMID FIELD VALUE   is a talker whose plan has VALUE in FIELD
 *     pingpong_corrupt SHMID ping ROUND    is a talker that counts a message it has not stored
 *     pingpong_corrupt SHMID pong ROUND    counts, for the listener, a message it has not stored
 */
#include "../common/layout/pingpong.h"

#include <err.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/shm.h>
#include <time.h>
#include <unistd.h>

static _Atomic int *field_named(struct pingpong_plan *plan, const char *name)
{
    return strcmp(name, "method") == 0    ? &plan->method
           : strcmp(name, "cpu") == 0     ? &plan->cpu
           : strcmp(name, "spin") == 0    ? &plan->spin
           : strcmp(name, "size") == 0    ? &plan->size
           : strcmp(name, "warm_up") == 0 ? &plan->warm_up
           : strcmp(name, "rounds") == 0  ? &plan->rounds
                                          : NULL;
}

static int creator_of(int shmid)
{
    struct shmid_ds about;
    if (shmctl(shmid, IPC_STAT, &about) == -1)
        err(1, "shmctl(%d, IPC_STAT)", shmid);
    return (int)about.shm_cpid;
}

/* All other fields of the plan are valid; the method is `signal`. Stays until the listener has
 * ended, because the listener would report a talker that goes away. */
static void plan(struct pingpong *shared, int listener, const char *name, int value)
{
    shared->plan.method = 1;
    shared->plan.cpu = -1;
    shared->plan.size = 32;
    shared->plan.rounds = 10;
    if (field_named(&shared->plan, name))
        *field_named(&shared->plan, name) = value;
    shared->session.step = PINGPONG_PLANNED;
    shared->session.talker = (int)getpid();
    signal(SIGUSR1, SIG_IGN);
    if (listener <= 0 || kill(listener, SIGUSR1) == -1)
        err(1, "kill(%d, SIGUSR1)", listener);
    while (kill(listener, 0) == 0)
        nanosleep(&(struct timespec){0, 1000000}, NULL);
}

int main(int argc, char **argv)
{
    if (argc != 4)
        errx(2, "usage: pingpong_corrupt SHMID FIELD|ping|pong VALUE");
    int shmid = atoi(argv[1]), value = atoi(argv[3]);
    struct pingpong *shared = shmat(shmid, NULL, 0);
    if (shared == (void *)-1)
        err(1, "shmat(%d)", shmid);
    if (strcmp(argv[2], "pong") == 0) {
        shared->pong.count = (uint64_t)value;
        return 0;
    }
    if (strcmp(argv[2], "ping") == 0)
        shared->ping.count = (uint64_t)value;
    plan(shared, creator_of(shmid), argv[2], value);
    return 0;
}
