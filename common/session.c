/* session.c - how the two sides of a lesson meet, take steps and part; see session.h. */
#include "session.h"
#include "clock.h"
#include "ending.h"
#include "exits.h"
#include "output.h"
#include "peer.h"
#include "program.h"
#include "tick.h"

#include <err.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* Returns how far the lesson is. Exits if a signal has asked for that (with a quick peer there may
 * be no sleep in which to notice it), or if the peer skips the lesson. */
static int look(const struct session *session)
{
    ending_obey();
    int step = observe(&session->shared->step);
    if (step == SESSION_SKIPPED) {
        print_line("skipped, as the %s says", program_other_side());
        exit(program_end());
    }
    return step;
}

/* ---- the listener meets a talker ---- */

void *session_create(struct session *session, const struct options *options, uint32_t lesson,
                     size_t bytes, int flags)
{
    *session = (struct session){.timeout = options->timeout};
    wait_block_sigusr1();
    segment_make_file(options->file);
    key_t key = segment_key(options);
    segment_create(&session->segment, key, bytes, flags | 0600, lesson, SESSION_VERSION);
    return session->shared = (struct session_head *)session->segment.head;
}

void session_announce(struct session *session)
{
    segment_publish(&session->segment);
    print_line("waiting for a talker (pid %d, key %#x, shmid %d)", (int)getpid(),
               (unsigned)session->segment.key, session->segment.shmid);
}

void *session_open(struct session *session, const struct options *options, uint32_t lesson,
                   size_t bytes)
{
    session_create(session, options, lesson, bytes, 0);
    session_announce(session);
    return session->shared;
}

void session_await_talker(struct session *session)
{
    struct wait wait = {.peer_at = &session->shared->talker, /* it may die before it signals */
                        .shmid = session->segment.shmid,
                        .we_created = true,
                        .timeout = session->timeout};
    int talker;
    while ((talker = observe(&session->shared->talker)) == 0)
        if (wait_sleep(&wait) != WAIT_LOOK)
            wait_give_up(&wait);
    if (!peer_has_attached(talker, session->segment.shmid)) {
        look(session); /* what it said before it went counts */
        errx(EXIT_NO_PEER, "the talker (PID %d) %s", talker,
             peer_last_is_elsewhere(session->segment.shmid)
                 ? "runs in another PID namespace: start both sides in one"
                 : "went away");
    }
    session->peer = talker;
}

/* ---- the talker meets the listener ---- */

/* Whether there is something to join, or something that only session_join can explain. */
static bool is_there(const struct options *options)
{
    struct segment segment;
    key_t key = sys_ftok(options->file, options->project);
    if (key == -1)
        return errno != ENOENT;
    segment_find(&segment, key);
    return segment.state == SEGMENT_LIVE || segment.state == SEGMENT_FOREIGN ||
           segment.state == SEGMENT_ELSEWHERE;
}

void session_await_listener(const struct options *options)
{
    struct wait wait = {.timeout = options->timeout};
    while (!is_there(options))
        if (wait_tick(&wait) != WAIT_LOOK)
            segment_no_listener_in_time(options);
}

static void find_live(struct session *session, const struct options *options)
{
    struct wait wait = {.timeout = options->timeout};
    struct segment *segment = &session->segment;
    key_t key = segment_key(options);
    while (segment_find(segment, key) == SEGMENT_UNBORN)
        if (wait_tick(&wait) != WAIT_LOOK)
            errx(EXIT_NO_PEER, "the listener (PID %d) is not ready: gave up",
                 (int)segment->creator);
    if (segment->state == SEGMENT_FOREIGN || segment->state == SEGMENT_ELSEWHERE)
        segment_refuse(segment);
    if (segment->state != SEGMENT_LIVE)
        segment_no_listener(options, "start %s first", program_other_name());
}

void *session_join(struct session *session, const struct options *options, uint32_t lesson,
                   size_t bytes)
{
    *session = (struct session){.timeout = options->timeout};
    wait_block_sigusr1();
    find_live(session, options);
    segment_expect(&session->segment, lesson, SESSION_VERSION, bytes);
    if (segment_attach(&session->segment) == -1)
        err(segment_is_gone() ? EXIT_NO_PEER : EXIT_FAILED, "%sshmat(%d, NULL, 0)",
            segment_is_gone() ? "the listener has just removed its segment: " : "",
            session->segment.shmid);
    session->shared = (struct session_head *)session->segment.head;
    session->peer = session->segment.creator;

    int found = 0;
    if (!publish_if(&session->shared->talker, &found, (int)getpid()))
        errx(EXIT_BUSY, "busy: PID %d is the talker already, start again when it has ended", found);
    if (peer_signal(session->peer) == -1)
        err(errno == ESRCH ? EXIT_NO_PEER : EXIT_FAILED, "kill(%d, SIGUSR1) to the listener",
            (int)session->peer);
    return session->shared;
}

