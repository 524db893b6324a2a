/* private.c (talker) - finds a segment without a key by its shmid, and not with IPC_PRIVATE.
 *
 * The other half of listener/private.c, which tells the story and is started first.
 *
 *     $ build/listener-private                 $ build/talker-private
 */
#include "../common/layout/private.h"
#include "../common/lesson.h"
#include "../common/peer.h"
#include "../common/session.h"

static const struct program program = {
    .name = "talker-private",
    .about = "Gets a new segment with IPC_PRIVATE, and attaches the listener's by its id.",
    .values = PRIVATE_VALUES};

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    struct private_id *shared = session_join(&session, &options, PRIVATE_LESSON, sizeof *shared);
    session_await(&session, PRIVATE_CREATED);
    int theirs = observe(&shared->shmid);

    explain("Ask with IPC_PRIVATE as well: it creates, even without IPC_CREAT, and never finds.");
    const size_t size = segment_size(sizeof(int));
    int ours = sys_shmget(IPC_PRIVATE, size, 0600);
    if (ours == -1)
        err(EXIT_FAILED, "shmget(IPC_PRIVATE, %zu, 0600)", size);
    segment_remove_at_exit(ours);
    check(ours != theirs, "IPC_PRIVATE here: segment %d (the listener's last is %d)", ours, theirs);

    explain("Attach the listener's by its id: private means without a key, not secret.");
    const _Atomic int *word = sys_shmat(theirs, NULL, SHM_RDONLY);
    if (word == (void *)-1 && peer_is_gone(session.peer, session.segment.shmid))
        session_give_up(&session, WAIT_GONE); /* it took its segments along */
    if (word == (void *)-1)
        err(EXIT_FAILED, "shmat(%d, NULL, SHM_RDONLY)", theirs);
    int pid = observe(word);
    check(pid == session.peer, "by its shmid: segment %d holds the listener's PID, %d", theirs,
          pid);
    if (sys_shmdt((const void *)word) == -1)
        err(EXIT_FAILED, "shmdt(%p)", (const void *)word);

    if (sys_shmctl(ours, IPC_RMID, NULL) == -1)
        err(EXIT_FAILED, "shmctl(%d, IPC_RMID)", ours);
    session_advance(&session, PRIVATE_FOUND);
    session_part(&session);
    return program_end();
}
