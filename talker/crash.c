/* crash.c (talker) - survives its listener, and gets its answer from the next one.
 *
 * Read listener/crash.c first, and start it first. The listener is killed while we wait for its
 * answer. Our timer checks that it is alive, so we notice its death within 0.2 s. What it has
 * written is still there, but it never published CRASH_ANSWERED: half an answer is no answer.
 *
 *     $ build/listener-crash                  $ build/talker-crash
 */
#include "../common/layout/crash.h"
#include "../common/clock.h"
#include "../common/lesson.h"
#include "../common/peer.h"
#include "../common/session.h"

static const char *const points[] = {"noticed", NULL};

static const struct program program = {
    .name = "talker-crash",
    .about = "Notices that its listener was killed, and says the same again to the next one.",
    .points = points,
    .values = CRASH_VALUES};

static void await_death(const struct session *session, const struct crash *shared);
static void look_at_what_is_left(const struct session *session, const struct crash *shared,
                                 char half[CRASH_TEXT]);
static void await_next(struct session *session, pid_t starter);

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    struct crash *shared = session_join(&session, &options, CRASH_LESSON, sizeof *shared);
    copy_text_in(shared->text, "good morning", sizeof shared->text);
    session_advance(&session, CRASH_SAID);

    char half[CRASH_TEXT], whole[CRASH_TEXT];
    await_death(&session, shared);
    look_at_what_is_left(&session, shared, half);
    await_next(&session, atomic_load(&shared->starter));

    explain("Say it again: the next listener knows nothing about the first.");
    shared = session_join(&session, &options, CRASH_LESSON, sizeof *shared);
    copy_text_in(shared->text, "good morning", sizeof shared->text);
    session_advance(&session, CRASH_SAID);
    session_await(&session, CRASH_ANSWERED);
    copy_text_out(whole, shared->answer, sizeof whole);
    check(strlen(half) < strlen(whole) && strncmp(half, whole, strlen(half)) == 0,
          "the next listener (PID %d) has answered: %s", (int)session.peer, whole);
    session_part(&session);
    return program_end();
}

static void await_death(const struct session *session, const struct crash *shared)
{
    explain("Wait for the answer. At each tick the timer checks that the listener is alive.");
    struct wait wait = session_wait(session);
    enum wait_result why = WAIT_LOOK;
    int step;
    while ((step = observe(&shared->session.step)) == CRASH_SAID && why == WAIT_LOOK)
        why = wait_sleep(&wait);
    if (step == SESSION_SKIPPED || why == WAIT_LATE)
        session_give_up(session, why);
    int late = (int)((clock_now() - atomic_load(&shared->killed_at)) / 1000000);
    check(why == WAIT_GONE, "the listener (PID %d) %s, noticed after %d ms", (int)session->peer,
          why == WAIT_GONE ? "has gone" : "has answered", late);
    trace_point("noticed");
}

static void look_at_what_is_left(const struct session *session, const struct crash *shared,
                                 char half[CRASH_TEXT])
{
    explain("Look at what is left: the kernel detached the dead process, and kept the memory.");
    struct shmid_ds about;
    int shmid = session->segment.shmid;
    if (sys_shmctl(shmid, IPC_STAT, &about) == -1)
        err(EXIT_FAILED, "shmctl(%d, IPC_STAT)", shmid);
    check(about.shm_nattch == 1 && about.shm_cpid == session->peer,
          "segment %d of PID %d is still there, attached %lu time", shmid, (int)about.shm_cpid,
          (unsigned long)about.shm_nattch);
    copy_text_out(half, shared->answer, CRASH_TEXT);
    int step = observe(&shared->session.step);
    check(half[0] != '\0' && step != CRASH_ANSWERED,
          "so far it had written \"%s\", and had not said ANSWERED (step %d)", half, step);
}

/* Waits until the key leads to another segment. No process signals that, so we look at each tick,
 * for as long as the process that will create it is alive. */
static void await_next(struct session *session, pid_t starter)
{
    explain("Detach, so that the old segment is stale. Look by key until a new one is there.");
    segment_detach(&session->segment);
    struct wait wait = {.timeout = session->timeout};
    int found, old = session->segment.shmid;
    do {
        if (!peer_is_alive(starter) || wait_tick(&wait) != WAIT_LOOK)
            errx(EXIT_NO_PEER, "no listener came after PID %d", (int)session->peer);
        found = sys_shmget(session->segment.key, 0, 0);
    } while (found == -1 || found == old);
}
