/* methods.c - seven ways to wake a peer that waits for a count; see methods.h. */
#include "methods.h"
#include "calls.h"
#include "ending.h"
#include "exits.h"
#include "peer.h"
#include "signals.h"
#include "trace.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sem.h>
#include <time.h>
#include <unistd.h>

/* ---- textbook and spin: the peer is not woken ---- */

static void wake_not(struct channel *channel)
{
    (void)channel;
}

/* For a method that unblocks no signal while it waits. */
static enum wait_result check_peer(struct wait *wait)
{
    ending_obey();
    if (wait->verdict != WAIT_LOOK)
        return wait->verdict;
    wait_should_look(wait);
    return WAIT_LOOK;
}

static enum wait_result nap(struct channel *channel, struct wait *wait)
{
    (void)channel;
    nanosleep(&(struct timespec){0, 1000000}, NULL);
    return check_peer(wait);
}

static enum wait_result look_again(struct channel *channel, struct wait *wait)
{
    enum { CHECK_PEER = 1024 };
    if (++channel->looks % CHECK_PEER == 0)
        return check_peer(wait);
    doorbell_relax();
    return WAIT_LOOK;
}

/* ---- signal, sigwait and doorbell: SIGUSR1 ---- */

static void ring(struct channel *channel)
{
    channel->bell.sent++;
    if (peer_signal(channel->peer) == -1 && errno != ESRCH)
        err(EXIT_FAILED, "kill(%d, SIGUSR1)", (int)channel->peer);
}

static enum wait_result sleep_in_sigsuspend(struct channel *channel, struct wait *wait)
{
    (void)channel;
    return wait_sleep(wait);
}

/* All signals that are ours, and blocked: SIGUSR1, the timer, and those that ask us to end. */
static void choose_signals(struct channel *channel, const struct session *session,
                           const struct options *options)
{
    (void)session, (void)options;
    sigemptyset(&channel->signals);
    sigaddset(&channel->signals, SIGUSR1);
    sigaddset(&channel->signals, SIGALRM);
    ending_add_to(&channel->signals);
}

/* No handler runs, so we do what the handlers would do. */
static enum wait_result sleep_in_sigwait(struct channel *channel, struct wait *wait)
{
    if (wait->verdict != WAIT_LOOK)
        return wait->verdict;
    do {
        siginfo_t info;
        int signo = sys_sigwaitinfo(&channel->signals, &info);
        if (signo == SIGUSR1)
            on_sigusr1(signo, &info, NULL);
        else if (signo != -1 && signo != SIGALRM)
            on_ending_signal(signo, &info, NULL);
    } while (!wait_should_look(wait));
    return WAIT_LOOK;
}

static void ring_doorbell(struct channel *channel)
{
    if (doorbell_ring(&channel->bell, channel->peer) == -1 && errno != ESRCH)
        err(EXIT_FAILED, "kill(%d, SIGUSR1)", (int)channel->peer);
}

static enum wait_result wait_for_doorbell(struct channel *channel, struct wait *wait)
{
    return doorbell_wait(&channel->bell, wait);
}

/* ---- what has to be removed ---- */

/* The listener creates it and removes it. If the listener has died, the talker removes it. A child
 * that inherits this by fork does not. */
static struct {
    pid_t owner, maker;
    int semaphores;         /* -1: none */
    char fifo[2][PATH_MAX]; /* ours to read, and the other's; "": none */
} left = {.semaphores = -1};

static void remove_names(void)
{
    for (int i = 0; i < 2; i++)
        if (*left.fifo[i] && unlink(left.fifo[i]) == -1 && errno != ENOENT)
            warn("remove it by hand: unlink(\"%s\")", left.fifo[i]);
    *left.fifo[0] = *left.fifo[1] = '\0';
}

static void clean_up(void)
{
    if (left.owner != getpid() || (left.maker != left.owner && peer_is_alive(left.maker)))
        return;
    remove_names();
    if (left.semaphores != -1 &&
        sys_semctl(left.semaphores, 0, IPC_RMID, (union sys_semun){0}) == -1 && !segment_is_gone())
        warn("remove it by hand, \"ipcrm -s %d\": semctl(%d, 0, IPC_RMID)", left.semaphores,
             left.semaphores);
}

static void clean_up_at_exit(const struct session *session)
{
    left.owner = getpid();
    left.maker = session->segment.creator;
    if (atexit(clean_up) != 0)
        errx(EXIT_FAILED, "atexit: no room for another function");
}

/* ---- semaphore ---- */

