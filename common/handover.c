/* handover.c - seven ways to make a peer look; see handover.h. */
#define IN_COMMON
#include "handover.h"
#include "sys.h"

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

/* ---- textbook, and spin: nobody is told ---- */

static void tell_nobody(struct handover *handover)
{
    (void)handover;
}

/* For who does not sleep in a way that lets a signal in. */
static enum wakeup look_around(struct wakeup_wait *wait)
{
    wakeup_end();
    return wakeup_look(wait);
}

static enum wakeup nap(struct handover *handover, struct wakeup_wait *wait)
{
    (void)handover;
    nanosleep(&(struct timespec){0, 1000000}, NULL);
    return look_around(wait);
}

static enum wakeup look_again(struct handover *handover, struct wakeup_wait *wait)
{
    enum { LOOK_AROUND = 1024 };
    if (++handover->looks % LOOK_AROUND == 0)
        return look_around(wait);
    doorbell_relax();
    return WAKEUP_LOOK;
}

/* ---- signal, sigwait, doorbell: SIGUSR1 ---- */

static void ring(struct handover *handover)
{
    handover->bell.rung++;
    if (wakeup_send(handover->peer) == -1 && errno != ESRCH)
        err(1, "kill(%d, SIGUSR1)", (int)handover->peer);
}

static enum wakeup sleep_in_sigsuspend(struct handover *handover, struct wakeup_wait *wait)
{
    (void)handover;
    return wakeup_sleep(wait);
}

/* Of what is blocked all that is ours: the bell, the tick, and what asks us to end. */
static void choose_signals(struct handover *handover, const struct meet *meet,
                           const struct options *options)
{
    (void)meet, (void)options;
    static const int ours[] = {SIGUSR1, SIGALRM, SIGINT, SIGTERM, SIGHUP, SIGPIPE};
    sigset_t blocked;
    sigprocmask(SIG_BLOCK, NULL, &blocked);
    sigemptyset(&handover->signals);
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (sigismember(&blocked, ours[i]) == 1)
            sigaddset(&handover->signals, ours[i]);
}

/* No handler runs: we do what ours would have done. */
static enum wakeup sleep_in_sigwait(struct handover *handover, struct wakeup_wait *wait)
{
    if (wait->verdict != WAKEUP_LOOK)
        return wait->verdict;
    siginfo_t info;
    int signo = sys_sigwaitinfo(&handover->signals, &info);
    if (signo == SIGUSR1)
        wakeup_take(signo, &info, NULL);
    else if (signo != -1 && signo != SIGALRM)
        wakeup_ending = signo;
    return wakeup_look(wait);
}

static void ring_doorbell(struct handover *handover)
{
    if (doorbell_ring(&handover->bell, handover->peer) == -1 && errno != ESRCH)
        err(1, "kill(%d, SIGUSR1)", (int)handover->peer);
}

static enum wakeup wait_for_doorbell(struct handover *handover, struct wakeup_wait *wait)
{
    return doorbell_wait(&handover->bell, wait);
}

/* ---- what has to be removed ---- */

/* The listener makes it, and removes it; where the listener has died, the talker does. A child that
 * inherits this by fork does neither. */
static struct {
    pid_t owner, maker;
    int semaphores;         /* -1: none */
    char fifo[2][PATH_MAX]; /* ours to read, and the other's; "": none */
} left = {.semaphores = -1};

static void remove_names(void)
{
    for (int i = 0; i < 2; i++)
        if (*left.fifo[i] && unlink(left.fifo[i]) == -1 && errno != ENOENT)
            warn("unlink(\"%s\"): remove it by hand", left.fifo[i]);
    *left.fifo[0] = *left.fifo[1] = '\0';
}

static void clean_up(void)
{
    if (left.owner != getpid() || (left.maker != left.owner && wakeup_alive(left.maker)))
        return;
    remove_names();
    if (left.semaphores != -1 &&
        sys_semctl(left.semaphores, 0, IPC_RMID, (union sys_semun){0}) == -1 && errno != EINVAL &&
        errno != EIDRM)
        warn("semctl(%d, 0, IPC_RMID): remove it by hand, \"ipcrm -s %d\"", left.semaphores,
             left.semaphores);
}

