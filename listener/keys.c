/* keys.c (listener) - a key is 32 bits of a file: the same for the same file, and not only for it.
 *
 * ftok(3) makes a key of 8 bits of the project id, 8 of the device, and 16 of the inode number. So
 * two processes that name the same file get the same key; but a file that was replaced gives
 * another, a missing one gives -1 to everybody, and among some thousands of files two have the
 * same. A key leads to a segment, and never says whose: that is what the magic number is for.
 *
 *     listener                                talker
 *                                  <-------   makes our key of our file, SAME_FILE
 *     creates with -1, NO_FILE     ------->   finds it with another -1, ACCIDENT
 *     creates by a file, FILE      ------->   finds it by the file, FOUND
 *     replaces the file, RECREATED ------->   makes another key of it; finds two files, TWINS
 *     creates by the one, STRANGER ------->   finds a stranger by the other, REFUSED
 *     creates privately, PRIVATE   ------->   creates privately, DONE
 *
 *     $ build/listener-keys                   $ build/talker-keys
 *
 * Question: Can two different files give the same key?
 */
#include "../common/layout/keys.h"
#include "../common/lesson.h"
#include "../common/session.h"
#include "../common/ending.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

static const char *const points[] = {"accident", "recreated", "stranger", "private", NULL};

static const struct program program = {
    .name = "listener-keys",
    .about = "Creates segments with keys that are the same, missing, changed, shared and private.",
    .points = points,
};

/* ---- a file of our own ---- */

static char scratch[KEYS_PATH], replacement[KEYS_PATH + 16];

/* A name beside the key file that is ours alone, as the key is: it holds the project. */
static void name_scratch(const struct options *options)
{
    char *path = realpath(options->file, NULL);
    if (!path || strlen(path) + 32 > KEYS_PATH)
        errx(1, "\"%s\": its path cannot be told, or is too long", options->file);
    snprintf(scratch, sizeof scratch, "%s.keys%d", path, options->project);
    free(path);
}

static ino_t make_file(const char *path)
{
    struct stat about;
    int fd = open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd == -1 || fstat(fd, &about) == -1)
        err(1, "open(\"%s\")", path);
    close(fd);
    return about.st_ino;
}

static void remove_files(void)
{
    unlink(scratch);
    unlink(replacement);
}

/* ---- segments for the talker to find ---- */

/* Removes what a killed listener has left at the key. Returns -1 where anybody else has it. */
static int create(key_t key)
{
    struct segment left;
    size_t size = segment_size(KEYS_TEXT);
    int shmid = sys_shmget(key, size, IPC_CREAT | IPC_EXCL | 0600);
    if (shmid == -1 && errno == EEXIST && segment_find(&left, key) == SEGMENT_STALE) {
        segment_remove(&left);
        shmid = sys_shmget(key, size, IPC_CREAT | IPC_EXCL | 0600);
    }
    if (shmid != -1)
        segment_remove_at_exit(shmid);
    else if (errno != EEXIST)
        err(1, "shmget(%#x, %zu, IPC_CREAT | IPC_EXCL | 0600)", (unsigned)key, size);
    return shmid;
}

/* Creates by `file`, with the first project whose key is free: who knows both can find it. */
static int create_by(struct keys *shared, const char *file)
{
    int shmid = -1, project = 0;
    while (shmid == -1 && project < 255) {
        key_t key = sys_ftok(file, ++project);
        if (key == -1)
            err(1, "ftok(\"%s\", %d)", file, project);
        shmid = create(key);
    }
    if (shmid == -1)
        errx(1, "all 255 keys of \"%s\" are taken", file);
    publish(&shared->shmid, shmid);
    publish(&shared->project, project);
    return shmid;
}

static void destroy(int shmid)
{
    if (sys_shmctl(shmid, IPC_RMID, NULL) == -1)
        err(1, "shmctl(%d, IPC_RMID)", shmid);
    segment_forget(shmid);
}

/* ---- a missing file ---- */

