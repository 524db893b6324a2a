/* pages.c (listener) - a new segment is zero, and the kernel rounds its size up to whole pages.
 *
 * The kernel gives memory in pages, and it clears a page before a process sees it. So the rest of
 * the last page is there, can be used, and is shared. POSIX does not promise it: do not rely on it.
 *
 *     listener                                talker
 *     looks through new memory: zero
 *     asks where its segment ends
 *     stores beyond the size, STORED ------>
 *                                             reads the same bytes
 *                                   <-------  READ
 *     OVER                          ------->
 *
 *     $ build/listener-pages                  $ build/talker-pages
 *
 * Level: the heart; 3 minutes; after handshake
 * Question: Can a process use a byte beyond the size that it gave to shmget?
 * Answer: yes. The kernel gives whole pages, and the rest of the last one is there.
 * Shown by: byte 4001 is 'F' and byte 4095 is 'L'
 */
#include "../common/layout/pages.h"
#include "../common/lesson.h"
#include "../common/session.h"

#include <sys/mman.h>

static const char *const points[] = {"stored", NULL};

static const struct program program = {
    .name = "listener-pages",
    .about = "Looks through a new segment, and stores beyond the size of another.",
    .question = "Can a process use a byte beyond the size that it gave to shmget?",
    .points = points,
    .values = PAGES_VALUES};

static size_t in_pages(size_t size);
static char *look_through_new_memory(size_t bytes);
static void ask_where_it_ends(const struct session *session, char *place);

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    struct pages *shared = session_open(&session, &options, PAGES_LESSON, sizeof *shared);
    session_await_talker(&session);

    size_t size = session.segment.size;
    char *place = look_through_new_memory(in_pages(size) + 1);
    ask_where_it_ends(&session, place);

    explain("Store beyond the size, up to the end of the page: the talker will look there.");
    char *bytes = (char *)shared;
    bytes[size] = PAGES_FIRST;
    bytes[in_pages(size) - 1] = PAGES_LAST;
    trace_point("stored");
    session_advance(&session, PAGES_STORED);
    session_await(&session, PAGES_READ);
    session_advance(&session, PAGES_OVER);
    session_part(&session);
    return program_end();
}

/* What `size` bytes take in whole pages. */
static size_t in_pages(size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    return (size + page - 1) / page * page;
}

/* Returns the address at which the new segment was attached: its place is free again. */
static char *look_through_new_memory(size_t bytes)
{
    explain("Look at each byte of a new segment before any process has stored one.");
    int shmid = segment_private(bytes);
    const char *place = sys_shmat(shmid, NULL, 0);
    if (place == (void *)-1)
        err(EXIT_FAILED, "shmat(%d, NULL, 0)", shmid);
    if (sys_shmctl(shmid, IPC_RMID, NULL) == -1)
        err(EXIT_FAILED, "shmctl(%d, IPC_RMID)", shmid);
    size_t whole = in_pages(bytes), zero = 0;
    for (size_t i = 0; i < whole; i++)
        zero += place[i] == 0;
    if (sys_shmdt(place) == -1)
        err(EXIT_FAILED, "shmdt(%p)", (const void *)place);
    check(zero == whole, "a new segment: %zu of its %zu bytes are zero", zero, whole);
    return (char *)place;
}

/* Whether there is memory at `at`: if not, msync(2) fails with ENOMEM. */
static bool is_mapped(char *at)
{
    return msync(at, 1, MS_ASYNC) == 0;
}

/* Attaches our segment at `place`, where a larger one has left room: what lies behind ours there is
 * not another mapping. */
static void ask_where_it_ends(const struct session *session, char *place)
{
    explain("Attach our segment in the larger one's place, and ask where its memory ends.");
    int shmid = session->segment.shmid;
    size_t size = session->segment.size, whole = in_pages(size);
    char *again = sys_shmat(shmid, place, 0);
    if (again == (void *)-1)
        err(EXIT_FAILED, "shmat(%d, %p, 0)", shmid, (void *)place);
    size_t page = in_pages(1);
    bool last = is_mapped(again + whole - page), beyond = is_mapped(again + whole);
    if (sys_shmdt(again) == -1)
        err(EXIT_FAILED, "shmdt(%p)", (void *)again);
    check(last && !beyond,
          "a segment of %zu bytes takes %zu of memory: byte %zu is %s, byte %zu is %s", size, whole,
          whole - 1, last ? "there" : "not there", whole, beyond ? "there" : "not there");
}
