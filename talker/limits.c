/* limits.c (talker) - asks for what nobody gets: each refusal has its errno, and its reason.
 *
 * The other half of listener/limits.c, which tells of the limits and is started first. Here are the
 * refusals for which no limit of the system has to be lowered. And here is what does not limit it:
 * a segment is no descriptor, so RLIMIT_NOFILE does not count it, and poll, select and epoll do not
 * take it. The other two of the System V trio have tables, limits and ids of their own, and the
 * same commands.
 *
 *     $ build/listener-limits                 $ build/talker-limits
 */
#if defined(__linux__)
#define _GNU_SOURCE /* IPC_INFO, struct seminfo, struct msginfo */
#endif
#include "../common/layout/limits.h"
#include "../common/lesson.h"
#include "../common/session.h"
#include "../common/peer.h"
#include "../common/ending.h"

#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <sys/msg.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sem.h>

static const struct program program = {
    .name = "talker-limits",
    .about = "Asks for segments that cannot be had, and for what a segment is not.",
};

#ifdef IPC_INFO
#include <sys/epoll.h>

static struct shminfo ask(void)
{
    struct shminfo info;
    if (sys_shmctl(0, IPC_INFO, (struct shmid_ds *)&info) == -1)
        err(1, "shmctl(0, IPC_INFO)");
    return info;
}

/* Makes a segment without a key, and attaches it; it is marked for removal at once, and goes with
 * its last attachment, even if we are killed. Returns its id, which Linux attaches all the same. */
static int make(size_t bytes, void **place)
{
    int shmid = sys_shmget(IPC_PRIVATE, bytes, 0600);
    if (shmid == -1)
        err(1, "shmget(IPC_PRIVATE, %zu, 0600)", bytes);
    *place = sys_shmat(shmid, NULL, 0);
    int error = errno;
    if (sys_shmctl(shmid, IPC_RMID, NULL) == -1)
        err(1, "shmctl(%d, IPC_RMID)", shmid);
    errno = error;
    if (*place == (void *)-1)
        err(1, "shmat(%d, NULL, 0)", shmid);
    return shmid;
}

static void drop(const void *place)
{
    if (sys_shmdt(place) == -1)
        err(1, "shmdt(%p)", place);
}

/* To be called right after a shmget that should have failed with `error`. */
static void refused(struct session *session, int shmid, int error, size_t bytes, const char *what)
{
    bool holds = shmid == -1 && errno == error;
    const char *result = shmid == -1 ? calls_error_name(errno) : "granted";
    struct shmid_ds about;
    if (shmid != -1 && sys_shmctl(shmid, IPC_STAT, &about) == 0 && about.shm_cpid == getpid())
        segment_remove_at_exit(shmid);
    if (!holds && peer_is_gone(session->peer, session->segment.shmid))
        session_await(session, LIMITS_OVER); /* which says so, and ends */
    check(holds, "shmget of %zu bytes, %s: %s", bytes, what, result);
}

/* ---- shmget ---- */

static void ask_for_wrong_sizes(struct session *session, size_t shmmin, size_t shmmax)
{
    explain("SHMMIN: the smallest size is granted, and less is no size at all");
    void *place;
    make(shmmin, &place);
    drop(place);
    say("shmget of %zu byte%s, which is SHMMIN: granted", shmmin, shmmin == 1 ? "" : "s");
    refused(session, sys_shmget(IPC_PRIVATE, shmmin - 1, 0600), EINVAL, shmmin - 1,
            "less than SHMMIN");

    explain("SHMMAX: as the system has it, and not lowered as by the listener's child");
    if (shmmax == SIZE_MAX)
        say("skipped: SHMMAX is the largest number that there is");
    else
        refused(session, sys_shmget(IPC_PRIVATE, shmmax + 1, 0600), EINVAL, shmmax + 1,
                "more than SHMMAX");
}

static void ask_for_what_is_there(struct session *session)
{
    const struct segment *there = &session->segment;
    explain("IPC_EXCL says new, or not at all; but this key has the listener's segment");
    refused(session, sys_shmget(there->key, there->size, IPC_CREAT | IPC_EXCL | 0600), EEXIST,
            there->size, "new, where the listener's is");

    explain("to open what is there any size will do, up to its own");
    refused(session, sys_shmget(there->key, there->size + 1, 0), EINVAL, there->size + 1,
            "more than the listener's has");
}

/* Some keys of the file may have segments. */
static void ask_for_what_is_not_there(struct session *session, const char *file)
{
    explain("without IPC_CREAT a key that has no segment finds nothing");
    int shmid, project = 255;
    do
        shmid = sys_shmget(sys_ftok(file, project), 0, 0);
    while (shmid != -1 && --project > 0);
    refused(session, shmid, ENOENT, 0, "by a key that no segment has");
}

/* ---- what is limited elsewhere ---- */

static void ask_for_more_than_fits(void)
{
    explain("ENOMEM: what is attached takes address space, and we allow ourselves no more of it");
    enum { ROOM = 16 << 20 };
    void *place;
    int shmid = make(ROOM, &place);
    struct rlimit old, low;
    getrlimit(RLIMIT_AS, &old);
    low = (struct rlimit){.rlim_cur = ROOM, .rlim_max = old.rlim_max};
    setrlimit(RLIMIT_AS, &low);
    void *again = sys_shmat(shmid, NULL, 0);
    int error = errno;
    setrlimit(RLIMIT_AS, &old);
    check(again == (void *)-1 && error == ENOMEM,
          "shmat of %d bytes, under an RLIMIT_AS of as many: %s", ROOM,
          again == (void *)-1 ? calls_error_name(error) : "granted");
    drop(place);
}

