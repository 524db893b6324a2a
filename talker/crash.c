/* crash.c (talker) - survives its listener, and is answered by the next.
 *
 * The other half of listener/crash.c, which tells the story and is started first. The listener is
 * killed while we wait for its answer: the tick that looks after it notices within 0.2 s. What it
 * has written so far is still there, but it was never published, so it is no answer.
 *
 *     $ build/listener-crash                  $ build/talker-crash
 */
#include "../common/pairs/crash.h"
#include "../common/claim.h"
#include "../common/clock.h"
#include "../common/sys.h"

#include <err.h>
#include <string.h>

static const char *const points[] = {"noticed", NULL};

static const struct program program = {
    .name = "talker-crash",
    .usage = "[options]",
    .about = "Notices that its listener was killed, and says the same again to the next one.",
    .points = points,
};

static void say(struct meet *meet)
{
    struct crash *shared = (struct crash *)meet->shared;
    strcpy(shared->text, "good morning");
    narrate_publish_text("text", shared->text, strlen(shared->text));
    meet_advance(meet, CRASH_SAID);
}

static void copy_answer(char answer[CRASH_TEXT], const struct crash *shared)
{
    memcpy(answer, shared->answer, CRASH_TEXT);
    answer[CRASH_TEXT - 1] = '\0';
    narrate_observe_text("answer", answer, strlen(answer));
}

/* Sleeps until the listener has gone. */
static void notice(const struct meet *meet)
{
    const struct crash *shared = (struct crash *)meet->shared;
    explain("wait for the answer; but look at each tick whether anybody is there to give it");
    enum wakeup why = WAKEUP_LOOK;
    struct wakeup_wait wait = meet_wait(meet);
    while (why == WAKEUP_LOOK && observe(&meet->shared->step) != CRASH_ANSWERED)
        why = wakeup_sleep(&wait);
    int late = (int)((clock_now() - atomic_load(&shared->killed_at)) / 1000000);
    if (why == WAKEUP_LATE)
        errx(3, "the listener (PID %d) neither answered nor died: gave up", (int)meet->peer);
    claim(why == WAKEUP_GONE, "the listener (PID %d) %s, noticed after %d ms", (int)meet->peer,
          why == WAKEUP_GONE ? "has gone" : "has answered", late);
    narrate_point("noticed");
}

static void look_around(struct meet *meet, char half[CRASH_TEXT])
{
    explain("see what is left: the kernel has detached the dead, and has kept the memory");
    struct shmid_ds about;
    if (sys_shmctl(meet->segment.shmid, IPC_STAT, &about) == -1)
        err(1, "shmctl(%d, IPC_STAT)", meet->segment.shmid);
    claim(about.shm_nattch == 1 && about.shm_cpid == meet->peer,
          "segment %d of PID %d is still there, attached %lu time", meet->segment.shmid,
          (int)about.shm_cpid, (unsigned long)about.shm_nattch);
    copy_answer(half, (struct crash *)meet->shared);
    claim(half[0] != '\0', "so far it had written \"%s\", and had not said ANSWERED (step %d)",
          half, (int)observe(&meet->shared->step));
}

/* Waits until the key leads to another segment, as long as there is somebody to create it. */
static void await_next(struct meet *meet, const struct options *options)
{
    pid_t starter = atomic_load(&((struct crash *)meet->shared)->starter);
    int old = meet->segment.shmid;
    key_t key = meet->segment.key;
    explain("detach, so that the old one is stale, and look by key until there is a new one");
    segment_detach(&meet->segment);
    struct wakeup_wait wait = {.timeout = options->timeout};
    int found;
    do {
        if (!wakeup_alive(starter) || wakeup_sleep(&wait) == WAKEUP_LATE)
            errx(3, "no listener came after PID %d", (int)meet->peer);
        found = sys_shmget(key, 0, 0);
    } while (found == -1 || found == old);
}

int main(int argc, char **argv)
{
    struct options options = options_parse(argc, argv, &program);
    wakeup_block();
    struct meet meet;
    char half[CRASH_TEXT], whole[CRASH_TEXT];
    meet_find(&meet, &options, CRASH_LESSON, sizeof(struct crash));
    say(&meet);
    notice(&meet);
    look_around(&meet, half);
    await_next(&meet, &options);

    explain("say it again: the next listener knows nothing of the first");
    meet_find(&meet, &options, CRASH_LESSON, sizeof(struct crash));
    say(&meet);
    meet_await(&meet, CRASH_ANSWERED);
    copy_answer(whole, (struct crash *)meet.shared);
    claim(strlen(half) < strlen(whole) && strncmp(half, whole, strlen(half)) == 0,
          "the next listener (PID %d) has answered: %s", (int)meet.peer, whole);
    meet_part(&meet);
    wakeup_end();
    return claim_status();
}
