/* collision.c (talker) - finds two files with the same key, and a stranger's segment behind it.
 *
 * The other half of listener/collision.c, which tells the story and is started first.
 *
 *     $ build/listener-collision               $ build/talker-collision
 */
#include "../common/layout/collision.h"
#include "../common/ending.h"
#include "../common/lesson.h"
#include "../common/peer.h"
#include "../common/session.h"

#include <ftw.h>
#include <time.h>

static const struct program program = {
    .name = "talker-collision",
    .about = "Finds two files with the same key, and the segment of a stranger behind that key.",
    .values = COLLISION_VALUES};

static void find_twins(struct session *session);
static void refuse_the_stranger(struct session *session, struct collision *shared);
static void read_without_checking(const struct segment *stranger);

static char first[COLLISION_PATH], second[COLLISION_PATH];

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    struct collision *shared = session_join(&session, &options, COLLISION_LESSON, sizeof *shared);

    explain("Search for two files with one key: only 16 bits of an inode number go into it.");
    find_twins(&session);
    copy_text_in(shared->first, first, sizeof shared->first);
    session_advance(&session, COLLISION_TWINS);

    session_await(&session, COLLISION_STRANGER);
    refuse_the_stranger(&session, shared);
    session_advance(&session, COLLISION_REFUSED);
    session_part(&session);
    return program_end();
}

static void refuse_the_stranger(struct session *session, struct collision *shared)
{
    explain("Make the key of each file: the listener has created a segment with the first one.");
    int project = observe(&shared->project);
    key_t one = sys_ftok(first, project), two = sys_ftok(second, project);
    check(one != -1 && one == two, "their keys: %#x and %#x", (unsigned)one, (unsigned)two);

    explain("Look what the second key leads to: a segment, and its magic number is not ours.");
    struct segment found;
    enum segment_state state = segment_find(&found, two);
    if (state == SEGMENT_GONE && peer_is_gone(session->peer, session->segment.shmid))
        session_give_up(session, WAIT_GONE); /* it took its segments along */
    int theirs = observe(&shared->shmid);
    check(found.shmid == theirs && state == SEGMENT_FOREIGN, "behind it segment %d, %s: %s",
          found.shmid, state == SEGMENT_FOREIGN ? "foreign" : "not foreign", found.why);

    explain("Without this check we would read another program's data.");
    read_without_checking(&found);
}

static void read_without_checking(const struct segment *stranger)
{
    char *at = sys_shmat(stranger->shmid, NULL, SHM_RDONLY);
    if (at == (void *)-1)
        err(EXIT_FAILED, "shmat(%d, NULL, SHM_RDONLY)", stranger->shmid);
    char text[COLLISION_TEXT];
    copy_text_out(text, at, sizeof text);
    check(text[0] != '\0', "without a check we read \"%s\"", text);
    if (sys_shmdt(at) == -1)
        err(EXIT_FAILED, "shmdt(%p)", (void *)at);
}

/* ---- search ---- */

enum { SEARCH_SECONDS = 4 };

static struct {
    key_t key;
    ino_t inode;
    char *path;
} seen[1 << 16]; /* by the lower half of the key */

static long files_seen;
static time_t search_began;

/* nftw(3) calls it for each file, as long as it returns 0. */
static int compare(const char *path, const struct stat *about, int type, struct FTW *where)
{
    (void)where;
    ending_obey();
    if (time(NULL) > search_began + SEARCH_SECONDS)
        return 1;
    size_t length = strlen(path);
    key_t key = type == FTW_F && length < COLLISION_PATH ? ftok(path, 1) : -1;
    if (key == -1)
        return 0;
    files_seen++;
    size_t at = (size_t)key & 0xffff;
    if (!seen[at].path) {
        seen[at].key = key;
        seen[at].inode = about->st_ino;
        seen[at].path = strdup(path);
        if (!seen[at].path)
            err(EXIT_FAILED, "strdup");
    } else if (seen[at].key == key && seen[at].inode != about->st_ino) {
        memcpy(first, seen[at].path, strlen(seen[at].path) + 1);
        memcpy(second, path, length + 1);
        return 1;
    }
    return 0;
}

static void find_twins(struct session *session)
{
    static const char *const trees[] = {"/etc", "/usr", "/"};
    search_began = time(NULL);
    for (size_t i = 0; i < sizeof trees / sizeof *trees && first[0] == '\0'; i++)
        nftw(trees[i], compare, 16, FTW_PHYS | FTW_MOUNT); /* what cannot be read is left out */
    if (first[0] == '\0')
        session_skip(session, "no two of the %ld files looked at have the same key", files_seen);
    print_line("found two among %ld files: %s and %s", files_seen, first, second);
}
