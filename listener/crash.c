/* crash.c (listener) - SIGKILL leaves the segment and half an answer; the next listener removes
 * both.
 *
 * No handler can catch SIGKILL, so nothing is cleaned up. The kernel only detaches the dead
 * process; its segment, its key and its bytes stay. A listener that starts asks what has its key
 * already. A segment is stale, and may be removed, only if it is ours, its creator is dead, and no
 * process has it attached. Here the first listener is a child that kills itself. Its parent is the
 * second.
 *
 *     listener                                talker
 *                                  <-------   SAID
 *     the first answers half, and dies
 *                                             notices it, reads the half, detaches
 *     the second: classifies, removes,
 *     creates                      <-------   SAID
 *     answers, ANSWERED            ------->
 *
 *     $ build/listener-crash                  $ build/talker-crash
 *
 * Level: the heart; 5 minutes; after existing, rmid
 * Question: Does a half-written answer survive the SIGKILL of the process that wrote it?
 * Answer: yes. The kernel only detaches a dead process, and keeps the memory as it is.
 * Shown by: so far it had written "good morn"
 */
#include "../common/layout/crash.h"
#include "../common/clock.h"
#include "../common/ending.h"
#include "../common/lesson.h"
#include "../common/session.h"
#include "../common/tick.h"

#include <stdio.h>
#include <sys/wait.h>
#include <time.h>

static const char *const points[] = {"half_answered", "recovering", NULL};

static const struct program program = {
    .name = "listener-crash",
    .about = "Is killed in the middle of an answer, and starts again where it has left a segment.",
    .question = "Does a half-written answer survive the SIGKILL of the process that wrote it?",
    .points = points,
    .values = CRASH_VALUES};

static pid_t first; /* the listener that will be killed; 0: there is none, or we are it */

static _Noreturn void skip(const struct options *options);
static void start_first(const struct options *options);
static void await_its_death(void);
static int classify_what_it_left(const struct options *options);
static void hear(struct session *session, const struct crash *shared, char answer[CRASH_TEXT]);

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    wait_block_sigusr1();
    if (!segment_outlives_processes())
        skip(&options);
    start_first(&options);
    await_its_death();
    int left = classify_what_it_left(&options);

    explain("Start as usual: this removes the stale segment, and creates a new one.");
    struct session session;
    struct crash *shared = session_open(&session, &options, CRASH_LESSON, sizeof *shared);
    check(session.segment.shmid != left, "recovered: segment %d instead of %d",
          session.segment.shmid, left);

    char answer[CRASH_TEXT];
    hear(&session, shared, answer);
    copy_text_in(shared->answer, answer, sizeof shared->answer);
    session_advance(&session, CRASH_ANSWERED);
    session_part(&session);
    return program_end();
}

static _Noreturn void skip(const struct options *options)
{
    struct session session;
    session_open(&session, options, CRASH_LESSON, sizeof(struct crash));
    session_await_talker(&session);
    session_await(&session, CRASH_SAID); /* this step would overwrite the one of session_skip */
    session_skip(&session, "kernel.shm_rmid_forced is 1: a segment goes with its last process");
}

/* ---- the first listener, a child ---- */

/* The child's part. If its parent dies before a talker comes, it ends as well. */
static _Noreturn void be_killed(const struct options *options, pid_t parent)
{
    tick_start(); /* a child does not inherit the timer */
    struct session session;
    struct crash *shared = session_create(&session, options, CRASH_LESSON, sizeof *shared, 0);
    atomic_store(&shared->starter, parent);
    session_announce(&session);
    struct wait wait = {.timeout = options->timeout};
    while (observe(&shared->session.talker) == 0)
        if (getppid() != parent || wait_tick(&wait) != WAIT_LOOK)
            errx(EXIT_NO_PEER, "no talker came: start talker-crash");
    char answer[CRASH_TEXT];
    hear(&session, shared, answer);

    explain("Write half of the answer, then die of SIGKILL: no clean-up runs.");
    copy_bytes_in(shared->answer, answer, strlen(answer) / 2);
    trace_point("half_answered");
    ending_obey();
    print_line("PID %d kills itself with SIGKILL, after half of the answer", (int)getpid());
    atomic_store(&shared->killed_at, clock_now());
    raise(SIGKILL);
    abort();
}

/* At exit: if a signal ends us, the child ends, too. It may be stopped, now or in a moment. */
static void end_first(void)
{
    if (first == 0)
        return;
    kill(first, SIGTERM);
    while (waitpid(first, NULL, WNOHANG) == 0) {
        kill(first, SIGCONT);
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    }
}

static void start_first(const struct options *options)
{
    explain("Start the first listener as a child: a parent learns how its child died.");
    pid_t parent = getpid();
    first = sys_fork();
    if (first == -1)
        err(EXIT_FAILED, "cannot start a child (see \"ulimit -u\"): fork()");
    if (first == 0)
        be_killed(options, parent);
    if (atexit(end_first) != 0)
        errx(EXIT_FAILED, "atexit: no room for another function");
}

static void await_its_death(void)
{
    int status;
    pid_t dead;
    struct wait wait = {0};
    while ((dead = waitpid(first, &status, WNOHANG)) == 0)
        wait_tick(&wait); /* a signal that asks us to end gets through here */
    first = 0;
    if (dead == -1)
        err(EXIT_FAILED, "waitpid for the first listener");
    if (WIFEXITED(status))
        exit(WEXITSTATUS(status)); /* it has said why */
    if (!check(WTERMSIG(status) == SIGKILL,
               "the first listener, PID %d, has died of signal %d (%s)", (int)dead,
               WTERMSIG(status), strsignal(WTERMSIG(status))))
        ending_die(WTERMSIG(status));
}

/* ---- the second listener ---- */

/* Returns the id of the first listener's segment. */
static int classify_what_it_left(const struct options *options)
{
    explain("Find the segment with our key.");
    struct session left = {.timeout = options->timeout};
    key_t key = segment_key(options);
    left.segment.shmid = sys_shmget(key, 0, 0);
    if (left.segment.shmid == -1)
        err(EXIT_FAILED, "shmget(%#x, 0, 0): the first listener's segment", (unsigned)key);

    explain("It is stale only when no process is attached: wait for the talker to detach.");
    session_await_attached(&left, 0);
    trace_point("recovering");

    explain("Check the segment by its id: another process may take the key meanwhile.");
    enum segment_state state = segment_classify(&left.segment);
    check(state == SEGMENT_STALE, "segment %d, created by PID %d, is %s", left.segment.shmid,
          (int)left.segment.creator, state == SEGMENT_STALE ? "stale" : "not stale");
    return left.segment.shmid;
}

/* Both listeners begin their answer so. */
static void hear(struct session *session, const struct crash *shared, char answer[CRASH_TEXT])
{
    session_await_talker(session);
    session_await(session, CRASH_SAID);
    char text[CRASH_TEXT];
    copy_text_out(text, shared->text, sizeof text);
    print_line("PID %d received: %s", (int)getpid(), text);
    snprintf(answer, CRASH_TEXT, "%.*s to you", CRASH_TEXT - 8, text);
}
