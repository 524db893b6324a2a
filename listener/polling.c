/* polling.c (listener) - polling burns the CPU for one message; sleeping costs next to nothing.
 *
 * The reader of the notes looks into the segment again and again until there is something: busy
 * waiting. We wait like that for a first message, and in sigsuspend for a second one that comes
 * after the same time, and compare how often we looked, and the CPU time that the kernel has
 * charged us for it (clock_gettime(2), CLOCK_PROCESS_CPUTIME_ID).
 *
 * Before that we create the segment as the notes do, with IPC_EXCL, and remove what has the key
 * already; but while they remove a stranger's as well, we remove only what is ours and stale. A
 * child of ours makes such a segment, and dies, so that there is one.
 *
 *     listener                                talker
 *     POLLS, looks, looks, ... LOOKED ----->
 *     looks, looks, ...             <-------  text, length, said = 1
 *     SLEEPS                        ------->
 *     sleeps                                  lets the same time pass
 *                                   <-------  text, length, said = 2, kill
 *     HEARD                         ------->
 *
 *     $ build/listener-polling                $ build/talker-polling "Hello"
 *
 * Question: How many times as much CPU time does polling use as sleeping?
 */
#include "../common/layout/polling.h"
#include "../common/lesson.h"
#include "../common/session.h"
#include "../common/peer.h"
#include "../common/ending.h"

#include <sys/wait.h>
#include <time.h>

enum { LOOKS_ENOUGH = 100000000 }; /* a moment that can be measured: about a tenth of a second */

static const char *const points[] = {"stale", "heard", NULL};

static const struct program program = {
    .name = "listener-polling",
    .about = "Reads one message by busy waiting and one with sigsuspend, and compares the effort.",
    .points = points,
};

/* When we return, the key has a segment whose creator is dead. */
static void leave_a_stale_one(key_t key, size_t size)
{
    explain("leave a stale segment in our own way: a child makes it, and dies without removing it");
    pid_t child = sys_fork();
    if (child == -1)
        err(1, "fork");
    if (child == 0) {
        trace_stop_no_more();
        _exit(sys_shmget(key, size, IPC_CREAT | IPC_EXCL | 0600) == -1);
    }
    int status;
    if (waitpid(child, &status, 0) == -1)
        err(1, "waitpid(%d)", (int)child);
    trace_point("stale");
}

/* Returns the id of what has the key. */
static int run_into_it(key_t key, size_t size)
{
    explain("create with IPC_EXCL: what has the key already is not opened as if it were ours");
    int shmid = sys_shmget(key, size, IPC_CREAT | IPC_EXCL | 0600);
    int error = shmid == -1 ? errno : 0;
    if (shmid != -1)
        segment_remove_at_exit(shmid);

    explain("open what is there, and ask whose it is: only what is ours and stale may be removed");
    struct segment found;
    segment_find(&found, key);
    check(error == EEXIST, "created with IPC_EXCL: %s, shmid %d has the key already",
          error ? calls_error_name(error) : "no error", found.shmid);
    bool alive = peer_is_alive(found.creator);
    check(found.state == SEGMENT_STALE && !alive, "shmid %d: %s, made by PID %d, which is %s",
          found.shmid, found.state == SEGMENT_STALE ? "ours and stale" : "not to be removed",
          (int)found.creator, alive ? "alive" : "dead");
    return found.shmid;
}

static void open_anew(struct session *session, const struct options *options)
{
    size_t size = segment_size(sizeof(struct polling));
    key_t key = segment_key(options->file, options->project, true);
    if (key == -1)
        err(1, "ftok(\"%s\", %d): cannot make or reach the key file", options->file,
            options->project);
    segment_clear(key);
    leave_a_stale_one(key, size);
    int stale = run_into_it(key, size);

    explain("remove that one, by the id that was asked about, and create anew");
    session_open(session, options, POLLING_LESSON, sizeof(struct polling));
    struct shmid_ds about;
    check(sys_shmctl(stale, IPC_STAT, &about) == -1, "shmid %d is gone, shmid %d has the key now",
          stale, session->segment.shmid);
}

