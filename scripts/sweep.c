/* sweep.c - says of each segment or object whether it is ours and stale; see scripts/sweep.
 *
 *     build/sweep list ID|NAME...      only says so
 *     build/sweep remove ID|NAME...    also removes those that are ours and stale
 *
 * A segment is removed by the id that was classified, never by its key; a POSIX object by its name,
 * while that leads to what was classified.
 */
#include "../common/pairs/posix.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int parse_shmid(const char *text)
{
    char *end;
    errno = 0;
    long shmid = strtol(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || errno != 0 || shmid > INT_MAX)
        errx(2, "'%s' is not a shmid", text);
    return (int)shmid;
}

/* ---- segments ---- */

/* Returns whether all that should be done was done. */
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
        if (segment_remove(&segment) == -1 && errno != EINVAL && errno != EIDRM) {
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
        printf("left %d: its creator, PID %d, is dead, but somebody has it attached\n", shmid,
               (int)segment.creator);
        return true;
    case SEGMENT_FOREIGN:
        printf("left %d: foreign, %s\n", shmid, segment.why);
        return true;
    }
    return false;
}

/* ---- POSIX objects ---- */

/* Whether another process has it open, as the one that is making it has. Where nobody can tell:
 * yes. */
static bool is_open(const struct object *object)
{
    struct stat ours, theirs;
    char self[32];
    glob_t all;
    if (fstat(object->fd, &ours) == -1 || glob("/proc/[0-9]*/fd/*", GLOB_NOSORT, NULL, &all) != 0)
        return true;
    snprintf(self, sizeof self, "/proc/%d/", (int)getpid());
    bool found = false;
    for (size_t i = 0; i < all.gl_pathc && !found; i++)
        found = strncmp(all.gl_pathv[i], self, strlen(self)) != 0 &&
                stat(all.gl_pathv[i], &theirs) == 0 && theirs.st_ino == ours.st_ino &&
                theirs.st_dev == ours.st_dev;
    globfree(&all);
    return found;
}

/* One whose creator was killed before it had said who it is. */
static bool is_unfinished(const struct object *object)
{
    return object->state == SEGMENT_UNBORN && object->creator == 0 && !is_open(object);
}

/* Returns whether all that should be done was done. */
static bool sweep_stale_object(const struct object *object, bool remove)
{
    char whose[64] = "it was left behind unfinished";
    if (object->creator != 0)
        snprintf(whose, sizeof whose, "PID %d %s it behind", (int)object->creator,
                 remove ? "had left" : "left");
    if (remove && object_remove(object) == -1 && errno != ENOENT && errno != EBUSY) {
        warn("shm_unlink(\"%s\")", object->name);
        return false;
    }
    printf("%s %s: %s\n", remove ? "removed" : "stale", object->name, whose);
    return true;
}

/* The same for an object. The kernel does not count who has it mapped, as it does for a segment. */
static bool sweep_object(const char *name, bool remove)
{
    struct object object = {.fd = sys_shm_open(name, O_RDWR, 0)};
    if (object.fd == -1 && errno == ENOENT)
        return true;
    snprintf(object.name, sizeof object.name, "%s", name);
    enum segment_state state = object_classify(&object, sizeof(struct posix));
    bool done = true;
    if (state == SEGMENT_STALE || is_unfinished(&object))
        done = sweep_stale_object(&object, remove);
    else if (state == SEGMENT_FOREIGN)
        printf("left %s: foreign, %s\n", name, object.why);
    else if (state != SEGMENT_GONE && object.creator == 0)
        printf("left %s: it is being made\n", name);
    else if (state != SEGMENT_GONE)
        printf("left %s: in use by PID %d\n", name, (int)object.creator);
    if (object.fd != -1)
        sys_close(object.fd);
    return done;
}

static bool sweep(const char *what, bool remove)
{
    return *what == '/' ? sweep_object(what, remove) : sweep_segment(parse_shmid(what), remove);
}

int main(int argc, char **argv)
{
    bool remove = argc > 1 && strcmp(argv[1], "remove") == 0;
    if (argc < 2 || (!remove && strcmp(argv[1], "list") != 0))
        errx(2, "usage: sweep list|remove [ID|NAME...]");
    bool done = true;
    for (int i = 2; i < argc; i++)
        done = sweep(argv[i], remove) && done;
    return done && fflush(stdout) == 0 ? 0 : 1;
}
