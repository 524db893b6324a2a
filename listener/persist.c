/* persist.c (listener) - a POSIX object is a file in memory, and it stays until it is unlinked.
 *
 * We create an object and leave it: we unmap it and close it. Then the talker comes, writes a text
 * into it, and leaves it as well. Now no process has the object, but it is still there, with the
 * text. A segment lives as long. But ipcs lists segments only: an object is a file (on Linux, in
 * /dev/shm), and ls lists it.
 *
 *     listener                                talker
 *     creates, looks around, closes, MADE -->
 *                                         <-- opens by name, writes, closes, WRITTEN
 *     opens again, reads, unlinks, UNLINKED ->
 *                                             finds nothing
 *
 *     $ build/listener-persist                $ build/talker-persist "Remember me"
 *
 * If a signal kills us in between, the object stays: the next listener, or scripts/sweep, removes
 * it.
 *
 * Level: beyond; 3 minutes; after posix, lifetime
 * Question: Does ipcs list a POSIX shared memory object?
 * Answer: no. An object is a file: on Linux, ls /dev/shm lists it.
 * Shown by: of ours before, and lists
 */
#include "../common/layout/persist.h"
#include "../common/lesson.h"
#include "../common/posix_shm.h"
#include "../common/session.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>

static const struct program program = {
    .name = "listener-persist",
    .about = "Creates a POSIX object, leaves it, and finds there what the talker wrote.",
    .question = "Does ipcs list a POSIX shared memory object?",
    .values = PERSIST_VALUES};

enum { SIZE = sizeof(struct posix) };

static void create(struct posix_shm *object);
static void look_around(const struct posix_shm *object, int before);
static int segments_of_ours(void);
static void read_again(const struct posix_shm *object);

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    session_open(&session, &options, PERSIST_LESSON, sizeof(struct persist));
    session_await_talker(&session);
    int before = segments_of_ours();
    if (before == -1)
        session_skip(&session, "this system shows neither segments nor objects as Linux does");

    struct posix_shm object;
    posix_shm_name(object.name, session.segment.key);
    create(&object);
    look_around(&object, before);
    explain("Close it: now no process has it mapped or open.");
    if (sys_close(object.fd) == -1)
        err(EXIT_FAILED, "close(%d)", object.fd);
    session_advance(&session, PERSIST_MADE);

    session_await(&session, PERSIST_WRITTEN);
    read_again(&object);
    explain("Remove the name: only this ends the life of an object.");
    if (sys_shm_unlink(object.name) == -1)
        err(EXIT_FAILED, "shm_unlink(\"%s\")", object.name);
    int fd = sys_shm_open(object.name, O_RDWR, 0);
    check(fd == -1 && errno == ENOENT, "after shm_unlink, shm_open: %s",
          fd == -1 ? calls_error_name(errno) : "still there");
    session_advance(&session, PERSIST_UNLINKED);
    session_part(&session);
    return program_end();
}

static void create(struct posix_shm *object)
{
    explain("Create a new object, give it a size, and reserve its memory.");
    posix_shm_clear(object->name, SIZE);
    object->fd = sys_shm_open(object->name, O_RDWR | O_CREAT | O_EXCL, 0600);
    if (object->fd == -1)
        err(errno == EEXIST ? EXIT_BUSY : EXIT_FAILED, "shm_open(\"%s\", O_CREAT | O_EXCL)",
            object->name);
    posix_shm_own(object);
    if (sys_ftruncate(object->fd, SIZE) == -1)
        err(EXIT_FAILED, "ftruncate(%d, %d)", object->fd, SIZE);
    while ((errno = sys_posix_fallocate(object->fd, 0, SIZE)) == EINTR)
        ;
    if (errno != 0)
        err(EXIT_FAILED,
            "cannot reserve memory (see \"df /dev/shm\"): posix_fallocate(%d, 0, %d) of %s",
            object->fd, SIZE, object->name);
}

/* Where an object can be seen, and where not. */
static void look_around(const struct posix_shm *object, int before)
{
    explain("Look where an object can be seen: as a file, and not among the segments.");
    char path[64];
    struct stat ours, named;
    snprintf(path, sizeof path, "/dev/shm%s", object->name);
    if (sys_fstat(object->fd, &ours) == -1)
        err(EXIT_FAILED, "fstat(%d)", object->fd);
    if (stat(path, &named) == -1)
        err(EXIT_FAILED, "stat(\"%s\")", path);
    check(ours.st_ino == named.st_ino, "descriptor %d is the file %s, of %lld bytes", object->fd,
          path, (long long)ours.st_size);
    int after = segments_of_ours();
    if (after == -1)
        err(EXIT_FAILED, "cannot count the segments: fopen(\"/proc/sysvipc/shm\")");
    check(after == before, "ipcs listed %d segment of ours before, and lists %d now", before,
          after);
}

/* How many segments ipcs lists that we have created. -1: the system does not say. */
static int segments_of_ours(void)
{
    char line[256];
    int count = 0, creator;
    FILE *segments = fopen("/proc/sysvipc/shm", "re");
    if (!segments)
        return -1;
    while (fgets(line, sizeof line, segments))
        count += sscanf(line, "%*s %*s %*s %*s %d", &creator) == 1 && creator == getpid();
    fclose(segments);
    return count;
}

static void read_again(const struct posix_shm *object)
{
    explain("Open it by its name again, and read what is there.");
    int fd = sys_shm_open(object->name, O_RDONLY, 0);
    if (fd == -1)
        err(EXIT_FAILED, "shm_open(\"%s\", O_RDONLY)", object->name);
    const struct posix *shared = sys_mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, 0);
    if (shared == MAP_FAILED)
        err(EXIT_FAILED, "mmap(NULL, %d, PROT_READ, MAP_SHARED, %d, 0)", SIZE, fd);
    char text[POSIX_TEXT];
    copy_text_out(text, shared->text, sizeof text);
    check(*text != '\0', "left by both, %s still holds: %s", object->name, text);
    if (sys_munmap((void *)shared, SIZE) == -1)
        err(EXIT_FAILED, "munmap(%p, %d)", (const void *)shared, SIZE);
    if (sys_close(fd) == -1)
        err(EXIT_FAILED, "close(%d)", fd);
}
