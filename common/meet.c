/* meet.c - how the two sides of a lesson meet; see meet.h. */
#define IN_COMMON
#include "meet.h"
#include "clock.h"
#include "lines.h"

#include <err.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static const char *other_side(void)
{
    return segment_side() == SEGMENT_TALKER ? "listener" : "talker";
}

struct wakeup_wait meet_wait(const struct meet *meet)
{
    int other = segment_side() == SEGMENT_TALKER ? SEGMENT_LISTENER : SEGMENT_TALKER;
    return (struct wakeup_wait){.peer = meet->peer,
                                .shmid = meet->segment.shmid,
                                .stopped = &meet->shared->head.stopped[other],
                                .timeout = meet->timeout};
}

/* Returns how far the lesson is. The program ends here if a signal has asked for that (with a quick
 * peer there may be no sleep in which to notice it), or if the peer says that it cannot show the
 * lesson. */
static int look(const struct meet *meet)
{
    wakeup_end();
    int step = (int)observe(&meet->shared->step);
    if (step == MEET_SKIPPED) {
        lines_print("skipped, as the %s says", other_side());
        exit(0);
    }
    return step;
}

/* ---- the listener's ---- */

void meet_create(struct meet *meet, const struct options *options, uint32_t lesson, size_t bytes,
                 int flags)
{
    *meet = (struct meet){.timeout = options->timeout};
    key_t key = segment_key(options->file, options->project, true);
    if (key == -1)
        err(1, "ftok(\"%s\", %d): cannot make or reach the key file", options->file,
            options->project);
    if (segment_create(&meet->segment, key, bytes, flags | 0600, lesson, MEET_VERSION) == -1)
        segment_refuse(&meet->segment);
    meet->shared = (struct meet_head *)meet->segment.head;
}

void meet_invite(struct meet *meet)
{
    segment_publish(&meet->segment);
    lines_print("waiting for a talker (pid %d, key %#x, shmid %d)", (int)getpid(),
                (unsigned)meet->segment.key, meet->segment.shmid);
}

void meet_open(struct meet *meet, const struct options *options, uint32_t lesson, size_t bytes)
{
    meet_create(meet, options, lesson, bytes, 0);
    meet_invite(meet);
}

void meet_await_talker(struct meet *meet)
{
    struct wakeup_wait wait = meet_wait(meet);
    int talker;
    while ((talker = (int)observe(&meet->shared->talker)) == 0)
        if (wakeup_sleep(&wait) == WAKEUP_LATE)
            errx(3, "no talker within %g seconds: gave up", meet->timeout);
    if (!wakeup_confirm(talker, meet->segment.shmid)) {
        look(meet); /* what it said before it went counts */
        errx(3, "the talker (PID %d) went away", talker);
    }
    meet->peer = talker;
}

/* ---- the talker's ---- */

void meet_await_listener(const struct options *options)
{
    struct wakeup_wait wait = {.timeout = options->timeout};
    struct segment segment = {.state = SEGMENT_GONE};
    for (;;) {
        key_t key = segment_key(options->file, options->project, false);
        if (key == -1 && errno != ENOENT)
            return;
        if (key != -1)
            segment_find(&segment, key);
        if (segment.state == SEGMENT_LIVE || segment.state == SEGMENT_FOREIGN)
            return;
        if (wakeup_sleep(&wait) == WAKEUP_LATE)
            errx(3, "no listener within %g seconds (key file \"%s\", project %d): gave up",
                 options->timeout, options->file, options->project);
    }
}

static void find_live(struct meet *meet, const struct options *options)
{
    struct wakeup_wait wait = {.timeout = options->timeout};
    key_t key = segment_key(options->file, options->project, false);
    if (key == -1)
        err(errno == ENOENT ? 3 : 1, "ftok(\"%s\", %d): start the listener of this lesson first",
            options->file, options->project);
    while (segment_find(&meet->segment, key) == SEGMENT_UNBORN)
        if (wakeup_sleep(&wait) == WAKEUP_LATE)
            errx(3, "the listener (PID %d) is not ready: gave up", (int)meet->segment.creator);
    if (meet->segment.state == SEGMENT_FOREIGN)
        segment_refuse(&meet->segment);
    if (meet->segment.state != SEGMENT_LIVE)
        errx(3,
             "no listener (key file \"%s\", project %d): start the listener of this lesson first",
             options->file, options->project);
}

