/* collision.c (listener) - two files can have the same key, so a key may lead to a stranger's
 * segment.
 *
 * Only 16 bits of the inode number go into a key. So among some thousands of files of one disk two
 * have the same key. A program that finds a segment by its key does not know yet whose it is. That
 * is what the magic number at its beginning is for. We play the stranger: another program that has
 * created a segment with the key of its own file.
 *
 *     listener                                 talker
 *                                   <-------   finds two files with one key, TWINS
 *     creates a segment with the key
 *       of the first, STRANGER      ------->   finds it with the key of the second,
 *     removes it                    <-------     and refuses it, REFUSED
 *
 *     $ build/listener-collision               $ build/talker-collision
 *
 * Level: the heart; 3 minutes; after keys, existing
 * Question: Can two different files give the same key?
 * Answer: yes. Only 16 bits of the inode number go into the key.
 * Shown by: found two among
 */
#include "../common/layout/collision.h"
#include "../common/lesson.h"
#include "../common/session.h"

static const char *const points[] = {"stranger", NULL};

static const struct program program = {
    .name = "listener-collision",
    .about = "Creates a segment with the key of a file, as another program would.",
    .question = "Can two different files give the same key?",
    .points = points,
    .values = COLLISION_VALUES};

static int create_as_a_stranger(struct collision *shared, const char *file);
static char *write_as_a_stranger(int shmid);

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    struct collision *shared = session_open(&session, &options, COLLISION_LESSON, sizeof *shared);
    session_await_talker(&session);

    session_await(&session, COLLISION_TWINS);
    char file[COLLISION_PATH];
    copy_text_out(file, shared->first, sizeof file);
    int shmid = create_as_a_stranger(shared, file);
    char *text = write_as_a_stranger(shmid);
    trace_point("stranger");
    session_advance(&session, COLLISION_STRANGER);

    session_await(&session, COLLISION_REFUSED);
    if (sys_shmctl(shmid, IPC_RMID, NULL) == -1)
        err(EXIT_FAILED, "shmctl(%d, IPC_RMID)", shmid);
    if (sys_shmdt(text) == -1)
        err(EXIT_FAILED, "shmdt(%p)", (void *)text);
    session_part(&session);
    return program_end();
}

static int create_as_a_stranger(struct collision *shared, const char *file)
{
    explain("Create a segment with the first project of the file whose key is free.");
    const size_t size = segment_size(COLLISION_TEXT);
    int shmid = -1, project = 0;
    while (shmid == -1 && project < 255) {
        key_t key = sys_ftok(file, ++project);
        if (key == -1)
            err(EXIT_FAILED, "ftok(\"%s\", %d)", file, project);
        shmid = sys_shmget(key, size, IPC_CREAT | IPC_EXCL | 0600);
        if (shmid == -1 && errno != EEXIST)
            err(EXIT_FAILED, "shmget(%#x, %zu, IPC_CREAT | IPC_EXCL | 0600)", (unsigned)key, size);
    }
    if (shmid == -1)
        errx(EXIT_FAILED, "all 255 keys of \"%s\" are in use", file);
    segment_remove_at_exit(shmid);
    publish(&shared->shmid, shmid);
    publish(&shared->project, project);
    return shmid;
}

/* The segment stays attached: where kernel.shm_rmid_forced is 1, the last shmdt removes it. */
static char *write_as_a_stranger(int shmid)
{
    explain(
        "Write a text where our lessons have the magic number: a stranger knows nothing of it.");
    char *text = sys_shmat(shmid, NULL, 0);
    if (text == (void *)-1)
        err(EXIT_FAILED, "shmat(%d, NULL, 0)", shmid);
    copy_text_in(text, "a stranger's text", COLLISION_TEXT);
    return text;
}
