/* segment.c - one segment's life; see segment.h. */
#define IN_COMMON
#include "segment.h"
#include "wakeup.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifndef SHM_DEST
#define SHM_DEST 01000 /* Linux: marked for destruction (shmctl(2)) */
#endif

/* Every segment of ours has a size of REMAINDER more than a multiple of MODULUS. */
enum { MODULUS = 4096, REMAINDER = 4001 };

static const char elsewhere[] = "choose another --project or --file";

size_t segment_size(size_t bytes)
{
    size_t pages = bytes <= REMAINDER ? 0 : (bytes - REMAINDER + MODULUS - 1) / MODULUS;
    return pages * MODULUS + REMAINDER;
}

/* Makes the key file where it is missing. The tick may interrupt an open that takes its time. */
static bool make_file(const char *file)
{
    int fd;
    do
        fd = open(file, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    while (fd == -1 && errno == EINTR);
    if (fd == -1)
        return errno == EEXIST;
    close(fd);
    return true;
}

key_t segment_key(const char *file, int project, bool create)
{
    if (create && !make_file(file))
        return -1;
    return sys_ftok(file, project);
}

/* ---- cleanup ---- */

/* What this process must remove. A child that inherits the table by fork must not. */
static struct {
    pid_t owner;
    int shmid[8];
    size_t count;
} owned;

static struct segment *attached;

static void clean_up(void)
{
    if (owned.owner != getpid())
        return;
    if (attached)
        segment_detach(attached);
    while (owned.count > 0)
        if (sys_shmctl(owned.shmid[--owned.count], IPC_RMID, NULL) == -1 && errno != EINVAL &&
            errno != EIDRM)
            warn("shmctl(%d, IPC_RMID): remove it by hand, \"ipcrm -m %d\"",
                 owned.shmid[owned.count], owned.shmid[owned.count]);
}

/* The first thing that a process creates or attaches registers the cleanup. */
static void own(void)
{
    if (owned.owner == getpid())
        return;
    owned.owner = getpid();
    owned.count = 0;
    if (atexit(clean_up) != 0)
        errx(1, "atexit: no room for another function");
}

void segment_remove_at_exit(int shmid)
{
    own();
    if (owned.count == sizeof owned.shmid / sizeof *owned.shmid)
        errx(1, "more than %zu segments to remove at exit", owned.count);
    owned.shmid[owned.count++] = shmid;
}

void segment_forget(int shmid)
{
    for (size_t i = 0; i < owned.count; i++)
        if (owned.shmid[i] == shmid)
            owned.shmid[i] = owned.shmid[--owned.count];
}

/* What could not be removed stays on the list: it is tried again at exit. */
int segment_remove(struct segment *segment)
{
    int result = sys_shmctl(segment->shmid, IPC_RMID, NULL);
    if (result == 0 || errno == EINVAL || errno == EIDRM)
        segment_forget(segment->shmid);
    return result;
}

/* ---- attach, detach ---- */

int segment_side(void)
{
    return strcmp(narrate_side(), "talker") == 0 ? SEGMENT_TALKER : SEGMENT_LISTENER;
}

int segment_attach(struct segment *segment)
{
    void *address = sys_shmat(segment->shmid, NULL, 0);
    if (address == (void *)-1)
        return -1;
    own();
    segment->head = address;
    attached = segment;
    narrate_stops_to(&segment->head->stopped[segment_side()]);
    return 0;
}

void segment_detach(struct segment *segment)
{
    narrate_stops_to(NULL);
    attached = NULL;
    if (segment->head && sys_shmdt(segment->head) == -1)
        warn("shmdt(%p)", (void *)segment->head);
    segment->head = NULL;
}

/* ---- classify ---- */

static enum segment_state foreign(struct segment *segment, const char *format, unsigned long value)
{
    snprintf(segment->why, sizeof segment->why, format, value);
    return SEGMENT_FOREIGN;
}

/* Reads the magic, the lesson and the version through an attachment of its own. */
static enum segment_state read_head(struct segment *segment, bool creator_alive, bool others)
{
    const struct segment_head *head = sys_shmat(segment->shmid, NULL, SHM_RDONLY);
    if (head == (void *)-1) {
        if (errno == EINVAL || errno == EIDRM)
            return SEGMENT_GONE;
        snprintf(segment->why, sizeof segment->why, "shmat(%d, NULL, SHM_RDONLY): %s",
                 segment->shmid, strerror(errno));
        return SEGMENT_FOREIGN;
    }
    uint32_t magic = atomic_load_explicit(&head->magic, memory_order_acquire);
    segment->lesson = head->lesson;
    segment->version = head->version;
    if (sys_shmdt(head) == -1)
        warn("shmdt(%p)", (const void *)head);

    if (magic != 0 && magic != SEGMENT_MAGIC)
        return foreign(segment, "its magic is %#lx", magic);
    if (creator_alive && magic == 0)
        return SEGMENT_UNBORN;
    /* A listener has its segment attached from the magic to its end: a process that is alive under
     * the creator's PID and has not is another one, which got the same number. */
    if (creator_alive && !wakeup_is_detached(segment->creator, segment->shmid))
        return SEGMENT_LIVE;
    return others ? SEGMENT_ORPHANED : SEGMENT_STALE;
}

static enum segment_state classify(struct segment *segment)
{
    struct shmid_ds about;
    segment->why[0] = '\0';
    if (sys_shmctl(segment->shmid, IPC_STAT, &about) == -1) {
        if (errno == EINVAL || errno == EIDRM)
            return SEGMENT_GONE;
        snprintf(segment->why, sizeof segment->why, "shmctl(%d, IPC_STAT): %s", segment->shmid,
                 strerror(errno));
        return SEGMENT_FOREIGN;
    }
    segment->size = about.shm_segsz;
    segment->creator = about.shm_cpid;
    if (about.shm_perm.mode & SHM_DEST)
        return SEGMENT_GONE;
    if (about.shm_perm.uid != geteuid())
        return foreign(segment, "its owner is uid %lu", about.shm_perm.uid);
    if (about.shm_perm.cuid != geteuid())
        return foreign(segment, "its creator is uid %lu", about.shm_perm.cuid);
    if (about.shm_segsz % MODULUS != REMAINDER)
        return foreign(segment, "its size is %lu bytes", about.shm_segsz);
    return read_head(segment, wakeup_alive(about.shm_cpid), about.shm_nattch > 0);
}

enum segment_state segment_classify(struct segment *segment)
{
    return segment->state = classify(segment);
}

enum segment_state segment_find(struct segment *segment, key_t key)
{
    *segment = (struct segment){.key = key, .shmid = sys_shmget(key, 0, 0)};
    if (segment->shmid != -1)
        return segment_classify(segment);
    if (errno != ENOENT) {
        snprintf(segment->why, sizeof segment->why, "shmget(%#x, 0, 0): %s", (unsigned)key,
                 strerror(errno));
        return segment->state = SEGMENT_FOREIGN;
    }
    return segment->state = SEGMENT_GONE;
}

/* We knew that it is ours before we attached it. It is not attached once more to look: of several
 * survivors, each would see the attachment of another, and leave the segment to it.
 *
 * A dead process's attachments count until the kernel has taken its memory apart. That comes after
 * its maps are empty, and is put off while somebody reads its /proc/PID/stat or maps; so we give it
 * some moments. Other survivors do not hold us up: they detach before they wait like this. */
bool segment_survive(struct segment *segment)
{
    enum { MOMENTS = 50 };
    static const struct timespec a_moment = {0, 1000000};
    struct shmid_ds about;
    segment_detach(segment);
    for (int moments = 0;; moments++) {
        if (sys_shmctl(segment->shmid, IPC_STAT, &about) == -1 || about.shm_perm.mode & SHM_DEST)
            return moments > 0;
        if (moments == 0 && wakeup_alive(segment->creator) &&
            !wakeup_is_detached(segment->creator, segment->shmid))
            return false;
        if (about.shm_nattch == 0 || moments == MOMENTS)
            break;
        nanosleep(&a_moment, NULL);
    }
    if (about.shm_nattch == 0 && segment_remove(segment) == -1 && errno != EINVAL && errno != EIDRM)
        warn("shmctl(%d, IPC_RMID)", segment->shmid);
    return true;
}

/* ---- create ---- */

/* Clears the way for a new segment. Returns whether shmget is worth another try. */
static bool make_way(struct segment *segment, key_t key)
{
    enum { ORPHAN_TICKS = 20 };
    struct wakeup_wait wait = {0};

    while (segment_find(segment, key) == SEGMENT_ORPHANED && wait.ticks < ORPHAN_TICKS)
        wakeup_sleep(&wait); /* its talkers are about to notice, and to leave */

    if (segment->state == SEGMENT_STALE) {
        if (segment_remove(segment) == 0)
            warnx("recovered: removed segment %d, which PID %d left behind", segment->shmid,
                  (int)segment->creator);
        else if (errno != EINVAL && errno != EIDRM)
            err(1, "shmctl(%d, IPC_RMID) of a stale segment", segment->shmid);
    }
    return segment->state == SEGMENT_STALE || segment->state == SEGMENT_GONE;
}

void segment_clear(key_t key)
{
    struct segment segment;
    if (!make_way(&segment, key))
        segment_refuse(&segment);
}

int segment_create(struct segment *segment, key_t key, size_t bytes, int mode, uint32_t lesson,
                   uint32_t version)
{
    size_t size = segment_size(bytes);
    int shmid;
    *segment = (struct segment){.key = key, .shmid = -1, .state = SEGMENT_GONE};
    while ((shmid = sys_shmget(key, size, IPC_CREAT | IPC_EXCL | mode)) == -1) {
        if (errno != EEXIST)
            return -1;
        if (!make_way(segment, key))
            return -1;
    }
    segment_remove_at_exit(shmid);
    *segment = (struct segment){.key = key, .shmid = shmid, .size = size, .creator = getpid()};
    segment->state = SEGMENT_UNBORN;
    if (segment_attach(segment) == -1)
        err(1, "shmat(%d, NULL, 0)", shmid);
    segment->head->lesson = segment->lesson = lesson;
    segment->head->version = segment->version = version;
    return 0;
}

void segment_publish(struct segment *segment)
{
    segment->state = SEGMENT_LIVE;
    publish(&segment->head->magic, SEGMENT_MAGIC);
}

/* ---- refuse ---- */

static const char *way_out(int error)
{
    switch (error) {
    case ENOSPC:
        return ", no more segments or pages allowed (see ipcs -l): remove unused ones";
    case EINVAL:
        return ", larger than a segment may be (see ipcs -l): choose a smaller size";
    case ENOMEM:
        return ", more than there is free: choose a smaller size; or with huge pages, see "
               "HugePages_Free in /proc/meminfo, and as root: sysctl vm.nr_hugepages=N";
    case EPERM:
        return ", huge pages are for CAP_IPC_LOCK or one group: as root, sysctl "
               "vm.hugetlb_shm_group=GID";
    default:
        return "";
    }
}

void segment_expect(const struct segment *segment, uint32_t lesson, uint32_t version, size_t bytes)
{
    if (segment->lesson != lesson)
        errx(1, "shmid %d belongs to the listener of another lesson (PID %d): %s", segment->shmid,
             (int)segment->creator, elsewhere);
    if (segment->version != version)
        errx(1, "shmid %d is of version %lu, and this program knows %lu (listener: PID %d): %s",
             segment->shmid, (unsigned long)segment->version, (unsigned long)version,
             (int)segment->creator, elsewhere);
    if (segment->size < bytes)
        errx(1,
             "shmid %d has a size of %zu bytes, and this lesson takes %zu (listener: PID %d): %s",
             segment->shmid, segment->size, bytes, (int)segment->creator, elsewhere);
}

_Noreturn void segment_refuse(const struct segment *segment)
{
    unsigned key = (unsigned)segment->key;
    switch (segment->state) {
    case SEGMENT_UNBORN:
    case SEGMENT_LIVE:
        errx(4, "busy: PID %d is listening on key %#x (shmid %d): %s", (int)segment->creator, key,
             segment->shmid, elsewhere);
    case SEGMENT_ORPHANED:
        errx(4,
             "busy: key %#x (shmid %d) was created by PID %d, which is dead, but is still "
             "attached: end the process that holds it, or %s",
             key, segment->shmid, (int)segment->creator, elsewhere);
    case SEGMENT_FOREIGN:
        errx(1, "key %#x belongs to a foreign segment (shmid %d; %s), left as it is: %s", key,
             segment->shmid, segment->why, elsewhere);
    case SEGMENT_GONE:
    case SEGMENT_STALE:
        break;
    }
    err(1, "shmget(%#x, ..., IPC_CREAT | IPC_EXCL)%s", key, way_out(errno));
}
