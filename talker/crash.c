/* crash.c (talker) - survives its listener, and is answered by the next.
 *
 * The other half of listener/crash.c, which tells the story and is started first. The listener is
 * killed while we wait for its answer: the tick that looks after it notices within 0.2 s. What it
 * has written so far is still there, but it was never published, so it is no answer.
 *
 *     $ build/listener-crash                  $ build/talker-crash
 */
#include "../common/layout/crash.h"
#include "../common/lesson.h"
#include "../common/session.h"
#include "../common/peer.h"
#include "../common/ending.h"
#include "../common/clock.h"


static const char *const points[] = {"noticed", NULL};

static const struct program program = {
    .name = "talker-crash",
    .about = "Notices that its listener was killed, and says the same again to the next one.",
    .points = points,
};

static void say_text(struct session *session)
{
    struct crash *shared = (struct crash *)session->shared;
    strcpy(shared->text, "good morning");
    trace_publish_text("text", shared->text, strlen(shared->text));
    session_advance(session, CRASH_SAID);
}

static void copy_answer(char answer[CRASH_TEXT], const struct crash *shared)
{
    memcpy(answer, shared->answer, CRASH_TEXT);
    answer[CRASH_TEXT - 1] = '\0';
    trace_observe_text("answer", answer, strlen(answer));
}

/* Sleeps until the listener has gone. */
static void notice(const struct session *session)
{
    const struct crash *shared = (struct crash *)session->shared;
    explain("wait for the answer; but look at each tick whether anybody is there to give it");
    enum wait_result why = WAIT_LOOK;
    struct wait wait = session_wait(session);
    while (why == WAIT_LOOK && observe(&session->shared->step) != CRASH_ANSWERED)
        why = wait_sleep(&wait);
    int late = (int)((clock_now() - atomic_load(&shared->killed_at)) / 1000000);
    if (why == WAIT_LATE)
        errx(3, "the listener (PID %d) neither answered nor died: gave up", (int)session->peer);
    check(why == WAIT_GONE, "the listener (PID %d) %s, noticed after %d ms", (int)session->peer,
          why == WAIT_GONE ? "has gone" : "has answered", late);
    trace_point("noticed");
}

static void look_around(struct session *session, char half[CRASH_TEXT])
{
    explain("see what is left: the kernel has detached the dead, and has kept the memory");
    struct shmid_ds about;
    if (sys_shmctl(session->segment.shmid, IPC_STAT, &about) == -1)
        err(1, "shmctl(%d, IPC_STAT)", session->segment.shmid);
    check(about.shm_nattch == 1 && about.shm_cpid == session->peer,
          "segment %d of PID %d is still there, attached %lu time", session->segment.shmid,
          (int)about.shm_cpid, (unsigned long)about.shm_nattch);
    copy_answer(half, (struct crash *)session->shared);
    check(half[0] != '\0', "so far it had written \"%s\", and had not said ANSWERED (step %d)",
          half, observe(&session->shared->step));
}

/* Waits until the key leads to another segment, as long as there is somebody to create it. */
static void await_next(struct session *session, const struct options *options)
{
    pid_t starter = atomic_load(&((struct crash *)session->shared)->starter);
    int old = session->segment.shmid;
    key_t key = session->segment.key;
    explain("detach, so that the old one is stale, and look by key until there is a new one");
    segment_detach(&session->segment);
    struct wait wait = {.timeout = options->timeout};
    int found;
    do {
        if (!peer_is_alive(starter) || wait_sleep(&wait) == WAIT_LATE)
            errx(3, "no listener came after PID %d", (int)session->peer);
        found = sys_shmget(key, 0, 0);
    } while (found == -1 || found == old);
}

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    char half[CRASH_TEXT], whole[CRASH_TEXT];
    session_join(&session, &options, CRASH_LESSON, sizeof(struct crash));
    say_text(&session);
    notice(&session);
    look_around(&session, half);
    await_next(&session, &options);

    explain("say it again: the next listener knows nothing of the first");
    session_join(&session, &options, CRASH_LESSON, sizeof(struct crash));
    say_text(&session);
    session_await(&session, CRASH_ANSWERED);
    copy_answer(whole, (struct crash *)session.shared);
    check(strlen(half) < strlen(whole) && strncmp(half, whole, strlen(half)) == 0,
          "the next listener (PID %d) has answered: %s", (int)session.peer, whole);
    session_part(&session);
    return program_end();
}
