/* existing.c (listener) - a key may have a segment already: remove it only if it is ours and stale.
 *
 * IPC_EXCL makes shmget fail if a segment has the key. The notes then remove that segment, whatever
 * it is, also a stranger's. We first ask the kernel whose it is and whether it is in use. A child
 * of ours creates such a segment and dies, so that there is a stale one.
 *
 *     child                     listener                            talker
 *     creates a segment, dies
 *                               IPC_EXCL: EEXIST
 *                               opens it, asks who created it
 *                               removes it by its id, creates anew
 *                                                         <-------  text
 *
 *     $ build/listener-existing               $ build/talker-existing "Hello"
 *
 * Level: first steps; 4 minutes; after handshake
 * Question: Which two facts does the kernel know about a segment that no process needs any more?
 * Choices: its name and its age | its creator and who has it attached | its magic and its text
 * Answer: its creator and who has it attached. The creator is dead and nobody has it attached:
 * then it is stale.
 * Shown by: which is dead
 */
#include "../common/layout/existing.h"
#include "../common/lesson.h"
#include "../common/peer.h"
#include "../common/session.h"

#include <sys/wait.h>

static const char *const points[] = {"stale", NULL};

static const struct program program = {
    .name = "listener-existing",
    .about = "Finds a stale segment on its key, removes it, and hears one message in a new one.",
    .question = "Which two facts does the kernel know about a segment that no process needs any "
                "more?",
    .points = points,
    .values = EXISTING_VALUES};

static void skip_where_none_is_left(const struct options *options);
static void leave_a_stale_one(key_t key, size_t size);

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    size_t size = segment_size(sizeof(struct existing));
    segment_make_file(options.file);
    key_t key = segment_key(&options);
    segment_clear(key);
    skip_where_none_is_left(&options);
    leave_a_stale_one(key, size);

    explain("Create with IPC_EXCL: it fails if a segment has the key already.");
    int shmid = sys_shmget(key, size, IPC_CREAT | IPC_EXCL | 0600);
    int error = shmid == -1 ? errno : 0;
    if (shmid != -1)
        segment_remove_at_exit(shmid);

    explain("Open what exists, and ask the kernel: is the creator dead, is it attached no more?");
    struct segment found;
    segment_find(&found, key);
    if (found.state == SEGMENT_STALE)
        segment_remove_at_exit(found.shmid); /* if we do not come so far as to recover it */
    check(error == EEXIST, "created with IPC_EXCL: %s, shmid %d has the key already",
          error ? calls_error_name(error) : "no error", found.shmid);
    bool stale = found.state == SEGMENT_STALE, alive = peer_is_alive(found.creator);
    check(stale && !alive, "shmid %d: %s, made by PID %d, which is %s", found.shmid,
          stale ? "ours and stale" : "not to be removed", (int)found.creator,
          alive ? "alive" : "dead");

    explain("Remove it by its id, because the key may lead to another by now. Then create anew.");
    struct session session;
    struct existing *shared = session_open(&session, &options, EXISTING_LESSON, sizeof *shared);
    struct shmid_ds about;
    check(sys_shmctl(found.shmid, IPC_STAT, &about) == -1 && segment_is_gone(),
          "shmid %d is gone, shmid %d has the key now", found.shmid, session.segment.shmid);

    session_await_talker(&session);
    session_await(&session, EXISTING_SAID);
    char text[EXISTING_TEXT];
    copy_text_out(text, shared->text, sizeof text);
    print_line("received: %s", text);
    session_advance(&session, EXISTING_HEARD);
    session_part(&session);
    return program_end();
}

static void skip_where_none_is_left(const struct options *options)
{
    if (segment_outlives_processes())
        return;
    struct session session;
    session_open(&session, options, EXISTING_LESSON, sizeof(struct existing));
    session_await_talker(&session);
    session_await(&session, EXISTING_SAID); /* else the talker would store this over our skip */
    session_skip(&session, "kernel.shm_rmid_forced is 1: a segment goes with its last process");
}

/* When we return, the key has a segment whose creator is dead. */
static void leave_a_stale_one(key_t key, size_t size)
{
    explain("Leave a stale segment: a child creates it, and dies without removing it.");
    pid_t child = sys_fork();
    if (child == -1)
        err(EXIT_FAILED, "cannot start a child (see \"ulimit -u\"): fork()");
    if (child == 0) {
        trace_stop_no_more();
        _exit(sys_shmget(key, size, IPC_CREAT | IPC_EXCL | 0600) == -1 ? EXIT_FAILED : EXIT_DONE);
    }
    int status;
    if (waitpid(child, &status, 0) == -1)
        err(EXIT_FAILED, "waitpid(%d)", (int)child);
    if (status != 0)
        errx(EXIT_FAILED, "the child (PID %d) could not create a segment", (int)child);
    trace_point("stale");
}