static void try_without_file(struct session *session, struct keys *shared)
{
    char missing[KEYS_PATH + 16];
    snprintf(missing, sizeof missing, "%s.missing", scratch);
    explain("make a key of a file that is not there: ftok fails, and lazy code does not check");
    key_t key = sys_ftok(missing, 1);
    check(key == -1 && errno == ENOENT, "no file: ftok returns %d, %s", (int)key,
          calls_error_name(errno));

    explain("use -1 as a key all the same: to shmget it is a key like any other, 0xffffffff");
    int shmid = create(key);
    if (shmid == -1)
        say("skipped: key %#x is taken by somebody else at the moment", (unsigned)key);
    publish(&shared->shmid, shmid);
    trace_point("accident");
    session_advance(session, KEYS_NO_FILE);
    session_await(session, KEYS_ACCIDENT);
    if (shmid != -1)
        destroy(shmid);
}

/* ---- a file that is replaced ---- */

static void replace_file(struct session *session, struct keys *shared)
{
    explain("create with the key of a file: whoever knows the file finds the segment");
    snprintf(replacement, sizeof replacement, "%s.new", scratch);
    atexit(remove_files);
    ino_t first = make_file(scratch);
    int shmid = create_by(shared, scratch);
    session_advance(session, KEYS_FILE);
    session_await(session, KEYS_FOUND);

    explain("replace the file, as an editor or an upgrade does: the same path, another inode");
    ino_t second = make_file(replacement);
    if (rename(replacement, scratch) == -1)
        err(1, "rename(\"%s\", \"%s\")", replacement, scratch);
    check(first != second, "replaced the file: its inode was %ju, and is %ju", (uintmax_t)first,
          (uintmax_t)second);
    trace_point("recreated");
    session_advance(session, KEYS_RECREATED);
    session_await(session, KEYS_TWINS);
    destroy(shmid);
    remove_files();
}

/* ---- two files with the same key ---- */

/* Leaves at the key of `file` a segment that does not look like one of ours. */
static int leave_stranger(struct keys *shared, const char *file)
{
    explain("be a stranger at the key of one twin, with a text where we have the magic number");
    int shmid = create_by(shared, file);
    char *text = sys_shmat(shmid, NULL, 0);
    if (text == (void *)-1)
        err(1, "shmat(%d, NULL, 0)", shmid);
    strcpy(text, "a stranger's text");
    if (sys_shmdt(text) == -1)
        err(1, "shmdt(%p)", (void *)text);
    return shmid;
}

static void be_a_stranger(struct session *session, struct keys *shared)
{
    char file[KEYS_PATH];
    memcpy(file, shared->twins[0], sizeof file);
    file[sizeof file - 1] = '\0';
    int shmid = file[0] != '\0' ? leave_stranger(shared, file) : -1;
    trace_point("stranger");
    session_advance(session, KEYS_STRANGER);
    session_await(session, KEYS_REFUSED);
    if (shmid != -1)
        destroy(shmid);
}

/* ---- no key at all ---- */

static void create_privately(struct session *session, struct keys *shared)
{
    explain("IPC_PRIVATE is not a key: it asks for a new segment, every time");
    int one = create(IPC_PRIVATE), two = create(IPC_PRIVATE);
    check(one != two, "IPC_PRIVATE twice: segments %d and %d", one, two);
    publish(&shared->shmid, two);
    trace_point("private");
    session_advance(session, KEYS_PRIVATE);
    session_await(session, KEYS_DONE);
    destroy(one);
    destroy(two);
}

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    struct keys *shared = session_open(&session, &options, KEYS_LESSON, sizeof *shared);
    name_scratch(&options);
    memcpy(shared->file, scratch, sizeof scratch);
    session_await_talker(&session);

    session_await(&session, KEYS_SAME_FILE);
    check(observe(&shared->key) == session.segment.key, "the same file: our key %#x, the talker's %#x",
          (unsigned)session.segment.key, observe(&shared->key));
    try_without_file(&session, shared);
    replace_file(&session, shared);
    be_a_stranger(&session, shared);
    create_privately(&session, shared);
    session_part(&session);
    return program_end();
}
