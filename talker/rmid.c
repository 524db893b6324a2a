/* rmid.c (talker) - is attached to a segment that is removed, and creates its key anew.
 *
 * The other half of listener/rmid.c, which tells the story and is started first. When the key has
 * gone we act as a second listener would: we create it anew, and believe that it is ours alone.
 * Whether a removed segment can still be attached by its id is left to the system: it is tried, and
 * told.
 *
 *     $ build/listener-rmid                   $ build/talker-rmid
 */
#include "../common/layout/rmid.h"
#include "../common/lesson.h"
#include "../common/session.h"
#include "../common/ending.h"


static const struct program program = {
    .name = "talker-rmid",
    .about = "Goes on talking in a removed segment, and creates another one with its key.",
};

static void look_for_it(const struct segment *segment)
{
    explain("look for it by key, as anybody new would: there is nothing to be found");
    int found = sys_shmget(segment->key, 0, 0);
    check(found == -1 && errno == ENOENT, "by key %#x: shmget says %s", (unsigned)segment->key,
          found == -1 ? calls_error_name(errno) : "it is there");

    explain("try it by id, once more beside our own: systems differ here");
    void *again = sys_shmat(segment->shmid, NULL, SHM_RDONLY);
    say("by id %d: this kernel %s", segment->shmid,
                again != (void *)-1 ? "still attaches it" : calls_error_name(errno));
    if (again != (void *)-1 && sys_shmdt(again) == -1)
        err(1, "shmdt(%p)", again);
}

static void talk_on(struct session *session, struct rmid *shared)
{
    explain("say something in the removed segment: our attachment is as good as before");
    publish(&shared->said, (int)getpid());
    session_advance(session, RMID_SAID);
    session_await(session, RMID_ANSWERED);
    int answered = observe(&shared->answered);
    check(answered == -getpid(), "said %d, and was answered %d", (int)getpid(), answered);
}

/* Returns where it is attached. */
static struct rmid *create_anew(const struct segment *old, int *shmid)
{
    explain("create the key anew, even with IPC_EXCL: as far as the kernel knows, it is free");
    size_t size = segment_size(sizeof(struct rmid));
    *shmid = sys_shmget(old->key, size, IPC_CREAT | IPC_EXCL | 0600);
    if (*shmid == -1)
        err(1, "shmget(%#x, %zu, IPC_CREAT | IPC_EXCL | 0600)", (unsigned)old->key, size);
    segment_remove_at_exit(*shmid);
    check(*shmid != old->shmid, "created key %#x anew: segment %d, beside segment %d",
          (unsigned)old->key, *shmid, old->shmid);
    struct rmid *ours = sys_shmat(*shmid, NULL, 0);
    if (ours == (void *)-1)
        err(1, "shmat(%d, NULL, 0)", *shmid);
    strcpy(ours->text, "the second listener's");
    return ours;
}

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    struct rmid *shared = session_join(&session, &options, RMID_LESSON, sizeof *shared);

    session_await(&session, RMID_REMOVED);
    look_for_it(&session.segment);
    talk_on(&session, shared);

    int shmid;
    struct rmid *ours = create_anew(&session.segment, &shmid);
    session_advance(&session, RMID_ANEW);
    session_await(&session, RMID_COMPARED);
    check(atomic_load(&ours->said) != atomic_load(&shared->said),
          "said in the removed segment: %d, in the new one: %d", observe(&shared->said),
          observe(&ours->said));

    explain("remove ours, and leave: a segment that nobody has attached goes at once");
    if (sys_shmdt(ours) == -1)
        err(1, "shmdt(%p)", (void *)ours);
    if (sys_shmctl(shmid, IPC_RMID, NULL) == -1)
        err(1, "shmctl(%d, IPC_RMID)", shmid);
    segment_forget(shmid);
    session_advance(&session, RMID_LEAVING);
    session_part(&session);
    return program_end();
}
