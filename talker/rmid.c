/* rmid.c (talker) - is attached to a segment that is removed, and creates another with its key.
 *
 * Read listener/rmid.c first, and start it first. After the removal we do what a second listener
 * would do: we create a segment with the same key, and believe that it is the only one. Systems
 * differ in whether a removed segment can still be attached by its id: we try it.
 *
 *     $ build/listener-rmid                   $ build/talker-rmid
 */
#include "../common/layout/rmid.h"
#include "../common/lesson.h"
#include "../common/session.h"

static void look_for_it(const struct segment *segment);
static void talk_on(struct session *session, struct rmid *shared);
static int create_anew(const struct segment *old);
static struct rmid *attach_anew(int shmid);

static const struct program program = {
    .name = "talker-rmid",
    .about = "Goes on talking in a removed segment, and creates another one with its key.",
    .values = RMID_VALUES};

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    struct rmid *shared = session_join(&session, &options, RMID_LESSON, sizeof *shared);

    session_await(&session, REMOVED);
    look_for_it(&session.segment);
    talk_on(&session, shared);
    int shmid = create_anew(&session.segment);
    struct rmid *ours = attach_anew(shmid);
    session_advance(&session, ANEW);

    session_await(&session, COMPARED);
    int said_there = observe(&shared->said);
    int said_here = observe(&ours->said);
    check(said_there != said_here, "said in the removed segment: %d, in the new one: %d",
          said_there, said_here);

    explain("Remove the new segment, too. The kernel frees it when the last process detaches.");
    if (sys_shmctl(shmid, IPC_RMID, NULL) == -1)
        err(EXIT_FAILED, "shmctl(%d, IPC_RMID)", shmid);
    if (sys_shmdt(ours) == -1)
        err(EXIT_FAILED, "shmdt(%p)", (void *)ours);
    session_advance(&session, LEAVING);
    session_part(&session);
    return program_end();
}

static void look_for_it(const struct segment *segment)
{
    explain("Look for it by its key, as a new process would: no segment has that key.");
    int found = sys_shmget(segment->key, 0, 0);
    check(found == -1 && errno == ENOENT, "by key %#x: shmget says %s", (unsigned)segment->key,
          found == -1 ? calls_error_name(errno) : "it is there");

    explain("Try its id, for a second attachment beside our own: systems differ here.");
    void *again = sys_shmat(segment->shmid, NULL, SHM_RDONLY);
    print_line("by id %d: this kernel %s", segment->shmid,
               again != (void *)-1 ? "still attaches it" : calls_error_name(errno));
    if (again != (void *)-1 && sys_shmdt(again) == -1)
        err(EXIT_FAILED, "shmdt(%p)", again);
}

static void talk_on(struct session *session, struct rmid *shared)
{
    explain("Say something in the removed segment: our attachment works as before.");
    publish(&shared->said, (int)getpid());
    session_advance(session, SAID);
    session_await(session, ANSWERED);
    int answered = observe(&shared->answered);
    check(answered == -getpid(), "said %d, and was answered %d", (int)getpid(), answered);
}

static int create_anew(const struct segment *old)
{
    explain("Create a segment with the same key. Even IPC_EXCL succeeds: the key is free.");
    size_t size = segment_size(sizeof(struct rmid));
    int shmid = sys_shmget(old->key, size, IPC_CREAT | IPC_EXCL | 0600);
    if (shmid == -1)
        err(EXIT_FAILED, "shmget(%#x, %zu, IPC_CREAT | IPC_EXCL | 0600)", (unsigned)old->key, size);
    segment_remove_at_exit(shmid);
    check(shmid != old->shmid, "created key %#x anew: segment %d, beside segment %d",
          (unsigned)old->key, shmid, old->shmid);
    return shmid;
}

static struct rmid *attach_anew(int shmid)
{
    struct rmid *ours = sys_shmat(shmid, NULL, 0);
    if (ours == (void *)-1)
        err(EXIT_FAILED, "shmat(%d, NULL, 0)", shmid);
    copy_text_in(ours->text, "the second listener's", sizeof ours->text);
    return ours;
}
