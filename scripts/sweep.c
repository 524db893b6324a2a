/* sweep.c - prints what is ours and stale, and removes it if asked; see scripts/sweep.
 *
 *     build/sweep list THING...      only prints what each THING is
 *     build/sweep remove THING...    also removes those that are ours and stale
 *
 * A THING is one of
 *     ID           a segment, by its shmid
 *     sem:ID:KEY   a semaphore set, by its semid and key
 *     /NAME        a POSIX object
 *     fifo:PATH    a FIFO
 *
 * A segment or a semaphore set is removed by the id that was classified, never by its key. A POSIX
 * object is removed by its name, if the name still leads to the object that was classified.
 */
#include "../common/posix_shm.h"
#include "../common/segment.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <unistd.h>

static int parse_id(const char *text, const char *kind)
{
    char *end;
    errno = 0;
    long id = strtol(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || errno != 0 || id > INT_MAX)
        errx(2, "'%s' is not a %s", text, kind);
    return (int)id;
}

/* A process of another PID namespace may have no PID here. */
enum { ELSEWHERE = -1 };

static const char *spell_user(pid_t pid)
{
    static char text[64];
    if (pid <= 0)
        return "a process of another PID namespace";
    snprintf(text, sizeof text, "PID %d", (int)pid);
    return text;
}

/* ---- segments ---- */

/* Like all sweep_ functions: returns false if something could not be removed. */
static bool sweep_segment(int shmid, bool remove)
{
    struct segment segment = {.shmid = shmid};
    switch (segment_classify(&segment)) {
    case SEGMENT_GONE:
        return true;
    case SEGMENT_STALE:
        if (!remove) {
            printf("stale %d: PID %d left it behind\n", shmid, (int)segment.creator);
            return true;
        }
        if (segment_remove(&segment) == -1) {
            warn("shmctl(%d, IPC_RMID)", shmid);
            return false;
        }
        printf("removed %d: PID %d had left it behind\n", shmid, (int)segment.creator);
        return true;
    case SEGMENT_UNBORN:
    case SEGMENT_LIVE:
        printf("left %d: in use by PID %d\n", shmid, (int)segment.creator);
        return true;
    case SEGMENT_ORPHANED:
        printf("left %d: its creator, PID %d, is dead, but a process has it attached\n", shmid,
               (int)segment.creator);
        return true;
    case SEGMENT_ELSEWHERE:
        printf("left %d: in use by %s\n", shmid, spell_user(segment.creator));
        return true;
    case SEGMENT_FOREIGN:
        printf("left %d: foreign, %s\n", shmid, segment.why);
        return true;
    }
    return false;
}

/* ---- POSIX objects ---- */

/* True if another process has this file open, or if /proc does not say. */
static bool is_open_elsewhere(const struct stat *file)
{
    struct stat theirs;
    char self[32];
    glob_t all;
    if (glob("/proc/[0-9]*/fd/*", GLOB_NOSORT, NULL, &all) != 0)
        return true;
    snprintf(self, sizeof self, "/proc/%d/", (int)getpid());
    bool found = false;
    for (size_t i = 0; i < all.gl_pathc && !found; i++)
        found = strncmp(all.gl_pathv[i], self, strlen(self)) != 0 &&
                stat(all.gl_pathv[i], &theirs) == 0 && theirs.st_ino == file->st_ino &&
                theirs.st_dev == file->st_dev;
    globfree(&all);
    return found;
}

/* True if its creator was killed before it had locked it. A living creator has it open. */
static bool is_unfinished(const struct posix_shm *object)
{
    struct stat file;
    return object->state == SEGMENT_UNBORN && !object->owned && fstat(object->fd, &file) == 0 &&
           !is_open_elsewhere(&file);
}

static bool sweep_stale_object(const struct posix_shm *object, bool remove)
{
    if (remove && posix_shm_remove(object) == -1 && errno != ENOENT && errno != EBUSY) {
        warn("shm_unlink(\"%s\")", object->name);
        return false;
    }
    printf("%s %s: a killed listener %s it behind\n", remove ? "removed" : "stale", object->name,
           remove ? "had left" : "left");
    return true;
}

