/* lifetime.c (talker) - finds the text of a process that has exited, and removes the segment.
 *
 * The other half of listener/lifetime.c, which tells the story and is started first. We detach
 * before the listener exits, so that for a while nobody has the segment attached; and come back by
 * its key, as any later process would. What we show is what `ipcs -m -i SHMID` shows.
 *
 *     $ build/listener-lifetime               $ build/talker-lifetime
 */
#include "../common/layout/lifetime.h"
#include "../common/lesson.h"
#include "../common/session.h"
#include "../common/ending.h"

#include <time.h>

static const char *const points[] = {"nobody", NULL};

static const struct program program = {
    .name = "talker-lifetime",
    .about = "Shows all that the kernel knows of a segment, before and after its creator has gone.",
    .points = points,
};

static const char *clock_of(time_t when, char text[16])
{
    struct tm tm;
    if (when == 0)
        return "never";
    localtime_r(&when, &tm);
    strftime(text, 16, "%H:%M:%S", &tm);
    return text;
}

/* All of it, under the names of its fields. */
static struct shmid_ds show(const char *when, int shmid)
{
    struct shmid_ds about;
    char atime[16], dtime[16], ctime[16];
    if (sys_shmctl(shmid, IPC_STAT, &about) == -1)
        err(1, "shmctl(%d, IPC_STAT)", shmid);
    const struct ipc_perm *perm = &about.shm_perm;
    say("%s: key %#x, uid %u, gid %u, cuid %u, cgid %u, mode %#o", when,
                (unsigned)calls_key_of(&about), (unsigned)perm->uid, (unsigned)perm->gid,
                (unsigned)perm->cuid, (unsigned)perm->cgid, (unsigned)perm->mode);
    say("%s: shm_segsz %zu, shm_nattch %lu, shm_cpid %d, shm_lpid %d", when,
                (size_t)about.shm_segsz, (unsigned long)about.shm_nattch, (int)about.shm_cpid,
                (int)about.shm_lpid);
    say("%s: shm_atime %s, shm_dtime %s, shm_ctime %s", when,
                clock_of(about.shm_atime, atime), clock_of(about.shm_dtime, dtime),
                clock_of(about.shm_ctime, ctime));
    return about;
}

static void copy_text(char text[LIFETIME_TEXT], const struct lifetime *shared)
{
    memcpy(text, shared->text, LIFETIME_TEXT);
    text[LIFETIME_TEXT - 1] = '\0';
    trace_observe_text("text", text, strlen(text));
}

static void look_before(struct session *session, char text[LIFETIME_TEXT])
{
    session_await(session, LIFETIME_WRITTEN);
    copy_text(text, (struct lifetime *)session->shared);
    explain("ask the kernel for all that it knows, while both are attached");
    struct shmid_ds about = show("before", session->segment.shmid);
    check(about.shm_nattch == 2 && about.shm_cpid == session->peer && about.shm_lpid == getpid(),
          "attached %lu times, created by PID %d (the listener is %d), last used by PID %d (we are "
          "%d)",
          (unsigned long)about.shm_nattch, (int)about.shm_cpid, (int)session->peer,
          (int)about.shm_lpid, (int)getpid());
    session_advance(session, LIFETIME_LOOKED);
}

static void outlive(struct session *session)
{
    int shmid = session->segment.shmid;
    session_await(session, LIFETIME_LEAVING);
    explain("take over the duty to remove it, then detach: the listener will do neither");
    segment_remove_at_exit(shmid);
    session_advance(session, LIFETIME_HEIR);
    segment_detach(&session->segment);
    session_await_attached(session, 0);
    trace_point("nobody");
    struct shmid_ds about = show("after", shmid);
    check(about.shm_nattch == 0 && about.shm_lpid == session->peer && about.shm_cpid == session->peer,
          "attached %lu times: the last detach was the exit of PID %d (the listener was %d)",
          (unsigned long)about.shm_nattch, (int)about.shm_lpid, (int)session->peer);
}

static void inherit(struct session *session, const char *before)
{
    int shmid = session->segment.shmid;
    explain("come as a later process would: by the key, and find what was left");
    int found = sys_shmget(session->segment.key, 0, 0);
    if (!check(found == shmid, "key %#x still leads to segment %d", (unsigned)session->segment.key,
               found))
        return;
    if (segment_attach(&session->segment) == -1)
        err(1, "shmat(%d, NULL, 0)", shmid);
    char text[LIFETIME_TEXT];
    copy_text(text, (struct lifetime *)session->segment.head);
    check(strcmp(text, before) == 0, "the text is still there: \"%s\"", text);
    segment_detach(&session->segment);
    struct shmid_ds about = show("at last", shmid);
    check(about.shm_nattch == 0 && about.shm_lpid == getpid(), "last used by PID %d (we are %d)",
          (int)about.shm_lpid, (int)getpid());
}

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    session_join(&session, &options, LIFETIME_LESSON, sizeof(struct lifetime));
    char text[LIFETIME_TEXT];
    look_before(&session, text);
    outlive(&session);
    inherit(&session, text);

    explain("remove it: this alone ends its life");
    struct shmid_ds about;
    if (segment_remove(&session.segment) == -1)
        err(1, "shmctl(%d, IPC_RMID)", session.segment.shmid);
    int result = sys_shmctl(session.segment.shmid, IPC_STAT, &about);
    check(result == -1 && (errno == EINVAL || errno == EIDRM), "removed: IPC_STAT says %s",
          result == 0 ? "that it is still there" : calls_error_name(errno));
    return program_end();
}