void meet_find(struct meet *meet, const struct options *options, uint32_t lesson, size_t bytes)
{
    *meet = (struct meet){.timeout = options->timeout};
    find_live(meet, options);
    segment_expect(&meet->segment, lesson, MEET_VERSION, bytes);
    if (segment_attach(&meet->segment) == -1)
        err(errno == EINVAL || errno == EIDRM ? 3 : 1, "shmat(%d, NULL, 0)", meet->segment.shmid);
    meet->shared = (struct meet_head *)meet->segment.head;
    meet->peer = meet->segment.creator;

    int nobody = 0;
    if (!atomic_compare_exchange_strong(&meet->shared->talker, &nobody, (int)getpid()))
        errx(4, "busy: PID %d is the talker already", nobody);
    narrate_publish("talker", getpid());
    if (wakeup_send(meet->peer) == -1)
        err(errno == ESRCH ? 3 : 1, "kill(%d, SIGUSR1) to the listener", (int)meet->peer);
}

/* ---- both ---- */

/* What the peer said before it went counts, also in a lesson that did not wait for a step. */
_Noreturn void meet_give_up(const struct meet *meet, enum wakeup why)
{
    look(meet);
    struct segment left = meet->segment;
    segment_survive(&left);
    if (why == WAKEUP_GONE)
        errx(3, "the %s (PID %d) went away", other_side(), (int)meet->peer);
    errx(3, "no word from the %s (PID %d) within %g seconds: gave up", other_side(),
         (int)meet->peer, meet->timeout);
}

void meet_sleep(const struct meet *meet, struct wakeup_wait *wait)
{
    enum wakeup why = wakeup_sleep(wait);
    if (why != WAKEUP_LOOK)
        meet_give_up(meet, why);
}

/* The last part, shorter than a tick, is slept in one piece: a tick is too coarse for it. */
void meet_nap(const struct meet *meet, double seconds)
{
    struct wakeup_wait wait = meet_wait(meet);
    wait.timeout = 0;
    long long left, until = clock_now() + (long long)(seconds * 1e9);
    while ((left = until - clock_now()) > WAKEUP_TICK * 1000000)
        meet_sleep(meet, &wait);
    if (left > 0)
        nanosleep(&(struct timespec){0, (long)left}, NULL);
}

void meet_await(struct meet *meet, int step)
{
    struct wakeup_wait wait = meet_wait(meet);
    while (look(meet) != step)
        meet_sleep(meet, &wait);
}

/* Looks again every millisecond: it must not sleep in a way that lets a signal in. */
void meet_hold(struct meet *meet, int step)
{
    static const struct timespec a_while = {0, 1000000};
    bool gone = false;
    for (long looks = 1; look(meet) != step; looks++) {
        if (gone)
            meet_give_up(meet, WAKEUP_GONE);
        if (meet->timeout > 0 && (double)looks > meet->timeout * 1000)
            meet_give_up(meet, WAKEUP_LATE);
        nanosleep(&a_while, NULL);
        gone = looks % WAKEUP_TICK == 0 && wakeup_gone(meet->peer, meet->segment.shmid);
    }
}

void meet_await_attached(struct meet *meet, unsigned long most)
{
    struct wakeup_wait wait = {.timeout = meet->timeout};
    struct shmid_ds about;
    for (;;) {
        if (sys_shmctl(meet->segment.shmid, IPC_STAT, &about) == -1) {
            if (errno != EINVAL && errno != EIDRM)
                err(1, "shmctl(%d, IPC_STAT)", meet->segment.shmid);
            wakeup_end();
            errx(3, "the %s (PID %d) went away, and shmid %d with it", other_side(),
                 (int)meet->peer, meet->segment.shmid);
        }
        if (about.shm_nattch <= most)
            return;
        if (wakeup_sleep(&wait) == WAKEUP_LATE)
            errx(3, "shmid %d is still attached %lu times, not %lu: gave up", meet->segment.shmid,
                 (unsigned long)about.shm_nattch, most);
    }
}

ssize_t meet_read(struct meet *meet, int fd, void *bytes, size_t most)
{
    struct wakeup_wait wait = meet_wait(meet);
    bool ready = false;
    while (!ready) {
        enum wakeup why = wakeup_sleep_on(&wait, fd, false, &ready);
        if (why != WAKEUP_LOOK)
            meet_give_up(meet, why);
    }
    return read(fd, bytes, most);
}

void meet_advance(struct meet *meet, int step)
{
    publish(&meet->shared->step, step);
    if (wakeup_send(meet->peer) == -1 && errno != ESRCH)
        err(1, "kill(%d, SIGUSR1) to the %s", (int)meet->peer, other_side());
}

_Noreturn void meet_skip(struct meet *meet, const char *format, ...)
{
    char why[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why, sizeof why, format, arguments);
    va_end(arguments);
    lines_print("skipped: %s", why);
    meet_advance(meet, MEET_SKIPPED);
    meet_part(meet);
    wakeup_end();
    exit(0);
}

void meet_part(struct meet *meet)
{
    segment_detach(&meet->segment);
    if (meet->segment.creator == getpid() && segment_remove(&meet->segment) == -1 &&
        errno != EINVAL && errno != EIDRM)
        err(1, "shmctl(%d, IPC_RMID)", meet->segment.shmid);
}
