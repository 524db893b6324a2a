/* sweep.c - says of each segment named by its id whether it is ours and stale; see scripts/sweep.
 *
 *     build/sweep list ID...      only says it
 *     build/sweep remove ID...    and removes those that are ours and stale
 *
 * A segment is removed by the id that was classified, never by its key.
 */
#include "../common/segment.h"

#include <err.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int parse_shmid(const char *text)
{
    char *end;
    errno = 0;
    long shmid = strtol(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || errno != 0 || shmid > INT_MAX)
        errx(2, "'%s' is not a shmid", text);
    return (int)shmid;
}

/* Returns whether all that should be done was done. */
static bool sweep(int shmid, bool remove)
{
    struct segment segment = {.shmid = shmid};
    int creator;
    switch (segment_classify(&segment)) {
    case SEGMENT_GONE:
        return true;
    case SEGMENT_STALE:
        creator = (int)segment.creator;
        if (!remove) {
            printf("stale %d: PID %d left it behind\n", shmid, creator);
            return true;
        }
        if (segment_remove(&segment) == -1 && errno != EINVAL && errno != EIDRM) {
            warn("shmctl(%d, IPC_RMID)", shmid);
            return false;
        }
        printf("removed %d: PID %d had left it behind\n", shmid, creator);
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

int main(int argc, char **argv)
{
    bool remove = argc > 1 && strcmp(argv[1], "remove") == 0;
    if (argc < 2 || (!remove && strcmp(argv[1], "list") != 0))
        errx(2, "usage: sweep list|remove [ID...]");
    bool done = true;
    for (int i = 2; i < argc; i++)
        done = sweep(parse_shmid(argv[i]), remove) && done;
    return done && fflush(stdout) == 0 ? 0 : 1;
}