static void clean_up_at_exit(const struct meet *meet)
{
    left.owner = getpid();
    left.maker = meet->segment.creator;
    if (atexit(clean_up) != 0)
        errx(1, "atexit: no room for another function");
}

/* ---- semaphore ---- */

/* A set has the key of the segment, so that a listener can remove what one that was killed has
 * left. The kernel does not say who made it: as our segments are told by their size, our sets are
 * told by their number of semaphores. Two of them are used. */
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
            err(1, "semget(%#x, %d, IPC_CREAT | IPC_EXCL)", (unsigned)key, SEMAPHORES);
        if (found == -1)
            continue;
        if (!is_ours(found))
            errx(1,
                 "key %#x belongs to a foreign semaphore set (semid %d), left as it is: choose "
                 "another --project or --file",
                 (unsigned)key, found);
        if (sys_semctl(found, 0, IPC_RMID, (union sys_semun){0}) == 0)
            warnx("recovered: removed semaphore set %d, which a listener left behind", found);
    }
    return made;
}

/* The listener has the first, the talker the second. */
static void open_semaphores(struct handover *handover, const struct meet *meet,
                            const struct options *options)
{
    (void)options;
    bool makes = meet->segment.creator == getpid();
    key_t key = meet->segment.key;
    clean_up_at_exit(meet);
    left.semaphores = makes ? make_semaphores(key) : sys_semget(key, 0, 0);
    if (left.semaphores == -1 || !is_ours(left.semaphores))
        errx(1, "the listener has made no semaphore set with key %#x", (unsigned)key);
    handover->semaphores = left.semaphores;
    handover->mine = makes ? 0 : 1;
    handover->other = makes ? 1 : 0;
}

/* A set that was removed is as a peer that went away; a set that is full is no news to it. */
static void raise_semaphore(struct handover *handover)
{
    struct sembuf give = {handover->other, 1, IPC_NOWAIT};
    if (sys_semop(handover->semaphores, &give, 1) == -1 && errno != EIDRM && errno != EINVAL)
        err(1, "semop(%d, {%d, 1}, 1)", handover->semaphores, (int)handover->other);
}

static enum wakeup lower_semaphore(struct handover *handover, struct wakeup_wait *wait)
{
    if (wait->verdict != WAKEUP_LOOK)
        return wait->verdict;
    struct sembuf take = {handover->mine, -1, 0};
    sigset_t ours;
    wakeup_let_in(&ours);
    int result = sys_semop(handover->semaphores, &take, 1);
    wakeup_keep_out(&ours);
    if (result == -1 && (errno == EIDRM || errno == EINVAL)) {
        wait->verdict = WAKEUP_GONE; /* told at the next step: our caller looks once more */
        return WAKEUP_LOOK;
    }
    if (result == -1 && errno != EINTR)
        err(1, "semop(%d, {%d, -1}, 1)", handover->semaphores, (int)handover->mine);
    return wakeup_look(wait);
}

/* ---- fifo ---- */

static void make_fifo(const char *name)
{
    struct stat about;
    if (lstat(name, &about) == 0 && S_ISFIFO(about.st_mode) && about.st_uid == geteuid() &&
        unlink(name) == 0)
        warnx("recovered: removed %s, which a listener left behind", name);
    if (mkfifo(name, 0600) == -1)
        err(1, "mkfifo(\"%s\", 0600): the key file's directory has to take it", name);
}

/* Opens it at both its ends, so that neither open waits for the peer, nor is there ever an end of
 * file, or a SIGPIPE: that the peer has died is noticed as everywhere. Returns one end. */
