/* crash.c (listener) - after SIGKILL the text stays, the survivor notices, the next start recovers.
 *
 * SIGKILL cannot be caught: no handler runs, and nothing is cleaned up. The kernel detaches the
 * dead, and that is all; its segment, its key and half of its answer stay. So a survivor has to
 * look after its peer while it waits, and a listener that starts has to look at what has its key
 * before it may remove it: only what is ours, with its creator dead and nobody attached, is stale.
 *
 * Two listeners play here, one after the other. The first is a child process, and kills itself in
 * the middle of its answer; then its parent starts as the second.
 *
 *     listener                                talker
 *                                  <-------   SAID
 *     answers half, dies of SIGKILL
 *                                             notices, reads the half, detaches, looks again
 *     the second: classifies, removes,
 *     creates                      <-------   SAID
 *     answers, ANSWERED            ------->
 *
 *     $ build/listener-crash                  $ build/talker-crash
 *
 * Question: Does a half-written answer survive the SIGKILL of the process that wrote it?
 */
#include "../common/layout/crash.h"
#include "../common/lesson.h"
#include "../common/session.h"
#include "../common/ending.h"
#include "../common/clock.h"

#include <stdio.h>
#include <sys/wait.h>
#include <time.h>

static const char *const points[] = {"half_answered", "recovering", NULL};

static const struct program program = {
    .name = "listener-crash",
    .about = "Is killed in the middle of an answer, and starts again where it has left a segment.",
    .points = points,
};

static pid_t first; /* the listener that will be killed; 0 in that process itself */

/* Both listeners begin their answer like this. */
static struct crash *hear(struct session *session, char answer[CRASH_TEXT])
{
    session_await_talker(session);
    session_await(session, CRASH_SAID);
    struct crash *shared = (struct crash *)session->shared;
    char text[CRASH_TEXT];
    memcpy(text, shared->text, sizeof text);
    text[sizeof text - 1] = '\0';
    say("PID %d received: %s", (int)getpid(), text);
    snprintf(answer, CRASH_TEXT, "%.*s to you", CRASH_TEXT - 8, text);
    return shared;
}

/* ---- the first ---- */

/* Nobody is to be left waiting when our parent has gone. */
static void await_anybody(const struct session *session, pid_t parent)
{
    struct wait wait = {.timeout = session->timeout};
    while (observe(&session->shared->talker) == 0)
        if (getppid() != parent || wait_sleep(&wait) == WAIT_LATE)
            errx(3, "no talker came");
}

static _Noreturn void be_killed(const struct options *options, pid_t parent)
{
    struct session session;
    char answer[CRASH_TEXT];
    wait_block_sigusr1(); /* once more: a timer is not inherited */
    session_open(&session, options, CRASH_LESSON, sizeof(struct crash));
    ((struct crash *)session.shared)->starter = (int)parent;
    await_anybody(&session, parent);
    struct crash *shared = hear(&session, answer);

    explain("write half of the answer, and die: no cleanup runs, no detach, no removal");
    memcpy(shared->answer, answer, strlen(answer) / 2);
    trace_publish_text("answer", shared->answer, strlen(answer) / 2);
    trace_point("half_answered");
    ending_obey();
    atomic_store(&shared->killed_at, clock_now());
    raise(SIGKILL);
    abort();
}

/* If we are told to end, so is the first. */
static void end_first(void)
{
    static const struct timespec a_while = {0, 1000000};
    if (first <= 0)
        return;
    kill(first, SIGTERM);
    while (waitpid(first, NULL, WNOHANG) == 0) {
        kill(first, SIGCONT); /* it may be held */
        nanosleep(&a_while, NULL);
    }
}

static void start_first(const struct options *options)
{
    pid_t parent = getpid();
    explain("the first listener is a child of ours, so that we see it die");
    first = sys_fork();
    if (first == -1)
        err(1, "fork");
    if (first == 0)
        be_killed(options, parent);
    atexit(end_first);
}

static void see_it_die(void)
{
    int status;
    struct wait wait = {0};
    pid_t dead;
    while ((dead = waitpid(first, &status, WNOHANG)) == 0)
        wait_sleep(&wait);
    first = 0;
    if (dead == -1)
        err(1, "waitpid for the first listener");
    if (WIFEXITED(status))
        exit(WEXITSTATUS(status));
    if (!check(WTERMSIG(status) == SIGKILL,
               "the first listener, PID %d, has died of signal %d (%s)", (int)dead,
               WTERMSIG(status), strsignal(WTERMSIG(status))))
        ending_die(WTERMSIG(status));
}

/* ---- the second ---- */

/* What the first has left, once the survivor has let go of it. Returns its id. */
static int classify_left(const struct options *options)
{
    struct session left = {.timeout = options->timeout};
    explain("look at what has our key, and first only by id: the talker may still be attached");
    left.segment.key = segment_key(options->file, options->project, false);
    left.segment.shmid = sys_shmget(left.segment.key, 0, 0);
    if (left.segment.shmid == -1)
        err(1, "shmget(%#x, 0, 0): the first listener's segment", (unsigned)left.segment.key);
    session_await_attached(&left, 0);
    trace_point("recovering");
    enum segment_state state = segment_classify(&left.segment);
    check(state == SEGMENT_STALE, "segment %d, created by PID %d, is %s", left.segment.shmid,
          (int)left.segment.creator, state == SEGMENT_STALE ? "stale" : "not stale");
    return left.segment.shmid;
}

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    wait_block_sigusr1();
    start_first(&options);
    see_it_die();

    int left = classify_left(&options);
    explain("start as ever: what is stale is removed on the way, and a new segment created");
    struct session session;
    session_open(&session, &options, CRASH_LESSON, sizeof(struct crash));
    check(session.segment.shmid != left, "recovered: segment %d instead of %d", session.segment.shmid,
          left);

    char answer[CRASH_TEXT];
    struct crash *shared = hear(&session, answer);
    strcpy(shared->answer, answer);
    trace_publish_text("answer", answer, strlen(answer));
    session_advance(&session, CRASH_ANSWERED);
    session_part(&session);
    return program_end();
}