struct effort {
    long looks;
    double seconds, cpu; /* how long it took, and how much of that the CPU was ours */
};

static double read_clock(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static struct effort begin(void)
{
    return (struct effort){0, -read_clock(CLOCK_MONOTONIC), -read_clock(CLOCK_PROCESS_CPUTIME_ID)};
}

static void end(struct effort *effort)
{
    effort->seconds += read_clock(CLOCK_MONOTONIC);
    effort->cpu += read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

/* Busy waiting. Now and then it looks around as well: for signals that ask us to end, for the
 * talker's death, for the time. */
static struct effort busy_wait(struct session *session, struct polling *shared)
{
    enum { LOOK_AROUND = 1 << 24 };
    struct effort effort = begin();
    while (atomic_load_explicit(&shared->said, memory_order_acquire) != 1) {
        if (++effort.looks == LOOKS_ENOUGH)
            session_advance(session, POLLING_LOOKED);
        if (effort.looks % LOOK_AROUND != 0)
            continue;
        ending_obey();
        if (peer_is_gone(session->peer, session->segment.shmid))
            errx(3, "the talker (PID %d) went away", (int)session->peer);
        if (session->timeout > 0 && effort.cpu + read_clock(CLOCK_PROCESS_CPUTIME_ID) > session->timeout)
            errx(3, "no word within %g seconds: gave up", session->timeout);
    }
    end(&effort);
    return effort;
}

static struct effort sleep_until_rung(struct session *session, struct polling *shared)
{
    struct wait wait = session_wait(session);
    struct effort effort = begin();
    session_advance(session, POLLING_SLEEPS);
    for (effort.looks = 1; observe(&shared->said) != 2; effort.looks++)
        session_sleep(session, &wait);
    end(&effort);
    return effort;
}

static void hear(struct polling *shared)
{
    explain("copy the length once, check it, then copy as much: it comes from another process");
    char text[POLLING_TEXT];
    size_t length = observe(&shared->length);
    if (length > sizeof text)
        errx(1, "the talker announced %zu bytes, but only %zu fit: refused", length, sizeof text);
    memcpy(text, shared->text, length);
    trace_observe_text("text", text, length);
    say_bytes(text, length, "listener: received: ");
}

static void show_the_mistake(const struct polling *shared)
{
    explain("THE MISTAKE of the notes' reader: it copies sizeof outBuf, and outBuf is a pointer");
    char buffer[POLLING_TEXT], *outBuf = buffer;
    size_t copied = sizeof outBuf;
    memcpy(outBuf, shared->text, copied);
    say_bytes(outBuf, copied,
              "listener: a copy of sizeof a pointer, %zu bytes, would have received: ", copied);
}

static void tell(const char *how, struct effort effort)
{
    say("%s: looked %ld times in %.3f s, and burned %.6f s of CPU time", how, effort.looks,
                effort.seconds, effort.cpu);
}

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    open_anew(&session, &options);
    struct polling *shared = (struct polling *)session.shared;
    session_await_talker(&session);

    explain("poll: look, and look, and look; the talker speaks when we have looked often enough");
    session_advance(&session, POLLING_POLLS);
    struct effort polling = busy_wait(&session, shared);
    hear(shared);
    show_the_mistake(shared);

    explain("sleep: the talker lets the same time pass, and rings when it has spoken");
    publish(&shared->waited, (int)(polling.seconds * 1e3) + 1);
    struct effort sleeping = sleep_until_rung(&session, shared);
    hear(shared);

    trace_point("heard");
    tell("polling", polling);
    tell("sleeping", sleeping);
    check(sleeping.seconds >= polling.seconds && sleeping.looks < polling.looks &&
              sleeping.cpu < polling.cpu,
          "polling looked %.0f times as often, and burned %.0f times the CPU time",
          (double)polling.looks / (double)sleeping.looks, polling.cpu / sleeping.cpu);
    session_advance(&session, POLLING_HEARD);
    session_part(&session);
    return program_end();
}