/* The kernel does not count which processes have an object mapped, as it does for a segment. */
static bool sweep_object(const char *name, bool remove)
{
    struct posix_shm object = {.fd = sys_shm_open(name, O_RDWR, 0)};
    if (object.fd == -1 && errno == ENOENT)
        return true;
    snprintf(object.name, sizeof object.name, "%s", name);
    enum segment_state state = posix_shm_classify(&object, sizeof(struct posix));
    bool done = true;
    if (state == SEGMENT_STALE || is_unfinished(&object))
        done = sweep_stale_object(&object, remove);
    else if (state == SEGMENT_FOREIGN)
        printf("left %s: foreign, %s\n", name, object.why);
    else if (state != SEGMENT_GONE && !object.owned)
        printf("left %s: it is being made\n", name);
    else if (state != SEGMENT_GONE && object.owner <= 0)
        printf("left %s: in use by a process of another PID namespace\n", name);
    else if (state != SEGMENT_GONE)
        printf("left %s: in use by PID %d\n", name, (int)object.owner);
    if (object.fd != -1)
        sys_close(object.fd);
    return done;
}

/* ---- what pingpong makes beside its segment: a semaphore set, or two FIFOs ---- */

/* Returns the PID of the listener that made the segment with this key, or ELSEWHERE; 0: there is no
 * such segment in use. The listener makes its segment first and removes it last, so a set or a FIFO
 * without a segment is stale. */
static pid_t user_of_key(key_t key)
{
    struct segment segment = {.shmid = shmget(key, 0, 0)};
    if (segment.shmid == -1)
        return 0;
    switch (segment_classify(&segment)) {
    case SEGMENT_UNBORN:
    case SEGMENT_LIVE:
    case SEGMENT_ORPHANED:
        return segment.creator;
    case SEGMENT_ELSEWHERE:
        return segment.creator ? segment.creator : ELSEWHERE;
    case SEGMENT_GONE:
    case SEGMENT_STALE:
    case SEGMENT_FOREIGN:
        return 0;
    }
    return 0;
}

/* The kernel does not say who made a set. Pingpong marks its sets by their number of semaphores
 * (see common/), of which it uses two. */
enum { SEMAPHORES = 41, USED_SEMAPHORES = 2 };

/* Returns the PID of a living process that was the last to use a semaphore of the set; 0: none. */
static pid_t user_of_set(int semid)
{
    for (int i = 0; i < USED_SEMAPHORES; i++) {
        pid_t pid = sys_semctl(semid, i, GETPID, (union sys_semun){0});
        if (pid > 0 && (kill(pid, 0) == 0 || errno == EPERM))
            return pid;
    }
    return 0;
}

/* POSIX has no name for the key in a struct semid_ds, so ipcs(1) or /proc has to say it. */
static bool sweep_set(const char *id_and_key, bool remove)
{
    char id[16];
    size_t length = strcspn(id_and_key, ":");
    snprintf(id, sizeof id, "%.*s", (int)length, id_and_key);
    int semid = parse_id(id, "semid");
    if (id_and_key[length] != ':')
        errx(2, "'%s' has no key", id_and_key);
    key_t key = (key_t)strtoll(id_and_key + length + 1, NULL, 0);
    struct semid_ds about;
    if (sys_semctl(semid, 0, IPC_STAT, (union sys_semun){.buf = &about}) == -1) {
        if (errno == EACCES)
            printf("left semaphore set %d: foreign, we may not read it\n", semid);
        else if (errno != EINVAL && errno != EIDRM)
            warn("semctl(%d, 0, IPC_STAT)", semid);
        return errno == EACCES || errno == EINVAL || errno == EIDRM;
    }
    if (about.sem_perm.uid != geteuid() || about.sem_perm.cuid != geteuid()) {
        printf("left semaphore set %d: foreign, it belongs to UID %lu\n", semid,
               (unsigned long)about.sem_perm.uid);
        return true;
    }
    if (about.sem_nsems != SEMAPHORES) {
        printf("left semaphore set %d: foreign, it has %lu semaphores\n", semid,
               (unsigned long)about.sem_nsems);
        return true;
    }
    if (semget(key, 0, 0) != semid) /* it was removed, or its key is IPC_PRIVATE */
        return true;
    pid_t user = user_of_key(key);
    if (user == 0)
        user = user_of_set(semid);
    if (user != 0) {
        printf("left semaphore set %d: in use by %s\n", semid, spell_user(user));
        return true;
    }
    if (remove && sys_semctl(semid, 0, IPC_RMID, (union sys_semun){0}) == -1 && errno != EINVAL &&
        errno != EIDRM) {
        warn("semctl(%d, 0, IPC_RMID)", semid);
        return false;
    }
    printf("%s semaphore set %d: a listener left it behind\n", remove ? "removed" : "stale", semid);
    return true;
}

