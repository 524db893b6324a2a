/* keys.c (listener) - ftok makes the key from the file's inode, so the same name may give another
 * key.
 *
 * ftok(3) makes a key of 8 bits of the project id, 8 bits of the device number, and 16 bits of the
 * inode number. Two processes that name the same file get the same key. A file that was replaced
 * under the same name has another inode, and so gives another key. For a missing file ftok fails
 * with -1. A program that does not check this uses -1 as a key, and it works by accident.
 *
 *     listener                                 talker
 *                                   <-------   makes our key from our file, SAME_FILE
 *     creates with -1, NO_FILE      ------->   finds it with another -1, ACCIDENT
 *     creates with a file, FILE     ------->   finds it by the file's name, FOUND
 *     replaces the file, RECREATED  ------->   makes another key from the same name, LOST
 *
 *     $ build/listener-keys                    $ build/talker-keys
 *
 * Level: first steps; 4 minutes; after handshake
 * Question: A file is replaced by another one of the same name. Does ftok still give the same key?
 * Answer: no. ftok looks at the inode, and the new file has another one.
 * Shown by: by the same name: key *, and behind it ENOENT
 */
#include "../common/layout/keys.h"
#include "../common/lesson.h"
#include "../common/session.h"

#include <fcntl.h>
#include <stdio.h>

static const char *const points[] = {"accident", "recreated", NULL};

static const struct program program = {
    .name = "listener-keys",
    .about = "Creates segments with the keys of a missing file, a file, and the file's successor.",
    .question = "A file is replaced by another one of the same name. Does ftok still give the same "
                "key?",
    .points = points,
    .values = KEYS_VALUES};

static void name_file(const struct options *options);
static void try_without_file(struct session *session, struct keys *shared);
static void replace_file(struct session *session, struct keys *shared);

static char file[KEYS_PATH], new_file[KEYS_PATH + 16];

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    struct keys *shared = session_open(&session, &options, KEYS_LESSON, sizeof *shared);
    name_file(&options);
    session_await_talker(&session);

    session_await(&session, KEYS_SAME_FILE);
    int key = observe(&shared->key);
    check(key == session.segment.key, "the same file: our key %#x, the talker's %#x",
          (unsigned)session.segment.key, (unsigned)key);

    copy_text_in(shared->file, file, sizeof shared->file);
    try_without_file(&session, shared);
    replace_file(&session, shared);
    session_part(&session);
    return program_end();
}

/* Chooses names beside the key file that no other listener uses: no other has its file and project.
 */
static void name_file(const struct options *options)
{
    char *path = realpath(options->file, NULL);
    if (!path)
        err(EXIT_FAILED, "realpath(\"%s\")", options->file);
    if (snprintf(file, sizeof file, "%s.keys%d", path, options->project) >= KEYS_PATH)
        errx(EXIT_FAILED, "\"%s\": this path is too long for the segment", path);
    snprintf(new_file, sizeof new_file, "%s.new", file);
    free(path);
}

/* ---- a missing file ---- */

/* Removes what a killed listener has left with this key. Returns -1 where another process has it.
 */
static int create(key_t key)
{
    const size_t size = segment_size(1);
    int shmid = sys_shmget(key, size, IPC_CREAT | IPC_EXCL | 0600);
    bool taken = shmid == -1 && errno == EEXIST;
    struct segment left;
    if (taken && segment_find(&left, key) == SEGMENT_STALE && segment_remove(&left) == 0) {
        shmid = sys_shmget(key, size, IPC_CREAT | IPC_EXCL | 0600);
        taken = shmid == -1 && errno == EEXIST;
    }
    if (shmid != -1)
        segment_remove_at_exit(shmid);
    else if (!taken)
        err(EXIT_FAILED, "shmget(%#x, %zu, IPC_CREAT | IPC_EXCL | 0600)", (unsigned)key, size);
    return shmid;
}

static void destroy(int shmid)
{
    if (sys_shmctl(shmid, IPC_RMID, NULL) == -1)
        err(EXIT_FAILED, "shmctl(%d, IPC_RMID)", shmid);
}

static void try_without_file(struct session *session, struct keys *shared)
{
    explain("Make a key from a missing file: ftok fails, and careless code does not check that.");
    key_t key = sys_ftok(file, 1);
    check(key == -1 && errno == ENOENT, "no file: ftok returns %d, %s", (int)key,
          calls_error_name(errno));

    explain("Use -1 as a key all the same: for shmget it is a key like any other, 0xffffffff.");
    int shmid = create(key);
    if (shmid == -1)
        print_line("skipped: another process uses the key %#x at the moment", (unsigned)key);
    publish(&shared->shmid, shmid);
    trace_point("accident");
    session_advance(session, KEYS_NO_FILE);
    session_await(session, KEYS_ACCIDENT);
    if (shmid != -1)
        destroy(shmid);
}

/* ---- a file, and its successor ---- */

static void remove_files(void)
{
    unlink(file);
    unlink(new_file);
}

/* What a killed listener has left is empty and of this user. Any other file stays (O_EXCL). */
static void remove_left(const char *path)
{
    struct stat about;
    if (lstat(path, &about) == 0 && S_ISREG(about.st_mode) && about.st_size == 0 &&
        about.st_uid == geteuid())
        unlink(path);
}

static ino_t make_file(const char *path)
{
    struct stat about;
    remove_left(path);
    int fd = open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd == -1 || fstat(fd, &about) == -1 || close(fd) == -1)
        err(EXIT_FAILED, "cannot create a key file: open(\"%s\", O_CREAT | O_EXCL)", path);
    return about.st_ino;
}

/* Takes the first project whose key is free: a talker that knows both can find the segment. */
static int create_by_file(struct keys *shared)
{
    int shmid = -1, project = 0;
    while (shmid == -1 && project < 255) {
        key_t key = sys_ftok(file, ++project);
        if (key == -1)
            err(EXIT_FAILED, "ftok(\"%s\", %d)", file, project);
        shmid = create(key);
    }
    if (shmid == -1)
        errx(EXIT_FAILED, "all 255 keys of \"%s\" are in use", file);
    publish(&shared->shmid, shmid);
    publish(&shared->project, project);
    return shmid;
}

static void replace_file(struct session *session, struct keys *shared)
{
    explain("Create a segment with the key of a file: a process that knows the file can find it.");
    ino_t first = make_file(file);
    if (atexit(remove_files) != 0)
        errx(EXIT_FAILED, "atexit: no room for another function");
    int shmid = create_by_file(shared);
    session_advance(session, KEYS_FILE);
    session_await(session, KEYS_FOUND);

    explain("Replace the file, as an editor or an upgrade does: the same name, another inode.");
    ino_t second = make_file(new_file);
    if (rename(new_file, file) == -1)
        err(EXIT_FAILED, "rename(\"%s\", \"%s\")", new_file, file);
    check(first != second, "replaced the file: its inode was %ju, and is %ju", (uintmax_t)first,
          (uintmax_t)second);
    trace_point("recreated");
    session_advance(session, KEYS_RECREATED);
    session_await(session, KEYS_LOST);
    destroy(shmid);
}