static int open_fifo(const char *name, bool reads)
{
    int from = open(name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    int to = open(name, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    struct stat about;
    if (from == -1 || to == -1 || fstat(from, &about) == -1)
        err(1, "open(\"%s\"): the FIFOs stand beside the key file, by the name of --file", name);
    if (!S_ISFIFO(about.st_mode) || about.st_uid != geteuid())
        errx(1, "%s is not a FIFO of ours", name);
    int end = reads ? from : to;
    if (fcntl(end, F_SETFL, reads ? O_RDONLY : O_WRONLY) == -1)
        err(1, "fcntl(%d, F_SETFL) of \"%s\"", end, name);
    return end;
}

/* The names are needed until the talker has opened both, and are gone then. */
static void open_fifos(struct handover *handover, const struct meet *meet,
                       const struct options *options)
{
    bool makes = meet->segment.creator == getpid();
    clean_up_at_exit(meet);
    for (int i = 0; i < 2; i++) {
        char name[PATH_MAX];
        bool reads = i == 0;
        int length = snprintf(name, sizeof name, "%s.%d.to-%s", options->file, options->project,
                              reads == makes ? "listener" : "talker");
        if (length < 0 || (size_t)length >= sizeof name)
            errx(1, "--file: no room for a FIFO's name behind that of the key file");
        if (makes)
            make_fifo(name);
        memcpy(left.fifo[i], name, sizeof name);
        *(reads ? &handover->from : &handover->to) = open_fifo(name, reads);
    }
    if (!makes)
        remove_names();
}

static void write_byte(struct handover *handover)
{
    if (sys_write(handover->to, "!", 1) == -1)
        err(1, "write(%d, ..., 1) to the FIFO", handover->to);
}

static enum wakeup read_byte(struct handover *handover, struct wakeup_wait *wait)
{
    if (wait->verdict != WAKEUP_LOOK)
        return wait->verdict;
    char byte;
    sigset_t ours;
    wakeup_let_in(&ours);
    ssize_t got = sys_read(handover->from, &byte, 1);
    wakeup_keep_out(&ours);
    if (got == -1 && errno != EINTR)
        err(1, "read(%d, ..., 1) from the FIFO", handover->from);
    return wakeup_look(wait);
}

/* ---- the methods ---- */

/* Where each wakeup is counted by the kernel, one is taken for each that was given: we wait first,
 * and look then. Elsewhere we look first, and wait only where there is nothing. */
struct handover_method {
    const char *name;
    void (*tell)(struct handover *handover);
    enum wakeup (*wait)(struct handover *handover, struct wakeup_wait *wait); /* one step of it */
    bool counted;
    void (*open)(struct handover *handover, const struct meet *meet, const struct options *options);
};

static const struct handover_method methods[] = {
    {"textbook", tell_nobody, nap, false, NULL},
    {"signal", ring, sleep_in_sigsuspend, false, NULL},
    {"sigwait", ring, sleep_in_sigwait, false, choose_signals},
    {"doorbell", ring_doorbell, wait_for_doorbell, false, NULL},
    {"spin", tell_nobody, look_again, false, NULL},
    {"semaphore", raise_semaphore, lower_semaphore, true, open_semaphores},
    {"fifo", write_byte, read_byte, true, open_fifos},
};

enum { METHODS = sizeof methods / sizeof *methods };

int handover_named(const char *name)
{
    for (int method = 0; method < METHODS; method++)
        if (strcmp(name, methods[method].name) == 0)
            return method;
    return -1;
}

const char *handover_name(int method)
{
    return method < 0 || method >= METHODS ? NULL : methods[method].name;
}

void handover_open(struct handover *handover, int method, const struct meet *meet,
                   const struct options *options)
{
    handover->method = &methods[method];
    handover->peer = meet->peer;
    if (handover->method->open)
        handover->method->open(handover, meet, options);
}

void handover_tell(struct handover *handover)
{
    handover->method->tell(handover);
}

enum wakeup handover_await(struct handover *handover, const _Atomic uint64_t *count, uint64_t value,
                           struct wakeup_wait wait)
{
    const struct handover_method *method = handover->method;
    enum wakeup why = method->counted ? method->wait(handover, &wait) : WAKEUP_LOOK;
    while (why == WAKEUP_LOOK && (uint64_t)observe(count) != value)
        why = method->wait(handover, &wait);
    doorbell_up(&handover->bell);
    return why;
}