/* A set has the key of the segment, so that the next listener can remove what a killed one left.
 * The kernel does not say who created a set. Our sets are recognised by their number of semaphores,
 * as our segments are by their size. Two semaphores are used. */
enum { SEMAPHORES = 41 };

static bool is_ours(int semaphores)
{
    struct semid_ds about;
    return sys_semctl(semaphores, 0, IPC_STAT, (union sys_semun){.buf = &about}) == 0 &&
           about.sem_perm.uid == geteuid() && about.sem_perm.cuid == geteuid() &&
           about.sem_nsems == SEMAPHORES;
}

static int make_semaphores(key_t key)
{
    int made;
    while ((made = sys_semget(key, SEMAPHORES, IPC_CREAT | IPC_EXCL | 0600)) == -1) {
        int found = errno == EEXIST ? sys_semget(key, 0, 0) : -1;
        if (found == -1 && errno != ENOENT)
            err(EXIT_FAILED, "semget(%#x, %d, IPC_CREAT | IPC_EXCL)", (unsigned)key, SEMAPHORES);
        if (found == -1)
            continue;
        if (!is_ours(found))
            errx(EXIT_FAILED,
                 "key %#x belongs to a foreign semaphore set (semid %d), not changed: choose "
                 "another --project or --file",
                 (unsigned)key, found);
        if (sys_semctl(found, 0, IPC_RMID, (union sys_semun){0}) == 0)
            warnx("recovered: removed semaphore set %d, which a listener left behind", found);
    }
    return made;
}

/* The first semaphore is the listener's, the second the talker's. */
static void open_semaphores(struct channel *channel, const struct session *session,
                            const struct options *options)
{
    (void)options;
    bool makes = session->segment.creator == getpid();
    key_t key = session->segment.key;
    clean_up_at_exit(session);
    left.semaphores = makes ? make_semaphores(key) : sys_semget(key, 0, 0);
    if (left.semaphores == -1 || !is_ours(left.semaphores))
        errx(EXIT_FAILED, "the listener has made no semaphore set with key %#x: start both again",
             (unsigned)key);
    channel->semaphores = left.semaphores;
    channel->mine = makes ? 0 : 1;
    channel->other = makes ? 1 : 0;
}

/* A removed set means that the peer went away: the next wait detects it. */
static void raise_semaphore(struct channel *channel)
{
    struct sembuf give = {channel->other, 1, IPC_NOWAIT};
    if (sys_semop(channel->semaphores, &give, 1) == -1 && !segment_is_gone())
        err(EXIT_FAILED, "semop(%d, {%d, 1}, 1)", channel->semaphores, (int)channel->other);
}

/* A removed set counts as a dead peer: there is one last look at the count. */
static enum wait_result lower_semaphore(struct channel *channel, struct wait *wait)
{
    struct sembuf take = {channel->mine, -1, 0};
    while (wait->verdict == WAIT_LOOK) {
        sigset_t ours;
        wait_unblock(&ours);
        int result = sys_semop(channel->semaphores, &take, 1);
        wait_block_again(&ours);
        if (result == 0)
            return WAIT_LOOK;
        if (segment_is_gone()) {
            wait->verdict = WAIT_GONE;
            return WAIT_LOOK;
        }
        if (errno != EINTR)
            err(EXIT_FAILED, "semop(%d, {%d, -1}, 1)", channel->semaphores, (int)channel->mine);
        wait_should_look(wait);
        if (wait->verdict != WAIT_LOOK)
            return WAIT_LOOK;
    }
    return wait->verdict;
}

/* ---- fifo ---- */

/* A killed listener may have left its FIFO. It is empty, because no process has it open, and is
 * used again. It is not removed first: the name could lead to another file by then. */
static void make_fifo(const char *name)
{
    struct stat about;
    if (mkfifo(name, 0600) == 0)
        return;
    int error = errno;
    if (error != EEXIST || lstat(name, &about) == -1 || !S_ISFIFO(about.st_mode) ||
        about.st_uid != geteuid()) {
        errno = error;
        err(EXIT_FAILED, "cannot make a FIFO beside the key file: mkfifo(\"%s\", 0600)", name);
    }
    warnx("recovered: uses %s again, which a listener left behind", name);
}

/* Opens both ends: so no open waits for the peer, and there is no end of file and no SIGPIPE. A
 * dead peer is detected by the timer, as everywhere. Returns one end; the other stays open. */
