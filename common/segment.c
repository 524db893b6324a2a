/* segment.c - a segment's life; see segment.h. */
#include "segment.h"
#include "ending.h"
#include "exits.h"
#include "listed.h"
#include "peer.h"
#include "program.h"
#include "text.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifndef SHM_DEST
#define SHM_DEST 01000 /* Linux: marked for destruction (shmctl(2)) */
#endif

enum { MODULUS = 4096, REMAINDER = 4001 };

static const char elsewhere[] = "choose another --project or --file";

size_t segment_size(size_t bytes)
{
    size_t pages = bytes <= REMAINDER ? 0 : (bytes - REMAINDER + MODULUS - 1) / MODULUS;
    return pages * MODULUS + REMAINDER;
}

bool segment_is_gone(void)
{
    return errno == EINVAL || errno == EIDRM;
}

/* ---- the key ---- */

/* The timer may interrupt an open that takes its time. */
void segment_make_file(const char *file)
{
    int fd;
    do
        fd = open(file, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    while (fd == -1 && errno == EINTR);
    if (fd == -1 && errno != EEXIST)
        err(EXIT_FAILED, "cannot create the key file: open(\"%s\", O_CREAT | O_EXCL)", file);
    if (fd != -1 && close(fd) == -1 && errno != EINTR) /* interrupted, it is closed as well */
        err(EXIT_FAILED, "close(\"%s\")", file);
}

key_t segment_key(const struct options *options)
{
    key_t key = sys_ftok(options->file, options->project);
    if (key == -1 && errno == ENOENT && program_is_talker())
        segment_no_listener(options, "start %s first", program_other_name());
    if (key == -1)
        err(EXIT_FAILED, "cannot make a key from the key file: ftok(\"%s\", %d)", options->file,
            options->project);
    return key;
}

/* ---- clean-up at exit ---- */

/* What this process must remove. A child that inherits the list by fork must not. */
static struct {
    pid_t owner;
    int shmid[8];
    size_t count;
} owned;

static const void *attached; /* where; NULL: nothing is */

static void clean_up(void)
{
    if (owned.owner != getpid())
        return;
    while (owned.count > 0) {
        int shmid = owned.shmid[--owned.count];
        if (sys_shmctl(shmid, IPC_RMID, NULL) == -1 && !segment_is_gone())
            warn("remove it by hand, \"ipcrm -m %d\": shmctl(%d, IPC_RMID)", shmid, shmid);
    }
    trace_stops_to(NULL);
    if (attached && sys_shmdt(attached) == -1)
        warn("shmdt(%p)", attached);
}

/* The first thing that a process creates or attaches registers the clean-up. */
static void own(void)
{
    if (owned.owner == getpid())
        return;
    owned.owner = getpid();
    owned.count = 0;
    calls_on_removal = segment_forget;
    if (atexit(clean_up) != 0)
        errx(EXIT_FAILED, "atexit: no room for another function");
}

void segment_remove_at_exit(int shmid)
{
    own();
    if (owned.count == sizeof owned.shmid / sizeof *owned.shmid)
        errx(EXIT_FAILED, "more than %zu segments to remove at exit", owned.count);
    owned.shmid[owned.count++] = shmid;
}

void segment_forget(int shmid)
{
    for (size_t i = 0; i < owned.count; i++)
        if (owned.shmid[i] == shmid)
            owned.shmid[i] = owned.shmid[--owned.count];
}

/* What could not be removed stays on the list: the program tries again at exit. */
int segment_remove(struct segment *segment)
{
    int result = sys_shmctl(segment->shmid, IPC_RMID, NULL);
    if (result == -1 && segment_is_gone()) {
        segment_forget(segment->shmid);
        return 0;
    }
    return result;
}

/* ---- attach, detach ---- */

int segment_attach(struct segment *segment)
{
    void *address = sys_shmat(segment->shmid, NULL, 0);
    if (address == (void *)-1)
        return -1;
    own();
    segment->head = address;
    attached = address;
    trace_stops_to(&segment->head->stopped[program_is_talker() ? SIDE_TALKER : SIDE_LISTENER]);
    return 0;
}

void segment_detach(struct segment *segment)
{
    trace_stops_to(NULL);
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

/* A process that began after the segment was made is another one, which got the creator's PID. */
static bool may_be_alive(const struct shmid_ds *about)
{
    return peer_is_alive(about->shm_cpid) && !peer_began_after(about->shm_cpid, about->shm_ctime);
}

/* So is one that has not attached it: a listener has its segment attached from shmat to its end. */
static bool is_creator_alive(const struct shmid_ds *about, int shmid)
{
    return may_be_alive(about) && !peer_is_detached(about->shm_cpid, shmid);
}

/* What the kernel says about a segment that looks like ours. The listener of another PID namespace
 * may have no PID for us to ask about, but as long as it lives it has its segment attached. */
static enum segment_state judge(const struct shmid_ds *about, int shmid)
{
    bool in_use = about->shm_nattch > 0;
    if (in_use && peer_is_elsewhere(about->shm_cpid))
        return SEGMENT_ELSEWHERE;
    if (is_creator_alive(about, shmid))
        return SEGMENT_LIVE;
    return in_use ? SEGMENT_ORPHANED : SEGMENT_STALE;
}

/* What ENOMEM from shmat means: a 64-bit program has room for any segment. */
#if UINTPTR_MAX <= UINT32_MAX
#define TOO_LARGE ": it is too large for a 32-bit program"
#else
#define TOO_LARGE ""
#endif

/* Reads the magic, the lesson and the version through an attachment of its own. */
static enum segment_state read_head(struct segment *segment, const struct shmid_ds *about)
{
    enum segment_state state = judge(about, segment->shmid);
    const struct segment_head *head = sys_shmat(segment->shmid, NULL, SHM_RDONLY);
    if (head == (void *)-1) {
        if (segment_is_gone())
            return SEGMENT_GONE;
        snprintf(segment->why, sizeof segment->why, "shmat(%d, NULL, SHM_RDONLY): %s%s",
                 segment->shmid, strerror(errno), errno == ENOMEM ? TOO_LARGE : "");
        return SEGMENT_FOREIGN;
    }
    uint32_t magic = atomic_load_explicit(&head->magic, memory_order_acquire);
    if (magic == SEGMENT_MAGIC) {
        segment->lesson = head->lesson;
        segment->version = head->version;
    }
    if (sys_shmdt(head) == -1)
        warn("shmdt(%p)", (const void *)head);

    if (magic == SEGMENT_MAGIC_SWAPPED)
        return foreign(
            segment, "its magic is %#lx: its creator ran on a processor with the other byte order",
            magic);
    if (magic != 0 && magic != SEGMENT_MAGIC)
        return foreign(segment, "its magic is %#lx", magic);
    return state == SEGMENT_LIVE && magic == 0 ? SEGMENT_UNBORN : state;
}

static enum segment_state of_another_user(struct segment *segment, uid_t owner)
{
    segment->is_anothers = true;
    listed_append_owner(segment->why, sizeof segment->why, owner);
    return SEGMENT_FOREIGN;
}

/* The mode of a segment may deny us IPC_STAT. The list of all segments still says whose it is. */
static enum segment_state classify_undescribed(struct segment *segment)
{
    int error = errno;
    struct listed listed;
    if (error == EACCES && listed_find(segment->shmid, &listed)) {
        segment->key = listed.key;
        if (listed.owner != geteuid())
            return of_another_user(segment, listed.owner);
    }
    snprintf(segment->why, sizeof segment->why, "shmctl(%d, IPC_STAT): %s", segment->shmid,
             strerror(error));
    return SEGMENT_FOREIGN;
}

static enum segment_state classify(struct segment *segment)
{
    struct shmid_ds about;
    segment->why[0] = '\0';
    segment->is_anothers = false;
    if (sys_shmctl(segment->shmid, IPC_STAT, &about) == -1)
        return segment_is_gone() ? SEGMENT_GONE : classify_undescribed(segment);
    if (segment->key == 0)
        segment->key = calls_key_of(&about);
    segment->size = about.shm_segsz;
    segment->creator = about.shm_cpid;
    if (about.shm_perm.mode & SHM_DEST)
        return SEGMENT_GONE;
    if (about.shm_perm.uid != geteuid())
        return of_another_user(segment, about.shm_perm.uid);
    if (about.shm_perm.cuid != geteuid())
        return foreign(segment, "its creator is uid %lu", about.shm_perm.cuid);
    if (about.shm_segsz % MODULUS != REMAINDER)
        return foreign(segment, "its size is %lu bytes", about.shm_segsz);
    /* Nothing has been attached yet. To attach it now would set shm_atime, and hide that. */
    if (about.shm_atime == 0 && about.shm_cpid == 0)
        return SEGMENT_ELSEWHERE;
    if (about.shm_atime == 0 && may_be_alive(&about))
        return SEGMENT_UNBORN;
    return read_head(segment, &about);
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

/* ---- survivors ---- */

bool segment_outlives_processes(void)
{
    FILE *setting = fopen("/proc/sys/kernel/shm_rmid_forced", "re");
    if (!setting)
        return true;
    int forced = fgetc(setting);
    fclose(setting);
    return forced != '1';
}

static void nap(long milliseconds)
{
    nanosleep(&(struct timespec){0, milliseconds * 1000000}, NULL);
    ending_obey();
}

/* We knew that it is ours before we attached it. We do not reattach to check: survivors would see
 * each other's attachments, and each would leave the segment to the other.
 *
 * The kernel counts a dead process's attachments until it has taken its memory apart. That comes
 * after its maps are empty, and is put off while a process reads its /proc/PID/stat or maps. So we
 * wait for some moments. */
bool segment_remove_if_left(int shmid, pid_t creator)
{
    enum { MOMENTS = 50 };
    struct shmid_ds about;
    for (int moments = 0;; moments++) {
        if (sys_shmctl(shmid, IPC_STAT, &about) == -1 || about.shm_perm.mode & SHM_DEST)
            return moments > 0;
        if (moments == 0 && peer_is_alive(creator) && !peer_is_detached(creator, shmid))
            return false;
        if (about.shm_nattch == 0 || moments == MOMENTS)
            break;
        nap(1);
    }
    if (about.shm_nattch == 0 && sys_shmctl(shmid, IPC_RMID, NULL) == -1 && !segment_is_gone())
        warn("remove it by hand, \"ipcrm -m %d\": shmctl(%d, IPC_RMID)", shmid, shmid);
    return true;
}

bool segment_survive(struct segment *segment)
{
    segment_detach(segment);
    return segment_remove_if_left(segment->shmid, segment->creator);
}

/* ---- create ---- */

/* Clears the way to a key. Returns whether shmget is worth another try. The talkers of a dead
 * listener notice its death and leave within moments. */
static bool make_way(struct segment *segment, key_t key)
{
    enum { MOMENTS = 20 };
    for (int moments = 0; segment_find(segment, key) == SEGMENT_ORPHANED && moments < MOMENTS;
         moments++)
        nap(50);

    if (segment->state == SEGMENT_STALE) {
        if (sys_shmctl(segment->shmid, IPC_RMID, NULL) == 0)
            warnx("recovered: removed segment %d, which PID %d left behind", segment->shmid,
                  (int)segment->creator);
        else if (!segment_is_gone())
            err(EXIT_FAILED, "cannot remove a stale segment: shmctl(%d, IPC_RMID)", segment->shmid);
    }
    return segment->state == SEGMENT_STALE || segment->state == SEGMENT_GONE;
}

/* Asks for the key alone first: most often no segment has it, and then that is all. */
void segment_clear(key_t key)
{
    struct segment segment;
    if (!make_way(&segment, key))
        segment_refuse(&segment);
}

static const char *way_out(int error)
{
    switch (error) {
    case ENOSPC:
        return ": as many segments or pages as allowed (ipcs -l) are in use: remove unused ones, "
               "\"ipcrm -m ID\"";
    case EINVAL:
        return ": larger than a segment may be (ipcs -l): choose a smaller size";
    case ENOMEM:
        return ": more memory than is free: choose a smaller size; for huge pages see "
               "HugePages_Free in /proc/meminfo, and as root: sysctl vm.nr_hugepages=N";
    case EPERM:
        return ": huge pages are for CAP_IPC_LOCK or one group: as root, sysctl "
               "vm.hugetlb_shm_group=GID";
    default:
        return "";
    }
}

static _Noreturn void fail_to_create(key_t key, size_t size)
{
    int error = errno;
    errx(EXIT_FAILED, "shmget(%#x, %zu, IPC_CREAT | IPC_EXCL): %s%s", (unsigned)key, size,
         strerror(error), way_out(error));
}

void segment_create(struct segment *segment, key_t key, size_t bytes, int flags, uint32_t lesson,
                    uint32_t version)
{
    size_t size = segment_size(bytes);
    int shmid;
    *segment = (struct segment){.key = key, .shmid = -1, .state = SEGMENT_GONE};
    while ((shmid = sys_shmget(key, size, IPC_CREAT | IPC_EXCL | flags)) == -1) {
        if (errno != EEXIST)
            fail_to_create(key, size);
        if (!make_way(segment, key))
            segment_refuse(segment);
    }
    segment_remove_at_exit(shmid);
    *segment = (struct segment){.key = key,
                                .shmid = shmid,
                                .size = size,
                                .creator = getpid(),
                                .state = SEGMENT_UNBORN,
                                .lesson = lesson,
                                .version = version};
    if (segment_attach(segment) == -1)
        err(EXIT_FAILED, "shmat(%d, NULL, 0)", shmid);
    segment->head->lesson = lesson;
    segment->head->version = version;
}

void segment_publish(struct segment *segment)
{
    segment->state = SEGMENT_LIVE;
    publish(&segment->head->magic, SEGMENT_MAGIC);
}

int segment_private(size_t bytes)
{
    int shmid = sys_shmget(IPC_PRIVATE, bytes, 0600);
    if (shmid == -1)
        err(EXIT_FAILED, "shmget(IPC_PRIVATE, %zu, 0600)", bytes);
    segment_remove_at_exit(shmid);
    return shmid;
}

/* ---- refuse ---- */

/* A lesson is known in a segment by four letters: "torn". Another program may have written others.
 */
static _Noreturn void refuse_lesson(const struct segment *segment)
{
    char letters[5] = "";
    for (int i = 0; i < 4; i++) {
        char letter = (char)(segment->lesson >> (24 - 8 * i) & 0xff);
        letters[i] = letter >= 'a' && letter <= 'z' ? letter : '?';
    }
    errx(EXIT_FAILED,
         "shmid %d belongs to another lesson (\"%s\", listener: PID %d): start its talker, or %s",
         segment->shmid, letters, (int)segment->creator, elsewhere);
}

void segment_expect(const struct segment *segment, uint32_t lesson, uint32_t version, size_t bytes)
{
    if (segment->lesson != lesson)
        refuse_lesson(segment);
    if (segment->version != version)
        errx(EXIT_FAILED,
             "shmid %d is of version %lu, and this program knows %lu (listener: PID %d): %s",
             segment->shmid, (unsigned long)segment->version, (unsigned long)version,
             (int)segment->creator, elsewhere);
    if (segment->size < bytes)
        errx(EXIT_FAILED,
             "shmid %d has a size of %zu bytes, and this lesson takes %zu (listener: PID %d): %s",
             segment->shmid, segment->size, bytes, (int)segment->creator, elsewhere);
}

pid_t segment_listener(int shmid, uint32_t lesson, uint32_t version, size_t bytes)
{
    struct segment segment = {.shmid = shmid};
    enum segment_state state = segment_classify(&segment);
    if (state == SEGMENT_FOREIGN || state == SEGMENT_ELSEWHERE)
        segment_refuse(&segment);
    if (state != SEGMENT_LIVE)
        errx(EXIT_NO_PEER, "no listener (shmid %d): start %s first", shmid, program_other_name());
    segment_expect(&segment, lesson, version, bytes);
    return segment.creator;
}

/* Signals from there cannot reach us, even where its creator has a PID here that we can signal. */
static _Noreturn void refuse_elsewhere(const struct segment *segment)
{
    char creator[40] = "no PID here";
    if (segment->creator)
        snprintf(creator, sizeof creator, "PID %d here", (int)segment->creator);
    if (program_is_talker())
        errx(EXIT_NO_PEER,
             "the listener of shmid %d (%s) runs in another PID namespace, and signals do not pass "
             "both ways: start both sides in one PID namespace",
             segment->shmid, creator);
    errx(EXIT_BUSY, "busy: key %#x (shmid %d) is in use in another PID namespace (creator: %s): %s",
         (unsigned)segment->key, segment->shmid, creator, elsewhere);
}

_Noreturn void segment_refuse(const struct segment *segment)
{
    unsigned key = (unsigned)segment->key;
    switch (segment->state) {
    case SEGMENT_UNBORN:
    case SEGMENT_LIVE:
        errx(EXIT_BUSY, "busy: PID %d is listening on key %#x (shmid %d): %s",
             (int)segment->creator, key, segment->shmid, elsewhere);
    case SEGMENT_ORPHANED:
        errx(EXIT_BUSY,
             "busy: key %#x (shmid %d) was created by PID %d, which is dead, but is still "
             "attached: end the process that holds it, or %s",
             key, segment->shmid, (int)segment->creator, elsewhere);
    case SEGMENT_ELSEWHERE:
        refuse_elsewhere(segment);
    case SEGMENT_FOREIGN:
        errx(EXIT_FAILED, "%s segment (shmid %d; %s) has key %#x: %s, %s",
             segment->is_anothers ? "another user's" : "a foreign", segment->shmid, segment->why,
             key, segment->is_anothers ? "it cannot be used" : "it was not changed", elsewhere);
    case SEGMENT_GONE:
    case SEGMENT_STALE:
        break;
    }
    errx(EXIT_FAILED, "no segment has key %#x any more: start again", key);
}

/* ---- no listener ---- */

static void append_place(char *text, size_t size, const struct options *options)
{
    char directory[PATH_MAX];
    text_append(text, size, "key file \"%s\"", options->file);
    if (*options->file != '/' && getcwd(directory, sizeof directory))
        text_append(text, size, " in %s", directory);
    text_append(text, size, ", project %d", options->project);
    if (access(options->file, F_OK) == -1 && errno == ENOENT)
        text_append(text, size, "; there is no such file");
}

/* A listener keeps its key when its key file goes. So one that was started where we were, for the
 * same project, may well be the one that was looked for. */
static void append_listener(char *text, size_t size, const struct listed *segment, int project)
{
    unsigned key = (unsigned)segment->key;
    char theirs[PATH_MAX], ours[PATH_MAX];
    text_append(text, size, " PID %d", (int)segment->creator);
    if (!listed_directory(segment->creator, theirs, sizeof theirs)) {
        text_append(text, size, " (key %#x)", key);
        return;
    }
    bool is_here = getcwd(ours, sizeof ours) && strcmp(ours, theirs) == 0;
    bool is_suspect = is_here && (int)(key >> 24) == project;
    text_append(text, size, " in %s (key %#x%s)", is_here ? "this directory" : theirs, key,
                is_suspect ? ": its key file was deleted or replaced, or has another name" : "");
}

static void append_listeners(char *text, size_t size, int project)
{
    const char *before = "; other listeners of yours:";
    struct listed segment;
    FILE *list = listed_open();
    while (list && listed_next(list, &segment)) {
        if (segment.key == 0 || segment.size % MODULUS != REMAINDER || segment.owner != geteuid() ||
            !peer_is_listed(segment.creator))
            continue;
        text_append(text, size, "%s", before);
        append_listener(text, size, &segment, project);
        before = ",";
    }
    if (list)
        fclose(list);
}

static const char *place_of(const struct options *options)
{
    static char text[2 * PATH_MAX];
    append_place(text, sizeof text, options);
    append_listeners(text, sizeof text, options->project);
    return text;
}

_Noreturn void segment_no_listener(const struct options *options, const char *start, ...)
{
    char command[2 * PATH_MAX];
    va_list arguments;
    va_start(arguments, start);
    vsnprintf(command, sizeof command, start, arguments);
    va_end(arguments);
    errx(EXIT_NO_PEER, "no listener (%s): %s", place_of(options), command);
}

_Noreturn void segment_no_listener_in_time(const struct options *options)
{
    errx(EXIT_NO_PEER, "no listener within %g s (%s): gave up", options->timeout,
         place_of(options));
}
