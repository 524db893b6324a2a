/* keys.c (talker) - looks for segments by keys that are the same, missing, changed and shared.
 *
 * The other half of listener/keys.c, which tells the story and is started first. We make each key
 * by ourselves, of the file that we know, and look what is behind it.
 *
 *     $ build/listener-keys                   $ build/talker-keys
 */
#include "../common/layout/keys.h"
#include "../common/lesson.h"
#include "../common/session.h"
#include "../common/peer.h"
#include "../common/ending.h"

#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

static const struct program program = {
    .name = "talker-keys",
    .about = "Makes keys of files, and looks for what a listener has created with them.",
};

/* What we look for is not there: if that is because the listener has gone, we end. */
static void look_after(const struct session *session)
{
    ending_obey();
    if (peer_is_gone(session->peer, session->segment.shmid))
        errx(3, "the listener (PID %d) went away", (int)session->peer);
}

/* ---- one file ---- */

static void make_same_key(struct session *session, struct keys *shared, const struct options *options)
{
    char *path = realpath(options->file, NULL);
    if (!path)
        err(1, "realpath(\"%s\")", options->file);
    explain("make the key of the same file under its full name: ftok looks at the file, not at the "
            "name");
    key_t key = sys_ftok(path, options->project);
    explain("ask for 256 more than the project: only the lowest 8 bits of it go into the key");
    key_t folded = sys_ftok(path, options->project + 256);
    key_t other = sys_ftok(path, options->project ^ 128);
    check(folded == key && other != key, "project %d: key %#x, project %d: %#x, project %d: %#x",
          options->project, (unsigned)key, options->project + 256, (unsigned)folded,
          options->project ^ 128, (unsigned)other);
    free(path);
    publish(&shared->key, key);
    session_advance(session, KEYS_SAME_FILE);
}

/* ---- a missing file, a replaced file ---- */

static void meet_by_accident(struct session *session, struct keys *shared, const char *file)
{
    int theirs = observe(&shared->shmid);
    if (theirs != -1) {
        char missing[KEYS_PATH + 16];
        snprintf(missing, sizeof missing, "%s.absent", file);
        explain("make a key of another file that is not there, and do not check, either");
        key_t key = sys_ftok(missing, 2);
        int found = sys_shmget(key, 0, 0);
        if (found == -1)
            look_after(session);
        check(
            key == -1 && found == theirs,
            "another missing file and project: key %#x leads to segment %d (the listener's is %d)",
            (unsigned)key, found, theirs);
    }
    session_advance(session, KEYS_ACCIDENT);
}

static void lose(struct session *session, struct keys *shared, const char *file)
{
    session_await(session, KEYS_FILE);
    int theirs = observe(&shared->shmid), project = observe(&shared->project);
    explain("find the listener's segment by the file's name");
    key_t before = sys_ftok(file, project);
    int found = sys_shmget(before, 0, 0);
    if (found == -1)
        look_after(session);
    check(found == theirs, "by its file: key %#x leads to segment %d (the listener's is %d)",
          (unsigned)before, found, theirs);
    session_advance(session, KEYS_FOUND);

    session_await(session, KEYS_RECREATED);
    explain("do the same again: the name is the same, but the file is another, and so is the key");
    key_t after = sys_ftok(file, project);
    found = sys_shmget(after, 0, 0);
    check(after != before && found != theirs, "by the same name: key %#x, and behind it %s",
          (unsigned)after, found == -1 ? calls_error_name(errno) : "another segment");
}

/* ---- two files with the same key ---- */

enum { SEARCH_SECONDS = 4 };

static struct {
    key_t key;
    ino_t inode;
    char *path;
} seen[1 << 16]; /* by the lower half of the key */

static char twins[2][KEYS_PATH];
static long files_seen;
static time_t search_began;