static int open_fifo(const char *name, bool reads)
{
    int from = open(name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    int to = open(name, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    struct stat about;
    if (from == -1 || to == -1 || fstat(from, &about) == -1)
        err(EXIT_FAILED, "the FIFOs have the name of --file, with an ending: open(\"%s\")", name);
    if (!S_ISFIFO(about.st_mode) || about.st_uid != geteuid())
        errx(EXIT_FAILED, "%s is not a FIFO of this user: choose another --file", name);
    int end = reads ? from : to;
    if (fcntl(end, F_SETFL, reads ? O_RDONLY : O_WRONLY) == -1)
        err(EXIT_FAILED, "fcntl(%d, F_SETFL) of \"%s\"", end, name);
    return end;
}

/* The names are needed until the talker has opened both FIFOs. Then it removes them. */
static void open_fifos(struct channel *channel, const struct session *session,
                       const struct options *options)
{
    bool makes = session->segment.creator == getpid();
    clean_up_at_exit(session);
    for (int i = 0; i < 2; i++) {
        char name[PATH_MAX];
        bool reads = i == 0;
        int length = snprintf(name, sizeof name, "%s.%d.to-%s", options->file, options->project,
                              reads == makes ? "listener" : "talker");
        if (length < 0 || (size_t)length >= sizeof name)
            errx(EXIT_FAILED, "--file: '%s' is too long for a FIFO's name: choose a shorter one",
                 options->file);
        if (makes)
            make_fifo(name);
        memcpy(left.fifo[i], name, sizeof name);
        *(reads ? &channel->from : &channel->to) = open_fifo(name, reads);
    }
    if (!makes)
        remove_names();
}

static void write_byte(struct channel *channel)
{
    if (sys_write(channel->to, "!", 1) == -1)
        err(EXIT_FAILED, "write(%d, ..., 1) to the FIFO", channel->to);
}

static enum wait_result read_byte(struct channel *channel, struct wait *wait)
{
    while (wait->verdict == WAIT_LOOK) {
        char byte;
        sigset_t ours;
        wait_unblock(&ours);
        ssize_t got = sys_read(channel->from, &byte, 1);
        wait_block_again(&ours);
        if (got == 1)
            return WAIT_LOOK;
        if (got == -1 && errno != EINTR)
            err(EXIT_FAILED, "read(%d, ..., 1) from the FIFO", channel->from);
        wait_should_look(wait);
        if (wait->verdict != WAIT_LOOK)
            return WAIT_LOOK;
    }
    return wait->verdict;
}

/* ---- the methods ---- */

/* Where the kernel counts the wakeups, each one that was sent must be taken: we wait first, then
 * look. In the other methods we look first, and wait only if there is nothing. */
struct method {
    const char *name;
    void (*wake)(struct channel *channel);
    enum wait_result (*wait)(struct channel *channel, struct wait *wait); /* one step of it */
    bool counted;
    void (*open)(struct channel *channel, const struct session *session,
                 const struct options *options);
};

static const struct method methods[] = {
    {"textbook", wake_not, nap, false, NULL},
    {"signal", ring, sleep_in_sigsuspend, false, NULL},
    {"sigwait", ring, sleep_in_sigwait, false, choose_signals},
    {"doorbell", ring_doorbell, wait_for_doorbell, false, NULL},
    {"spin", wake_not, look_again, false, NULL},
    {"semaphore", raise_semaphore, lower_semaphore, true, open_semaphores},
    {"fifo", write_byte, read_byte, true, open_fifos},
};

_Static_assert(sizeof methods / sizeof *methods == METHODS, "methods.h counts the methods");

int method_named(const char *name)
{
    for (int method = 0; method < METHODS; method++)
        if (strcmp(name, methods[method].name) == 0)
            return method;
    return -1;
}

const char *method_name(int method)
{
    return method < 0 || method >= METHODS ? NULL : methods[method].name;
}

void channel_open(struct channel *channel, int method, const struct session *session,
                  const struct options *options)
{
    channel->method = &methods[method];
    channel->peer = session->peer;
    if (channel->method->open)
        channel->method->open(channel, session, options);
}

void channel_wake(struct channel *channel)
{
    channel->method->wake(channel);
}

enum wait_result channel_await(struct channel *channel, const _Atomic uint64_t *count,
                               uint64_t value, const struct wait *begin)
{
    struct wait wait = *begin;
    const struct method *method = channel->method;
    enum wait_result why = method->counted ? method->wait(channel, &wait) : WAIT_LOOK;
    while (why == WAIT_LOOK && observe(count) != value)
        why = method->wait(channel, &wait);
    doorbell_up(&channel->bell);
    return why;
}
