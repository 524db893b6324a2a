/* posix_shm.c - one POSIX shared memory object's life; see posix_shm.h. */
#include "posix_shm.h"
#include "calls.h"
#include "exits.h"
#include "peer.h"
#include "wait.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void posix_shm_name(char name[POSIX_SHM_NAME], key_t key)
{
    snprintf(name, POSIX_SHM_NAME, "/shmtalk-%08x", (unsigned)key);
}

/* ---- who has it ---- */

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
    return maps == PEER_MAPS_IT || maps == PEER_MAPS_UNREADABLE;
}

bool posix_shm_is_gone(const struct posix_shm *object, pid_t peer)
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

/* Reads the magic, the lesson and the creator through a mapping of its own. */
static enum segment_state read_head(struct posix_shm *object)
{
    const struct object_head *head =
        sys_mmap(NULL, object->size, PROT_READ, MAP_SHARED, object->fd, 0);
    if (head == MAP_FAILED) {
        snprintf(object->why, sizeof object->why, "mmap: %s", strerror(errno));
        return SEGMENT_FOREIGN;
    }
    uint32_t magic = atomic_load_explicit(&head->head.magic, memory_order_acquire);
    object->creator = atomic_load(&head->creator);
    object->lesson = head->head.lesson;
    if (sys_munmap((void *)head, object->size) == -1)
        warn("munmap(%p, %zu)", (const void *)head, object->size);

    if (magic != 0 && magic != SEGMENT_MAGIC)
        return foreign(object, "its magic is %#lx", magic);
    if (magic == 0 && object->creator == 0)
        return SEGMENT_UNBORN;
    if (posix_shm_is_gone(object, object->creator))
        return SEGMENT_STALE;
    return magic == 0 ? SEGMENT_UNBORN : SEGMENT_LIVE;
}

static enum segment_state classify(struct posix_shm *object, size_t bytes)
{
    struct stat about;
    object->creator = 0;
    object->why[0] = '\0';
    if (object->fd == -1 || sys_fstat(object->fd, &about) == -1) {
        snprintf(object->why, sizeof object->why, "%s", strerror(errno));
        return SEGMENT_FOREIGN;
    }
    object->inode = about.st_ino;
    object->size = (size_t)about.st_size;
    if (about.st_nlink == 0)
        return SEGMENT_GONE;
    if (about.st_uid != geteuid())
        return foreign(object, "its owner is uid %lu", about.st_uid);
    if (object->size == 0)
        return SEGMENT_UNBORN;
    if (object->size != bytes)
        return foreign(object, "its size is %lu bytes", object->size);
    return read_head(object);
}

enum segment_state posix_shm_classify(struct posix_shm *object, size_t bytes)
{
    return object->state = classify(object, bytes);
}

/* ---- remove ---- */

/* Removes the name, if it still leads to this object. Returns 0, or -1 with errno (ENOENT: it does
 * not). */
static int unlink_its(const struct posix_shm *object)
{
    struct stat about;
    int fd = sys_shm_open(object->name, O_RDONLY, 0);
    if (fd == -1)
        return -1;
    bool its = sys_fstat(fd, &about) == 0 && about.st_ino == object->inode;
    int removed = its ? sys_shm_unlink(object->name) : -1;
    int why = its ? errno : ENOENT;
    sys_close(fd); /* and with it goes the lock, if we have one */
    errno = why;
    return removed;
}

/* shm_unlink takes a name, and no descriptor: between our look and our shm_unlink the name could
 * come to lead to a new object. So whoever removes a stale one locks it first (where objects can be
 * locked), and only then looks whether the name still leads to it. */
int posix_shm_remove(const struct posix_shm *object)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(object->fd, F_SETLK, &whole) == -1 && (errno == EAGAIN || errno == EACCES)) {
        errno = EBUSY;
        return -1;
    }
    return unlink_its(object);
}

/* Whether posix_shm_remove failed only because others were faster. */
static bool others_removed_it(void)
{
    return errno == ENOENT || errno == EBUSY;
}

static void say_recovered(const struct posix_shm *object)
{
    if (object->creator == 0)
        warnx("recovered: removed %s, which was left behind unfinished", object->name);
    else
        warnx("recovered: removed %s, which PID %d left behind", object->name,
              (int)object->creator);
}

/* An object without its creator's PID is about to get it; or its creator was killed just then, and
 * nobody can tell who that was. So it gets a second. (A listener that is stepped through these
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
        bool unfinished = object.state == SEGMENT_UNBORN && object.creator == 0;
        bool stale = object.state == SEGMENT_STALE || (unfinished && wait.ticks > UNFINISHED_TICKS);
        if (!stale && !unfinished && object.state != SEGMENT_GONE)
            posix_shm_refuse(&object);
        bool removed = stale && posix_shm_remove(&object) == 0;
        if (stale && !removed && !others_removed_it())
            err(EXIT_FAILED, "shm_unlink(\"%s\") of a stale object", name);
        sys_close(object.fd);
        if (removed)
            say_recovered(&object);
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
        posix_shm_remove(&left) == -1 && !others_removed_it())
        warn("shm_unlink(\"%s\"): remove it by hand", object->name);
    sys_close(left.fd);
}

/* What this process must remove. A child that inherits it by fork must not. */
static struct {
    pid_t owner;
    struct posix_shm object;
} owned;

static void clean_up(void)
{
    if (owned.owner == getpid() && unlink_its(&owned.object) == -1 && errno != ENOENT)
        warn("shm_unlink(\"%s\"): remove it by hand", owned.object.name);
}

void posix_shm_remove_at_exit(struct posix_shm *object)
{
    struct stat about;
    if (sys_fstat(object->fd, &about) == -1)
        err(EXIT_FAILED, "fstat(%d)", object->fd);
    object->inode = about.st_ino;
    if (atexit(clean_up) != 0)
        errx(EXIT_FAILED, "atexit: no room for another function");
    owned.object = *object;
    owned.owner = getpid();
}

void posix_shm_forget(void)
{
    owned.owner = 0;
}

/* ---- refuse ---- */

_Noreturn void posix_shm_refuse(const struct posix_shm *object)
{
    static const char elsewhere[] = "choose another --project or --file";
    if (object->state == SEGMENT_FOREIGN)
        errx(EXIT_FAILED, "%s belongs to somebody else (%s), left as it is: %s", object->name,
             object->why, elsewhere);
    errx(EXIT_BUSY, "busy: PID %d is listening on %s: %s", (int)object->creator, object->name,
         elsewhere);
}
