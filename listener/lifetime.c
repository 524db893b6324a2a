/* lifetime.c (listener) - a segment outlives its processes with its contents, until it is removed.
 *
 * Memory of one's own ends with the process; a segment does not. We create one, leave a text in it,
 * and exit without shmdt and without IPC_RMID. The kernel detaches us, counts 0 attachments, and
 * keeps the text. What it knows of a segment is a struct shmid_ds (shmctl(2), IPC_STAT): we watch
 * how it begins, and the talker shows all of it before and after our end.
 *
 *     listener                                talker
 *     creates, attaches
 *     leaves a text, WRITTEN       ------->
 *                                  <-------   shows shmid_ds, LOOKED
 *     IPC_SET, LEAVING             ------->
 *                                  <-------   HEIR: will remove it; detaches
 *     exits without shmdt                     nobody is attached any more: shows shmid_ds,
 *                                             comes back by key, reads the text, removes
 *
 *     $ build/listener-lifetime               $ build/talker-lifetime
 *
 * Question: Is the text still there after the process that wrote it has ended?
 */
#include "../common/layout/lifetime.h"
#include "../common/lesson.h"
#include "../common/session.h"
#include "../common/peer.h"
#include "../common/ending.h"

#include <stdio.h>
#include <time.h>

static const char *const points[] = {"created", "setting", "leaving", NULL};

static const struct program program = {
    .name = "listener-lifetime",
    .about = "Creates a segment, leaves a text in it, and exits with neither shmdt nor IPC_RMID.",
    .points = points,
};

static struct shmid_ds ask(int shmid)
{
    struct shmid_ds about;
    if (sys_shmctl(shmid, IPC_STAT, &about) == -1)
        err(1, "shmctl(%d, IPC_STAT)", shmid);
    return about;
}

static void create(struct segment *segment, const struct options *options)
{
    segment->key = segment_key(options->file, options->project, true);
    if (segment->key == -1)
        err(1, "ftok(\"%s\", %d): cannot make or reach the key file", options->file,
            options->project);
    segment_clear(segment->key);
    explain("create the segment new (IPC_EXCL), and do not attach it yet");
    segment->size = segment_size(sizeof(struct lifetime));
    segment->shmid = sys_shmget(segment->key, segment->size, IPC_CREAT | IPC_EXCL | 0600);
    if (segment->shmid == -1)
        err(errno == EEXIST ? 4 : 1, "shmget(%#x, %zu, IPC_CREAT | IPC_EXCL | 0600)",
            (unsigned)segment->key, segment->size);
    segment_remove_at_exit(segment->shmid);
    segment->creator = getpid();

    struct shmid_ds about = ask(segment->shmid);
    check(about.shm_segsz == segment->size && about.shm_nattch == 0 && about.shm_lpid == 0 &&
              about.shm_atime == 0 && about.shm_dtime == 0 && about.shm_cpid == getpid(),
          "created: %zu bytes, attached %lu times, created by PID %d, last used by PID %d%s",
          (size_t)about.shm_segsz, (unsigned long)about.shm_nattch, (int)about.shm_cpid,
          (int)about.shm_lpid, about.shm_lpid == 0 ? ", nobody" : "");
    trace_point("created");
}

/* A talker that comes this early attaches the segment to look whose it is, and detaches it: then
 * the kernel has noted that one, and we attach once more. */
static struct shmid_ds attach_last(struct segment *segment)
{
    enum { VISITORS = 100 };
    for (int visitors = 0;; visitors++) {
        if (segment_attach(segment) == -1)
            err(1, "shmat(%d, NULL, 0)", segment->shmid);
        struct shmid_ds about = ask(segment->shmid);
        if ((about.shm_nattch == 1 && about.shm_lpid == getpid()) || visitors == VISITORS)
            return about;
        segment_detach(segment);
    }
}

static void attach(struct segment *segment)
{
    explain("attach it: the kernel notes who did so last, and when");
    struct shmid_ds about = attach_last(segment);
    check(about.shm_nattch == 1 && about.shm_lpid == getpid() && about.shm_atime >= about.shm_ctime,
          "attached: %lu time, last used by PID %d", (unsigned long)about.shm_nattch,
          (int)about.shm_lpid);
    segment->head->lesson = LIFETIME_LESSON;
    segment->head->version = 1;
    segment_publish(segment);
}

/* shm_ctime counts in seconds, by a clock that may be some milliseconds behind ours. */
static bool second_has_passed(time_t since)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec > since + 1 || (now.tv_sec > since && now.tv_nsec > 50000000);
}

static void set_again(const struct session *session)
{
    struct shmid_ds before = ask(session->segment.shmid);
    struct wait wait = session_wait(session);
    while (!second_has_passed(before.shm_ctime))
        if (wait_sleep(&wait) != WAIT_LOOK)
            errx(3, "the talker (PID %d) went away, or a second did not pass", (int)session->peer);

    explain("set what is set already: shm_ctime is the time of the last change, not of creation");
    trace_point("setting");
    struct shmid_ds about = before;
    if (sys_shmctl(session->segment.shmid, IPC_SET, &about) == -1)
        err(1, "shmctl(%d, IPC_SET)", session->segment.shmid);
    about = ask(session->segment.shmid);
    check(about.shm_ctime > before.shm_ctime, "IPC_SET: shm_ctime went from %lld to %lld",
          (long long)before.shm_ctime, (long long)about.shm_ctime);
}

/* Leaves as a crash would, or a plain exit where nobody has thought of the segment. */
static _Noreturn void leave(struct session *session)
{
    session_advance(session, LIFETIME_LEAVING);
    session_await(session, LIFETIME_HEIR);
    session_await_attached(session, 1);
    if (!peer_is_alive(session->peer))
        errx(3, "the talker (PID %d) went away", (int)session->peer);

    explain(
        "leave without shmdt and without IPC_RMID: the kernel does the first, nobody the second");
    trace_point("leaving");
    ending_obey();
    segment_forget(session->segment.shmid);
    say("exiting, without shmdt and without IPC_RMID");
    _exit(check_status());
}

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    wait_block_sigusr1();
    struct session session = {.timeout = options.timeout};
    create(&session.segment, &options);
    attach(&session.segment);
    session.shared = (struct session_head *)session.segment.head;
    say("waiting for a talker (pid %d, key %#x, shmid %d)", (int)getpid(),
                (unsigned)session.segment.key, session.segment.shmid);
    session_await_talker(&session);

    explain("leave a text: nothing but the segment will know it when both of us have gone");
    struct lifetime *shared = (struct lifetime *)session.shared;
    snprintf(shared->text, sizeof shared->text, "PID %d was here", (int)getpid());
    trace_publish_text("text", shared->text, strlen(shared->text));
    session_advance(&session, LIFETIME_WRITTEN);
    session_await(&session, LIFETIME_LOOKED);
    set_again(&session);
    leave(&session);
}
