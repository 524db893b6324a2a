/* private.c (listener) - IPC_PRIVATE creates a new segment each time, and no key leads to it.
 *
 * IPC_PRIVATE is the number 0, and not a key: it asks for a new segment, even without IPC_CREAT.
 * Two processes that both pass it get two segments. No collision of keys can happen, but another
 * process has to learn the shmid, as here through a segment that has a key.
 *
 *     listener                                 talker
 *     creates two without a key,
 *       and writes into one
 *     CREATED                       ------->   gets a third one with IPC_PRIVATE
 *                                              attaches ours by its shmid, and reads it
 *     removes them                  <-------   FOUND
 *
 *     $ build/listener-private                 $ build/talker-private
 *
 * Level: first steps; 2 minutes; after keys
 * Question: Two processes both call shmget with IPC_PRIVATE. Do they get the same segment?
 * Answer: no. IPC_PRIVATE is no key: each call creates another segment.
 * Shown by: IPC_PRIVATE here: segment
 */
#include "../common/layout/private.h"
#include "../common/lesson.h"
#include "../common/session.h"

static const char *const points[] = {"private", NULL};

static const struct program program = {
    .name = "listener-private",
    .about = "Creates segments without a key, and gives the id of one to the talker.",
    .question = "Two processes both call shmget with IPC_PRIVATE. Do they get the same segment?",
    .points = points,
    .values = PRIVATE_VALUES};

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    struct private_id *shared = session_open(&session, &options, PRIVATE_LESSON, sizeof *shared);
    session_await_talker(&session);

    explain("IPC_PRIVATE is not a key: it asks for a new segment, every time.");
    const size_t size = segment_size(sizeof(int));
    int one = sys_shmget(IPC_PRIVATE, size, 0600);
    if (one == -1)
        err(EXIT_FAILED, "shmget(IPC_PRIVATE, %zu, 0600)", size);
    segment_remove_at_exit(one);
    int two = sys_shmget(IPC_PRIVATE, size, 0600);
    if (two == -1)
        err(EXIT_FAILED, "shmget(IPC_PRIVATE, %zu, 0600)", size);
    segment_remove_at_exit(two);
    check(one != two, "IPC_PRIVATE twice: segments %d and %d", one, two);

    explain("Write our PID into the second one, and give its shmid to the talker.");
    _Atomic int *word = sys_shmat(two, NULL, 0);
    if (word == (void *)-1)
        err(EXIT_FAILED, "shmat(%d, NULL, 0)", two);
    publish(word, (int)getpid());
    publish(&shared->shmid, two);
    trace_point("private");
    session_advance(&session, PRIVATE_CREATED);

    session_await(&session, PRIVATE_FOUND);
    if (sys_shmctl(one, IPC_RMID, NULL) == -1 || sys_shmctl(two, IPC_RMID, NULL) == -1)
        err(EXIT_FAILED, "remove segments %d and %d", one, two);
    if (sys_shmdt(word) == -1)
        err(EXIT_FAILED, "shmdt(%p)", (void *)word);
    session_part(&session);
    return program_end();
}
