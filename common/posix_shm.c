/* posix_shm.c - one POSIX shared memory object's life; see posix_shm.h. */
#include "posix_shm.h"
#include "calls.h"
#include "exits.h"
#include "listed.h"
#include "peer.h"
#include "program.h"
#include "wait.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const char elsewhere[] = "choose another --project or --file";

void posix_shm_name(char name[POSIX_SHM_NAME], key_t key)
{
    snprintf(name, POSIX_SHM_NAME, "/shmtalk-%08x", (unsigned)key);
}

/* ---- who has it ---- */

/* The owner locks the first byte. A process that removes a stale object locks the second. */
enum { OWNERS_BYTE, REMOVERS_BYTE };

static struct flock lock_of(int byte)
{
    return (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
}

static enum peer_maps maps_object(const struct posix_shm *object, pid_t pid)
{
    char path[sizeof "/dev/shm" + POSIX_SHM_NAME];
    snprintf(path, sizeof path, "/dev/shm%s", object->name);
    return peer_maps(pid, path, (unsigned long)object->inode);
}

bool posix_shm_has_mapped(const struct posix_shm *object, pid_t pid)
{
    if (pid <= 0 || pid == getpid() || sys_kill(pid, 0) == -1)
        return false;
    enum peer_maps maps = maps_object(object, pid);
    return (maps == PEER_MAPS_IT || maps == PEER_MAPS_UNREADABLE) && peer_is_of_this_user(pid);
}

bool posix_shm_is_gone(pid_t peer, const void *object)
{
    enum peer_maps maps = maps_object(object, peer);
    return maps == PEER_MAPS_NOT || (maps != PEER_MAPS_IT && !peer_is_alive(peer));
}

/* ---- classify ---- */

static enum segment_state foreign(struct posix_shm *object, const char *format, unsigned long value)
{
    snprintf(object->why, sizeof object->why, format, value);
    return SEGMENT_FOREIGN;
}

static enum segment_state unreadable(struct posix_shm *object, const char *call)
{
    snprintf(object->why, sizeof object->why, "%s: %s", call, strerror(errno));
    return SEGMENT_FOREIGN;
}

static enum segment_state of_another_user(struct posix_shm *object, uid_t owner)
{
    object->is_anothers = true;
    listed_append_owner(object->why, sizeof object->why, owner);
    return SEGMENT_FOREIGN;
}

/* The mode of an object may deny us shm_open. Where objects are files, one still sees whose it is.
 */
static enum segment_state classify_unopened(struct posix_shm *object)
{
    int error = errno;
    struct stat about;
    char path[sizeof "/dev/shm" + POSIX_SHM_NAME];
    snprintf(path, sizeof path, "/dev/shm%s", object->name);
    if (error == EACCES && stat(path, &about) == 0 && about.st_uid != geteuid())
        return of_another_user(object, about.st_uid);
    errno = error;
    return unreadable(object, "shm_open");
}

/* Reads the magic and the lesson through a mapping of its own. The owner has locked the object
 * before it stored anything. */
static enum segment_state read_head(struct posix_shm *object)
{
    const struct segment_head *head =
        sys_mmap(NULL, object->size, PROT_READ, MAP_SHARED, object->fd, 0);
    if (head == MAP_FAILED)
        return unreadable(object, "mmap");
    uint32_t magic = atomic_load_explicit(&head->magic, memory_order_acquire);
    object->lesson = head->lesson;
    if (sys_munmap((void *)head, object->size) == -1)
        warn("munmap(%p, %zu)", (const void *)head, object->size);

