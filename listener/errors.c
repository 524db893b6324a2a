/* errors.c (listener) - a failed shmget or shmat says why in errno: EINVAL, EEXIST, ENOENT, ENOMEM.
 *
 * The talker asks for what it cannot get. The kernel refuses with EINVAL where a size is wrong,
 * with EEXIST where a new segment must be new and is not, with ENOENT where no segment has the key,
 * and with ENOMEM where there is no room. Our part is a segment with which the talker tries it.
 *
 *     listener                                talker
 *     has a segment                           asks for sizes that no segment may have
 *                                             asks for this one anew, and for more of it
 *                                             asks for one that is not there
 *                                             attaches more than it has room for
 *     finds it as it was            <-------  TRIED
 *     OVER                          ------->
 *
 *     $ build/listener-errors                 $ build/talker-errors
 *
 * Level: first steps; 3 minutes; after keys
 * Question: Can the talker ask for fewer bytes than the segment has? And for more?
 * Choices: only fewer | only more | both
 * Answer: only fewer. For more than the segment has, shmget says EINVAL.
 * Shown by: more than the listener*EINVAL
 */
#include "../common/layout/errors.h"
#include "../common/lesson.h"
#include "../common/session.h"

static const struct program program = {
    .name = "listener-errors",
    .about = "Has a segment, with which a talker tries what the kernel refuses.",
    .question = "Can the talker ask for fewer bytes than the segment has? And for more?",
    .values = ERRORS_VALUES};

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    session_open(&session, &options, ERRORS_LESSON, sizeof(struct errors));
    session_await_talker(&session);
    session_await(&session, ERRORS_TRIED);

    explain("Look at our segment: a call that fails changes nothing.");
    int shmid = session.segment.shmid;
    struct shmid_ds about;
    if (sys_shmctl(shmid, IPC_STAT, &about) == -1)
        err(EXIT_FAILED, "shmctl(%d, IPC_STAT)", shmid);
    check(about.shm_segsz == session.segment.size, "segment %d still has %zu bytes", shmid,
          (size_t)about.shm_segsz);

    session_advance(&session, ERRORS_OVER);
    session_part(&session);
    return program_end();
}