/* A FIFO of pingpong has the name of the key file, the project of ftok, and the reader's side:
 * "shmfile.1.to-talker". Returns 0 if the name is another or if the key file is gone: nothing uses
 * a key without a file. */
static pid_t user_of_fifo(const char *path)
{
    char file[PATH_MAX], *project;
    int length = snprintf(file, sizeof file, "%s", path);
    if (length < 0 || (size_t)length >= sizeof file)
        return 0;
    *strrchr(file, '.') = '\0'; /* is_named_like_ours has checked both dots */
    project = strrchr(file, '.');
    *project++ = '\0';
    key_t key = ftok(file, atoi(project));
    return key == (key_t)-1 ? 0 : user_of_key(key);
}

static bool is_named_like_ours(const char *path)
{
    const char *name = strrchr(path, '/');
    const char *side = strrchr(path, '.');
    if (side == NULL || (strcmp(side, ".to-listener") != 0 && strcmp(side, ".to-talker") != 0))
        return false;
    const char *digit = side;
    while (digit > path && digit[-1] >= '0' && digit[-1] <= '9')
        digit--;
    long project = strtol(digit, NULL, 10);
    return digit > path + 1 && digit[-1] == '.' && (name == NULL || digit - 2 > name) &&
           side - digit <= 3 && project >= 1 && project <= 255;
}

/* Between the look at the key and unlink() a listener could start, and lose a FIFO. It has not
 * printed that it waits by then. */
static bool sweep_fifo(const char *path, bool remove)
{
    struct stat file;
    if (!is_named_like_ours(path) || lstat(path, &file) == -1)
        return true;
    if (!S_ISFIFO(file.st_mode)) {
        printf("left %s: foreign, it is not a FIFO\n", path);
        return true;
    }
    if (file.st_uid != geteuid()) {
        printf("left %s: foreign, it belongs to UID %lu\n", path, (unsigned long)file.st_uid);
        return true;
    }
    if (is_open_elsewhere(&file)) {
        printf("left %s: a process has it open\n", path);
        return true;
    }
    pid_t user = user_of_fifo(path);
    if (user != 0) {
        printf("left %s: in use by %s\n", path, spell_user(user));
        return true;
    }
    if (remove && unlink(path) == -1 && errno != ENOENT) {
        warn("unlink(\"%s\")", path);
        return false;
    }
    printf("%s %s: a listener left it behind\n", remove ? "removed" : "stale", path);
    return true;
}

/* ---- all of them ---- */

static bool sweep(const char *thing, bool remove)
{
    if (*thing == '/')
        return sweep_object(thing, remove);
    if (strncmp(thing, "sem:", 4) == 0)
        return sweep_set(thing + 4, remove);
    if (strncmp(thing, "fifo:", 5) == 0)
        return sweep_fifo(thing + 5, remove);
    return sweep_segment(parse_id(thing, "shmid"), remove);
}

int main(int argc, char **argv)
{
    bool remove = argc > 1 && strcmp(argv[1], "remove") == 0;
    if (argc < 2 || (!remove && strcmp(argv[1], "list") != 0))
        errx(2, "usage: sweep list|remove [ID|sem:ID:KEY|/NAME|fifo:PATH]...");
    bool done = true;
    for (int i = 2; i < argc; i++)
        done = sweep(argv[i], remove) && done;
    if (fflush(stdout) != 0 || ferror(stdout)) {
        warn("cannot write to stdout");
        done = false;
    }
    return done ? 0 : 1;
}