static void ask_without_descriptors(void)
{
    explain("a segment is no descriptor: where none is allowed, it can still be had and attached");
    struct rlimit old, none;
    getrlimit(RLIMIT_NOFILE, &old);
    none = (struct rlimit){.rlim_cur = 0, .rlim_max = old.rlim_max};
    setrlimit(RLIMIT_NOFILE, &none);
    int copy = dup(STDOUT_FILENO), error = errno;
    void *place;
    int shmid = make(1, &place);
    setrlimit(RLIMIT_NOFILE, &old);
    check(copy == -1 && error == EMFILE,
          "under an RLIMIT_NOFILE of 0: dup %s, shmget and shmat gave shmid %d at %p",
          copy == -1 ? calls_error_name(error) : "granted", shmid, place);
    drop(place);
}

/* What select says of a number that is no descriptor; many a shmid has no place in its sets. */
static const char *try_select(int shmid)
{
    fd_set set;
    struct timeval at_once = {0, 0};
    if (shmid >= FD_SETSIZE)
        return "no place in an fd_set";
    FD_ZERO(&set);
    FD_SET((size_t)shmid, &set);
    int count = select(shmid + 1, &set, NULL, NULL, &at_once);
    return count == -1 ? calls_error_name(errno) : NULL;
}

static void wait_for_a_segment(void)
{
    explain("and so nothing that waits for descriptors can wait for it");
    struct epoll_event event = {.events = EPOLLIN};
    int set = epoll_create1(EPOLL_CLOEXEC);
    if (set == -1)
        err(1, "epoll_create1(EPOLL_CLOEXEC)");
    void *place;
    int shmid = make(1, &place);
    while (fcntl(shmid, F_GETFD) != -1) { /* a descriptor has the same number by accident */
        drop(place);
        shmid = make(1, &place);
    }
    struct pollfd polled = {.fd = shmid, .events = POLLIN};
    int count = poll(&polled, 1, 0);
    int added = epoll_ctl(set, EPOLL_CTL_ADD, shmid, &event);
    const char *no_epoll = added == -1 ? calls_error_name(errno) : NULL;
    const char *no_select = try_select(shmid);
    check(count == 1 && polled.revents == POLLNVAL && no_epoll && no_select,
          "poll for shmid %d: %s; epoll_ctl: %s; select: %s", shmid,
          polled.revents == POLLNVAL ? "POLLNVAL" : "no POLLNVAL", no_epoll ? no_epoll : "granted",
          no_select ? no_select : "granted");
    drop(place);
    close(set);
}

/* ---- the trio ---- */

union about_semaphores {
    struct semid_ds *about;
    struct seminfo *limits;
};

static int commands_taken_by_semctl(int *semmni)
{
    struct semid_ds about;
    struct seminfo limits = {0};
    int semid = semget(IPC_PRIVATE, 1, 0600);
    union about_semaphores stat = {.about = &about}, info = {.limits = &limits};
    int taken = semctl(semid, 0, IPC_STAT, stat) != -1;
    taken += semctl(semid, 0, IPC_SET, stat) != -1;
    taken += semctl(semid, 0, IPC_RMID) != -1;
    taken += semctl(0, 0, IPC_INFO, info) != -1;
    *semmni = limits.semmni;
    return taken;
}

static int commands_taken_by_msgctl(int *msgmni)
{
    struct msqid_ds about;
    struct msginfo limits = {0};
    int msqid = msgget(IPC_PRIVATE, 0600);
    int taken = msgctl(msqid, IPC_STAT, &about) != -1;
    taken += msgctl(msqid, IPC_SET, &about) != -1;
    taken += msgctl(msqid, IPC_RMID, NULL) != -1;
    taken += msgctl(0, IPC_INFO, (struct msqid_ds *)&limits) != -1;
    *msgmni = limits.msgmni;
    return taken;
}

static void ask_the_trio(const struct shminfo *limits)
{
    explain("semaphores and message queues, the other two of the trio, know the same commands");
    int semmni, msgmni;
    int by_semctl = commands_taken_by_semctl(&semmni);
    int by_msgctl = commands_taken_by_msgctl(&msgmni);
    check(by_semctl == 4 && by_msgctl == 4,
          "of IPC_STAT, IPC_SET, IPC_RMID, IPC_INFO, semctl takes %d and msgctl %d", by_semctl,
          by_msgctl);
    check(limits->shmmni > 0 && semmni > 0 && msgmni > 0,
          "each has a limit: SHMMNI %lu segments, SEMMNI %d semaphore sets, MSGMNI %d queues",
          limits->shmmni, semmni, msgmni);
}

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    struct limits *shared = session_join(&session, &options, LIMITS_LESSON, sizeof *shared);
    session_await(&session, LIMITS_TOLD);

    explain("the limits are not one process's: they hold for all in the IPC namespace");
    struct shminfo limits = ask();
    check(limits.shmmni == shared->shmmni && limits.shmmax == shared->shmmax &&
              limits.shmall == shared->shmall,
          "told the same as the listener: SHMMNI %lu, SHMMAX %lu, SHMALL %lu", limits.shmmni,
          limits.shmmax, limits.shmall);
    ask_for_wrong_sizes(&session, limits.shmmin, limits.shmmax);
    ask_for_what_is_there(&session);
    ask_for_what_is_not_there(&session, options.file);
    ask_for_more_than_fits();
    ask_without_descriptors();
    wait_for_a_segment();
    ask_the_trio(&limits);

    session_advance(&session, LIMITS_REFUSED);
    session_await(&session, LIMITS_OVER);
    session_part(&session);
    return program_end();
}

#else /* no IPC_INFO */

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    session_join(&session, &options, LIMITS_LESSON, sizeof(struct limits));
    session_await(&session, LIMITS_TOLD); /* the listener says that this system cannot show it */
    session_part(&session);
    return 0;
}

#endif
