/* descriptor.c (talker) - tries with a shmid what works with a file descriptor.
 *
 * The other half of listener/descriptor.c, which tells the story and is started first.
 *
 *     $ build/listener-descriptor             $ build/talker-descriptor
 */
#include "../common/layout/descriptor.h"
#include "../common/lesson.h"
#include "../common/session.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/select.h>
#if defined(__linux__)
#include <sys/epoll.h>
#endif

static const char *const points[] = {"tried", NULL};

static const struct program program = {
    .name = "talker-descriptor",
    .about = "Tries to wait for a segment as for a descriptor, and is woken by a signal.",
    .points = points,
    .values = DESCRIPTOR_VALUES};

static void create_without_descriptors(void);
static int create_epoll_set(void);
static int create_unlike_descriptors(void);
static void try_to_wait(int shmid, int epoll_set);

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    struct descriptor *shared = session_join(&session, &options, DESCRIPTOR_LESSON, sizeof *shared);

    explain("Allow ourselves no more descriptors: a segment can still be created and attached.");
    create_without_descriptors();

    explain("Wait for a segment as for a descriptor, and close one: each call refuses its shmid.");
    int epoll_set = create_epoll_set(), shmid = create_unlike_descriptors();
    try_to_wait(shmid, epoll_set);
    int closed = close(shmid);
    check(closed == -1 && errno == EBADF, "close of shmid %d: %s", shmid,
          closed == -1 ? calls_error_name(errno) : "granted");
    if (sys_shmctl(shmid, IPC_RMID, NULL) == -1)
        err(EXIT_FAILED, "shmctl(%d, IPC_RMID)", shmid);
    trace_point("tried");
    session_advance(&session, DESCRIPTOR_TRIED);

    explain("What can wake us is a signal: sleep until it comes, then look at the word.");
    session_await(&session, DESCRIPTOR_WRITTEN);
    int word = observe(&shared->word);
    check(word == session.peer, "the word is %d: the listener wrote its PID", word);
    session_advance(&session, DESCRIPTOR_OVER);
    session_part(&session);
    return program_end();
}

/* The limit is 1 and not 0, because poll(2) takes no more descriptors at once than the limit says,
 * and the narration uses it. */
static void create_without_descriptors(void)
{
    struct rlimit usual, low;
    if (getrlimit(RLIMIT_NOFILE, &usual) == -1)
        err(EXIT_FAILED, "getrlimit(RLIMIT_NOFILE)");
    low = (struct rlimit){.rlim_cur = 1, .rlim_max = usual.rlim_max};
    if (setrlimit(RLIMIT_NOFILE, &low) == -1)
        err(EXIT_FAILED, "setrlimit(RLIMIT_NOFILE, 1)");
    int copy = dup(STDOUT_FILENO), error = errno;
    int shmid = segment_private(1);
    void *address = sys_shmat(shmid, NULL, 0);
    if (address == (void *)-1)
        err(EXIT_FAILED, "shmat(%d, NULL, 0)", shmid);
    if (setrlimit(RLIMIT_NOFILE, &usual) == -1)
        err(EXIT_FAILED, "setrlimit(RLIMIT_NOFILE) to its old value");
    check(copy == -1 && error == EMFILE,
          "under an RLIMIT_NOFILE of 1: dup %s, shmget and shmat gave shmid %d at %p",
          copy == -1 ? calls_error_name(error) : "granted", shmid, address);
    if (sys_shmctl(shmid, IPC_RMID, NULL) == -1 || sys_shmdt(address) == -1)
        err(EXIT_FAILED, "remove and detach segment %d", shmid);
}

/* A shmid may be the same number as a descriptor of ours, by accident. */
static int create_unlike_descriptors(void)
{
    for (;;) {
        int shmid = segment_private(1);
        if (fcntl(shmid, F_GETFD) == -1)
            return shmid;
        if (sys_shmctl(shmid, IPC_RMID, NULL) == -1)
            err(EXIT_FAILED, "shmctl(%d, IPC_RMID)", shmid);
    }
}

/* An fd_set has FD_SETSIZE bits: FD_SET of a larger number writes elsewhere. */
static const char *try_select(int shmid)
{
    if (shmid >= FD_SETSIZE)
        return "no place in an fd_set";
    fd_set set;
    FD_ZERO(&set);
    FD_SET((size_t)shmid, &set);
    struct timeval at_once = {0, 0};
    int count = select(shmid + 1, &set, NULL, NULL, &at_once);
    return count == -1 ? calls_error_name(errno) : NULL;
}

/* To be called before the shmid is chosen: no descriptor of ours may have its number. */
static int create_epoll_set(void)
{
#if defined(__linux__)
    int set = epoll_create1(EPOLL_CLOEXEC);
    if (set == -1)
        err(EXIT_FAILED, "epoll_create1(EPOLL_CLOEXEC)");
    return set;
#else
    return -1;
#endif
}

static const char *try_epoll(int set, int shmid)
{
#if defined(__linux__)
    struct epoll_event event = {.events = EPOLLIN};
    return epoll_ctl(set, EPOLL_CTL_ADD, shmid, &event) == -1 ? calls_error_name(errno) : NULL;
#else
    (void)set, (void)shmid;
    return "not on this system";
#endif
}

static void try_to_wait(int shmid, int epoll_set)
{
    struct pollfd polled = {.fd = shmid, .events = POLLIN};
    int count = poll(&polled, 1, 0);
    bool refused = count == 1 && polled.revents == POLLNVAL;
    const char *no_select = try_select(shmid), *no_epoll = try_epoll(epoll_set, shmid);
    check(refused && no_epoll && no_select, "poll for shmid %d: %s; epoll_ctl: %s; select: %s",
          shmid, refused ? "POLLNVAL" : "no POLLNVAL", no_epoll ? no_epoll : "granted",
          no_select ? no_select : "granted");
}
