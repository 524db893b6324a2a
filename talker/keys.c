/* keys.c (talker) - makes keys from the listener's files, and looks for the segments behind them.
 *
 * The other half of listener/keys.c, which tells the story and is started first. We make each key
 * ourselves, from the name of a file, and compare the segment behind it with the listener's.
 *
 *     $ build/listener-keys                    $ build/talker-keys
 */
#include "../common/layout/keys.h"
#include "../common/lesson.h"
#include "../common/peer.h"
#include "../common/session.h"

#include <stdio.h>

static const struct program program = {
    .name = "talker-keys",
    .about = "Makes keys from files, and looks for what a listener has created with them.",
    .values = KEYS_VALUES};

static key_t make_same_key(const struct options *options);
static void find_by_accident(const struct session *session, int theirs, const char *file);
static void find_by_name(const struct session *session, struct keys *shared, const char *file);
static void lose(struct keys *shared, const char *file);

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    struct keys *shared = session_join(&session, &options, KEYS_LESSON, sizeof *shared);
    publish(&shared->key, make_same_key(&options));
    session_advance(&session, KEYS_SAME_FILE);

    session_await(&session, KEYS_NO_FILE);
    char file[KEYS_PATH];
    copy_text_out(file, shared->file, sizeof file);
    int theirs = observe(&shared->shmid);
    if (theirs != -1)
        find_by_accident(&session, theirs, file);
    session_advance(&session, KEYS_ACCIDENT);

    session_await(&session, KEYS_FILE);
    find_by_name(&session, shared, file);
    session_advance(&session, KEYS_FOUND);

    session_await(&session, KEYS_RECREATED);
    lose(shared, file);
    session_advance(&session, KEYS_LOST);
    session_part(&session);
    return program_end();
}

static key_t make_same_key(const struct options *options)
{
    char *path = realpath(options->file, NULL);
    if (!path)
        err(EXIT_FAILED, "realpath(\"%s\")", options->file);
    explain("Use the full name of the file: ftok looks at the file, not at its name.");
    key_t key = sys_ftok(path, options->project);
    explain("Add 256 to the project: only its lowest 8 bits go into the key.");
    key_t folded = sys_ftok(path, options->project + 256);
    key_t other = sys_ftok(path, options->project ^ 128);
    check(folded == key && other != key, "project %d: key %#x, project %d: %#x, project %d: %#x",
          options->project, (unsigned)key, options->project + 256, (unsigned)folded,
          options->project ^ 128, (unsigned)other);
    free(path);
    return key;
}

/* Returns the segment that has `key`. Where none has it, the listener may have died and taken the
 * segment along: then we exit. */
static int find(const struct session *session, key_t key)
{
    int shmid = sys_shmget(key, 0, 0);
    if (shmid == -1 && peer_is_gone(session->peer, session->segment.shmid))
        session_give_up(session, WAIT_GONE);
    return shmid;
}

static void find_by_accident(const struct session *session, int theirs, const char *file)
{
    char missing[KEYS_PATH + 16];
    snprintf(missing, sizeof missing, "%s.absent", file);
    explain("Make a key from another missing file, with another project, and do not check either.");
    key_t key = sys_ftok(missing, 2);
    int found = find(session, key);
    check(key == -1 && found == theirs,
          "another missing file and project: key %#x leads to segment %d (the listener's is %d)",
          (unsigned)key, found, theirs);
}

static void find_by_name(const struct session *session, struct keys *shared, const char *file)
{
    int theirs = observe(&shared->shmid), project = observe(&shared->project);
    explain("Find the listener's segment by the name of its file.");
    key_t key = sys_ftok(file, project);
    int found = find(session, key);
    check(found == theirs, "by its file: key %#x leads to segment %d (the listener's is %d)",
          (unsigned)key, found, theirs);
}

static void lose(struct keys *shared, const char *file)
{
    int theirs = observe(&shared->shmid), project = observe(&shared->project);
    explain("Do the same again: the name is the same, but the file and the key are not.");
    key_t key = sys_ftok(file, project);
    int found = sys_shmget(key, 0, 0);
    const char *result = found == -1 ? calls_error_name(errno) : "another segment";
    check(found != theirs, "by the same name: key %#x, and behind it %s", (unsigned)key, result);
}