/* ---- both take steps ---- */

void session_advance(struct session *session, int step)
{
    publish(&session->shared->step, step);
    if (peer_signal(session->peer) == -1 && errno != ESRCH)
        err(EXIT_FAILED, "kill(%d, SIGUSR1) to the %s", (int)session->peer, program_other_side());
}

struct wait session_wait(const struct session *session)
{
    int other = program_is_talker() ? SIDE_LISTENER : SIDE_TALKER;
    return (struct wait){.peer = session->peer,
                         .shmid = session->segment.shmid,
                         .stopped = &session->shared->head.stopped[other],
                         .timeout = session->timeout};
}

/* The peer may have skipped the lesson before it went, also where we waited for something else. */
_Noreturn void session_give_up(const struct session *session, enum wait_result why)
{
    look(session);
    struct segment left = session->segment;
    segment_survive(&left);
    if (why == WAIT_GONE)
        errx(EXIT_NO_PEER, "the %s (PID %d) went away", program_other_side(), (int)session->peer);
    errx(EXIT_NO_PEER, "no word from the %s (PID %d) within %g s: gave up", program_other_side(),
         (int)session->peer, session->timeout);
}

void session_sleep(const struct session *session, struct wait *wait)
{
    enum wait_result why = wait_sleep(wait);
    if (why != WAIT_LOOK)
        session_give_up(session, why);
}

void session_await(struct session *session, int step)
{
    struct wait wait = session_wait(session);
    while (look(session) != step)
        session_sleep(session, &wait);
}

/* Looks again every millisecond, because each sleep that waits for a signal would unblock it. */
void session_await_blocked(struct session *session, int step)
{
    static const struct timespec millisecond = {0, 1000000};
    bool gone = false;
    for (long looks = 1; look(session) != step; looks++) {
        if (gone)
            session_give_up(session, WAIT_GONE);
        if (session->timeout > 0 && (double)looks > session->timeout * 1000)
            session_give_up(session, WAIT_LATE);
        nanosleep(&millisecond, NULL);
        gone = looks % TICK_MS == 0 && peer_is_gone(session->peer, session->segment.shmid);
    }
}

void session_await_attached(struct session *session, unsigned long most)
{
    struct wait wait = {.timeout = session->timeout};
    int shmid = session->segment.shmid;
    struct shmid_ds about;
    while (sys_shmctl(shmid, IPC_STAT, &about) == 0) {
        if (about.shm_nattch <= most)
            return;
        if (wait_tick(&wait) != WAIT_LOOK)
            errx(EXIT_NO_PEER, "shmid %d is still attached %lu times, not %lu: gave up", shmid,
                 (unsigned long)about.shm_nattch, most);
    }
    if (!segment_is_gone())
        err(EXIT_FAILED, "shmctl(%d, IPC_STAT)", shmid);
    ending_obey();
    errx(EXIT_NO_PEER, "the %s (PID %d) went away, and segment %d with it", program_other_side(),
         (int)session->peer, shmid);
}

ssize_t session_read(struct session *session, int fd, void *bytes, size_t most)
{
    struct wait wait = session_wait(session);
    for (bool ready = false; !ready;) {
        enum wait_result why = wait_on(&wait, fd, READY_TO_READ, &ready);
        if (why != WAIT_LOOK)
            session_give_up(session, why);
    }
    return read(fd, bytes, most);
}

/* The last part is slept in one piece, because a tick is too coarse for it. */
void session_nap(const struct session *session, double seconds)
{
    struct wait wait = session_wait(session);
    wait.timeout = 0;
    long long left, until = clock_now() + (long long)(seconds * 1e9);
    while ((left = until - clock_now()) > TICK_MS * 1000000LL) {
        enum wait_result why = wait_tick(&wait);
        if (why != WAIT_LOOK)
            session_give_up(session, why);
    }
    if (left > 0)
        nanosleep(&(struct timespec){0, (long)left}, NULL);
}

/* ---- part ---- */

/* The listener removes first: a detached segment whose creator is alive would look stale. */
void session_part(struct session *session)
{
    if (session->segment.creator == getpid() && segment_remove(&session->segment) == -1)
        err(EXIT_FAILED, "shmctl(%d, IPC_RMID)", session->segment.shmid);
    segment_detach(&session->segment);
}

_Noreturn void session_skip(struct session *session, const char *format, ...)
{
    char why[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why, sizeof why, format, arguments);
    va_end(arguments);
    print_line("skipped: %s", why);
    session_advance(session, SESSION_SKIPPED);
    session_part(session);
    exit(program_end());
}