/* nftw(3) calls it for each file, as long as it returns 0. */
static int compare(const char *path, const struct stat *about, int type, struct FTW *where)
{
    (void)where;
    ending_obey();
    if (time(NULL) > search_began + SEARCH_SECONDS)
        return 1;
    key_t key = type == FTW_F && strlen(path) < KEYS_PATH ? ftok(path, 1) : -1;
    if (key == -1)
        return 0;
    files_seen++;
    size_t at = (size_t)key & 0xffff;
    if (!seen[at].path) {
        seen[at].key = key;
        seen[at].inode = about->st_ino;
        seen[at].path = strdup(path);
    } else if (seen[at].key == key && seen[at].inode != about->st_ino) {
        strcpy(twins[0], seen[at].path);
        strcpy(twins[1], path);
        return 1;
    }
    return 0;
}

static void find_twins(struct session *session, struct keys *shared)
{
    explain("search for two files with one key: only 16 bits of an inode number go into it");
    search_began = time(NULL);
    static const char *const trees[] = {"/etc", "/usr", "/"};
    for (size_t i = 0; i < sizeof trees / sizeof *trees && twins[0][0] == '\0'; i++)
        nftw(trees[i], compare, 16, FTW_PHYS | FTW_MOUNT);
    if (twins[0][0] != '\0') {
        say("found two among %ld files: %s and %s", files_seen, twins[0], twins[1]);
        memcpy(shared->twins, twins, sizeof twins);
    } else {
        say("skipped: no two of the %ld files looked at have the same key", files_seen);
    }
    session_advance(session, KEYS_TWINS);
}

/* Reads as somebody would who does not ask whose segment it is. */
static void read_blindly(const struct segment *stranger)
{
    const char *text = sys_shmat(stranger->shmid, NULL, SHM_RDONLY);
    if (text == (void *)-1)
        err(1, "shmat(%d, NULL, SHM_RDONLY)", stranger->shmid);
    check(stranger->size >= KEYS_TEXT && text[0] != '\0', "who does not ask reads \"%.*s\"",
          KEYS_TEXT, text);
    if (sys_shmdt(text) == -1)
        err(1, "shmdt(%p)", (const void *)text);
}

static void meet_stranger(struct session *session, struct keys *shared)
{
    session_await(session, KEYS_STRANGER);
    if (twins[0][0] != '\0') {
        int project = observe(&shared->project);
        explain("make the key of each: the listener has created a segment with that of the first");
        key_t one = sys_ftok(twins[0], project), two = sys_ftok(twins[1], project);
        check(one != -1 && one == two, "their keys: %#x and %#x", (unsigned)one, (unsigned)two);

        explain("look what the key of the second leads to: a segment, and its magic is not ours");
        struct segment found;
        enum segment_state state = segment_find(&found, two);
        if (state == SEGMENT_GONE)
            look_after(session);
        check(found.shmid == observe(&shared->shmid) && state == SEGMENT_FOREIGN,
              "behind it segment %d, %s: %s", found.shmid,
              state == SEGMENT_FOREIGN ? "foreign" : "not foreign", found.why);
        read_blindly(&found);
    }
    session_advance(session, KEYS_REFUSED);
}

/* ---- no key at all ---- */

static void create_privately(struct session *session, struct keys *shared)
{
    session_await(session, KEYS_PRIVATE);
    int theirs = observe(&shared->shmid);
    explain("IPC_PRIVATE here as well, and even without IPC_CREAT: it creates, and never finds");
    int ours = sys_shmget(IPC_PRIVATE, segment_size(KEYS_TEXT), 0600);
    if (ours == -1)
        err(1, "shmget(IPC_PRIVATE, %zu, 0600)", segment_size(KEYS_TEXT));
    segment_remove_at_exit(ours);
    check(ours != theirs, "IPC_PRIVATE here: segment %d (the listener's last is %d)", ours, theirs);
    session_advance(session, KEYS_DONE);
}

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    struct keys *shared = session_join(&session, &options, KEYS_LESSON, sizeof *shared);
    make_same_key(&session, shared, &options);
    session_await(&session, KEYS_NO_FILE);
    char file[KEYS_PATH];
    memcpy(file, shared->file, sizeof file);
    file[sizeof file - 1] = '\0';
    meet_by_accident(&session, shared, file);
    lose(&session, shared, file);
    find_twins(&session, shared);
    meet_stranger(&session, shared);
    create_privately(&session, shared);
    session_part(&session);
    return program_end();
}
