/* limits.c (talker) - asks for the limits as well, and for those of semaphores and message queues.
 *
 * The other half of listener/limits.c, which tells the story and is started first. Shared memory,
 * semaphores and message queues are the System V trio. Each has tables and limits of its own, and
 * all three know the same commands.
 *
 *     $ build/listener-limits                 $ build/talker-limits
 */
#if defined(__linux__)
#define _GNU_SOURCE /* IPC_INFO, struct seminfo, struct msginfo */
#endif
#include "../common/layout/limits.h"
#include "../common/lesson.h"
#include "../common/session.h"

#include <sys/msg.h>
#include <sys/sem.h>

static const char *const points[] = {"compared", NULL};

static const struct program program = {
    .name = "talker-limits",
    .about = "Asks for the limits of segments, semaphores and message queues.",
    .points = points,
    .values = LIMITS_VALUES};

#ifdef IPC_INFO
static void compare(const struct limits *shared);
static void ask_the_trio(void);
#endif

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    struct limits *shared = session_join(&session, &options, LIMITS_LESSON, sizeof *shared);
    session_await(&session, LIMITS_REPORTED);
#ifdef IPC_INFO
    explain("Ask as well: the limits are the same for every process in the IPC namespace.");
    compare(shared);
    explain("Semaphores and message queues have the same commands, and limits of their own.");
    ask_the_trio();
#endif
    trace_point("compared");
    session_advance(&session, LIMITS_COMPARED);
    session_await(&session, LIMITS_OVER);
    session_part(&session);
    return program_end();
}

#ifdef IPC_INFO

static struct shminfo ask(void)
{
    struct shminfo info;
    if (sys_shmctl(0, IPC_INFO, (struct shmid_ds *)&info) == -1)
        err(EXIT_FAILED, "shmctl(0, IPC_INFO)");
    return info;
}

static void compare(const struct limits *shared)
{
    const int our_bits = (int)sizeof(long) * 8;
    struct shminfo limits = ask();
    int bits = observe(&shared->bits);
    if (bits != our_bits)
        print_line(
            "skipped: the listener has %d bits and we have %d: the kernel reports other limits",
            bits, our_bits);
    else
        check(limits.shmmni == shared->shmmni && limits.shmmax == shared->shmmax &&
                  limits.shmall == shared->shmall,
              "the same limits as for the listener: SHMMNI %lu, SHMMAX %lu, SHMALL %lu",
              limits.shmmni, limits.shmmax, limits.shmall);
}

union about_semaphores {
    struct semid_ds *about;
    struct seminfo *limits;
};

static int count_commands_of_semctl(int *semmni)
{
    struct semid_ds about;
    struct seminfo limits = {0};
    union about_semaphores stat = {.about = &about}, info = {.limits = &limits};
    int semid = semget(IPC_PRIVATE, 1, 0600);
    if (semid == -1)
        err(EXIT_FAILED, "semget(IPC_PRIVATE, 1, 0600)");
    int taken = semctl(semid, 0, IPC_STAT, stat) != -1;
    taken += semctl(semid, 0, IPC_SET, stat) != -1;
    taken += semctl(semid, 0, IPC_RMID) != -1;
    taken += semctl(0, 0, IPC_INFO, info) != -1;
    *semmni = limits.semmni;
    return taken;
}

static int count_commands_of_msgctl(int *msgmni)
{
    struct msqid_ds about;
    struct msginfo limits = {0};
    int msqid = msgget(IPC_PRIVATE, 0600);
    if (msqid == -1)
        err(EXIT_FAILED, "msgget(IPC_PRIVATE, 0600)");
    int taken = msgctl(msqid, IPC_STAT, &about) != -1;
    taken += msgctl(msqid, IPC_SET, &about) != -1;
    taken += msgctl(msqid, IPC_RMID, NULL) != -1;
    taken += msgctl(0, IPC_INFO, (struct msqid_ds *)&limits) != -1;
    *msgmni = limits.msgmni;
    return taken;
}

static void ask_the_trio(void)
{
    int semmni, msgmni;
    unsigned long shmmni = ask().shmmni;
    int by_semctl = count_commands_of_semctl(&semmni);
    int by_msgctl = count_commands_of_msgctl(&msgmni);
    check(by_semctl == 4 && by_msgctl == 4,
          "of IPC_STAT, IPC_SET, IPC_RMID, IPC_INFO, semctl takes %d and msgctl %d", by_semctl,
          by_msgctl);
    check(shmmni > 0 && semmni > 0 && msgmni > 0,
          "each has a limit: SHMMNI %lu segments, SEMMNI %d semaphore sets, MSGMNI %d queues",
          shmmni, semmni, msgmni);
}

#endif
