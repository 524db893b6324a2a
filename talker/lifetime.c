/* lifetime.c (talker) - finds the text of a process that has exited, and removes the segment.
 *
 * Read listener/lifetime.c first, and start it first. We detach before the listener exits, so for a
 * while no process has the segment attached. Then we find it by its key, as any later process
 * could.
 *
 *     $ build/listener-lifetime               $ build/talker-lifetime
 */
#include "../common/layout/lifetime.h"
#include "../common/lesson.h"
#include "../common/session.h"

static void outlive(struct session *session);
static void find_again(struct segment *segment, const char *before);
static void remove_it(const struct segment *segment);

static const char *const points[] = {"nobody", NULL};

static const struct program program = {
    .name = "talker-lifetime",
    .about = "Finds the text of a process that has exited, and removes the segment.",
    .points = points,
    .values = LIFETIME_VALUES};

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    struct lifetime *shared = session_join(&session, &options, LIFETIME_LESSON, sizeof *shared);

    session_await(&session, WRITTEN);
    char before[LIFETIME_TEXT];
    copy_text_out(before, shared->text, sizeof before);
    outlive(&session);
    find_again(&session.segment, before);
    remove_it(&session.segment);
    return program_end();
}

static void outlive(struct session *session)
{
    int shmid = session->segment.shmid;
    explain("Promise to remove the segment, then detach. The listener will not remove it.");
    segment_remove_at_exit(shmid);
    session_advance(session, HEIR);
    segment_detach(&session->segment);

    explain("Wait until the listener has exited. Then ask the kernel what it knows.");
    session_await_attached(session, 0);
    trace_point("nobody");
    struct shmid_ds about;
    if (sys_shmctl(shmid, IPC_STAT, &about) == -1)
        err(EXIT_FAILED, "shmctl(%d, IPC_STAT)", shmid);
    check(about.shm_nattch == 0 && about.shm_lpid == session->peer,
          "attached %lu times: the last detach was the exit of PID %d (the listener was %d)",
          (unsigned long)about.shm_nattch, (int)about.shm_lpid, (int)session->peer);
}

static void find_again(struct segment *segment, const char *before)
{
    explain("Find it by its key, as a later process would.");
    int found = sys_shmget(segment->key, 0, 0);
    check(found == segment->shmid, "key %#x still leads to segment %d", (unsigned)segment->key,
          found);
    if (segment_attach(segment) == -1)
        err(EXIT_FAILED, "shmat(%d, NULL, 0)", segment->shmid);
    const struct lifetime *shared = (const struct lifetime *)segment->head;
    char text[LIFETIME_TEXT];
    copy_text_out(text, shared->text, sizeof text);
    check(strcmp(text, before) == 0, "the text is still there: \"%s\"", text);
    segment_detach(segment);
}

static void remove_it(const struct segment *segment)
{
    explain("Remove it: only this ends its life.");
    if (sys_shmctl(segment->shmid, IPC_RMID, NULL) == -1)
        err(EXIT_FAILED, "shmctl(%d, IPC_RMID)", segment->shmid);
    struct shmid_ds about;
    int result = sys_shmctl(segment->shmid, IPC_STAT, &about);
    check(result == -1 && segment_is_gone(), "removed: IPC_STAT says %s",
          result == 0 ? "that it is still there" : calls_error_name(errno));
}