    if (magic != 0 && magic != SEGMENT_MAGIC)
        return foreign(object, "its magic is %#lx", magic);
    if (!object->owned)
        return SEGMENT_STALE;
    return magic == 0 ? SEGMENT_UNBORN : SEGMENT_LIVE;
}

/* Without memory of its own (st_blocks) the object is not read: in a full /dev/shm that is SIGBUS.
 */
static enum segment_state classify(struct posix_shm *object, size_t bytes)
{
    struct stat about;
    struct flock lock = lock_of(OWNERS_BYTE);
    object->owned = false;
    object->owner = 0;
    object->why[0] = '\0';
    object->is_anothers = false;
    if (object->fd == -1)
        return classify_unopened(object);
    if (sys_fstat(object->fd, &about) == -1)
        return unreadable(object, "fstat");
    object->inode = about.st_ino;
    object->size = (size_t)about.st_size;
    if (about.st_nlink == 0)
        return SEGMENT_GONE;
    if (about.st_uid != geteuid())
        return of_another_user(object, about.st_uid);
    if (fcntl(object->fd, F_GETLK, &lock) == -1)
        return unreadable(object, "fcntl(F_GETLK)");
    object->owned = lock.l_type != F_UNLCK;
    object->owner = object->owned ? lock.l_pid : 0;
    if (object->size != 0 && object->size != bytes)
        return foreign(object, "its size is %lu bytes", object->size);
    return object->size == 0 || about.st_blocks == 0 ? SEGMENT_UNBORN : read_head(object);
}

enum segment_state posix_shm_classify(struct posix_shm *object, size_t bytes)
{
    return object->state = classify(object, bytes);
}

pid_t posix_shm_listener(struct posix_shm *object, uint32_t lesson, size_t bytes)
{
    enum segment_state state = posix_shm_classify(object, bytes);
    if (state == SEGMENT_FOREIGN)
        posix_shm_refuse(object);
    if (state != SEGMENT_LIVE)
        errx(EXIT_NO_PEER, "no listener has %s: start %s first", object->name,
             program_other_name());
    if (object->lesson != lesson)
        errx(EXIT_FAILED, "%s belongs to the listener of another lesson: start its talker, or %s",
             object->name, elsewhere);
    if (object->owner <= 0)
        errx(EXIT_FAILED,
             "the listener on %s is in another PID namespace: no signal of ours can reach it",
             object->name);
    return object->owner;
}

/* ---- remove ---- */

/* Removes the name, if it still leads to this object. Returns 0, or -1 with errno (ENOENT: it does
 * not). Closing the descriptor also releases our locks on the object: that comes last. */
static int unlink_its(const struct posix_shm *object)
{
    struct stat about;
    int fd = sys_shm_open(object->name, O_RDONLY, 0);
    if (fd == -1)
        return -1;
    bool its = sys_fstat(fd, &about) == 0 && about.st_ino == object->inode;
    int removed = its ? sys_shm_unlink(object->name) : -1;
    int why = its ? errno : ENOENT;
    if (sys_close(fd) == -1)
        warn("close(%d) of %s", fd, object->name);
    errno = why;
    return removed;
}

/* shm_unlink takes a name, and no descriptor. Between our look and our shm_unlink the name could
 * come to lead to a new object. So a process locks the stale object first, and only then looks
 * whether the name still leads to it. */
int posix_shm_remove(const struct posix_shm *object)
{
    struct flock lock = lock_of(REMOVERS_BYTE);
    if (fcntl(object->fd, F_SETLK, &lock) == -1) {
        if (errno == EAGAIN || errno == EACCES)
            errno = EBUSY;
        return -1;
    }
    return unlink_its(object);
}

/* Whether posix_shm_remove failed only because another process was faster. */
static bool another_removed_it(void)
{
    return errno == ENOENT || errno == EBUSY;
}

/* An empty object that is not locked was created this moment, and is about to be locked. Or its
 * creator was killed just then. So it gets a second. (A listener that is stepped through these
 * calls may take longer, and lose its object to another one on the same key.) */
void posix_shm_clear(const char *name, size_t bytes)
{
    enum { UNFINISHED_TICKS = 20 };
    struct wait wait = {0};
    for (;;) {
        struct posix_shm object = {.fd = sys_shm_open(name, O_RDWR, 0)};
        if (object.fd == -1 && errno == ENOENT)
            return;
        snprintf(object.name, sizeof object.name, "%s", name);
        posix_shm_classify(&object, bytes);
        bool unfinished = object.state == SEGMENT_UNBORN && !object.owned;
        bool stale = object.state == SEGMENT_STALE || (unfinished && wait.ticks > UNFINISHED_TICKS);
        if (!stale && !unfinished && object.state != SEGMENT_GONE)
            posix_shm_refuse(&object);
        bool removed = stale && posix_shm_remove(&object) == 0;
        if (stale && !removed && !another_removed_it())
            err(EXIT_FAILED, "cannot remove a stale object: shm_unlink(\"%s\")", name);
        if (sys_close(object.fd) == -1)
            err(EXIT_FAILED, "close(%d) of %s", object.fd, name);
        if (removed)
            warnx("recovered: removed %s, which a killed listener left behind", name);
        else
            wait_tick(&wait);
    }
}

void posix_shm_survive(const struct posix_shm *object)
{
    struct posix_shm left = *object;
    left.fd = sys_shm_open(object->name, O_RDWR, 0);
    if (left.fd == -1)
        return;
    if (posix_shm_classify(&left, object->size) == SEGMENT_STALE && left.inode == object->inode &&
        posix_shm_remove(&left) == -1 && !another_removed_it())
        warn("remove /dev/shm%s by hand: shm_unlink(\"%s\")", object->name, object->name);
    if (sys_close(left.fd) == -1)
        warn("close(%d) of %s", left.fd, object->name);
}

/* ---- own, and remove at exit ---- */

/* What this process must remove. A child that inherits it by fork must not. */
static struct {
    pid_t owner;
    struct posix_shm object;
} owned;

/* To see whose object it is takes a descriptor, and there may be no more of them. stdin is needed
 * no longer. */
static void clean_up(void)
{
    close(STDIN_FILENO);
    if (owned.owner == getpid() && unlink_its(&owned.object) == -1 && errno != ENOENT)
        warn("remove /dev/shm%s by hand: shm_unlink(\"%s\")", owned.object.name, owned.object.name);
}

void posix_shm_own(struct posix_shm *object)
{
    struct stat about;
    struct flock lock = lock_of(OWNERS_BYTE);
    if (fcntl(object->fd, F_SETLK, &lock) == -1)
        err(EXIT_FAILED, "fcntl(%d, F_SETLK) of %s", object->fd, object->name);
    if (fchmod(object->fd, 0600) == -1)
        err(EXIT_FAILED, "fchmod(%d, 0600) of %s", object->fd, object->name);
    if (sys_fstat(object->fd, &about) == -1)
        err(EXIT_FAILED, "fstat(%d) of %s", object->fd, object->name);
    object->inode = about.st_ino;
    if (atexit(clean_up) != 0)
        errx(EXIT_FAILED, "atexit: no room for another function");
    owned.object = *object;
    owned.owner = getpid();
}

/* ---- refuse ---- */

_Noreturn void posix_shm_refuse(const struct posix_shm *object)
{
    if (object->state == SEGMENT_FOREIGN && object->is_anothers)
        errx(EXIT_FAILED, "%s is another user's object (%s): it cannot be used, %s", object->name,
             object->why, elsewhere);
    if (object->state == SEGMENT_FOREIGN)
        errx(EXIT_FAILED, "%s is foreign (%s): it was not changed, %s", object->name, object->why,
             elsewhere);
    if (object->owner <= 0)
        errx(EXIT_BUSY, "busy: a process of another PID namespace is listening on %s: %s",
             object->name, elsewhere);
    errx(EXIT_BUSY, "busy: PID %d is listening on %s: %s", (int)object->owner, object->name,
         elsewhere);
}
