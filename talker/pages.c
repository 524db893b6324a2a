/* pages.c (talker) - reads what the listener stored beyond the size of the segment.
 *
 * Read listener/pages.c first, and start it first. The kernel has rounded the size up for both of
 * us: the whole page is shared.
 *
 *     $ build/listener-pages                  $ build/talker-pages
 */
#include "../common/layout/pages.h"
#include "../common/lesson.h"
#include "../common/session.h"

static const char *const points[] = {"read", NULL};

static const struct program program = {
    .name = "talker-pages",
    .about = "Reads what a listener has stored beyond the size of the segment.",
    .points = points,
    .values = PAGES_VALUES};

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    struct pages *shared = session_join(&session, &options, PAGES_LESSON, sizeof *shared);
    session_await(&session, PAGES_STORED);
    trace_point("read");

    explain("Read beyond the size, to the end of the page: there are the listener's bytes.");
    const char *bytes = (const char *)shared;
    size_t page = (size_t)sysconf(_SC_PAGESIZE), size = session.segment.size;
    size_t last = (size + page - 1) / page * page - 1;
    check(bytes[size] == PAGES_FIRST && bytes[last] == PAGES_LAST,
          "of a segment of %zu bytes, byte %zu is '%c' and byte %zu is '%c', as the listener left "
          "them",
          size, size, bytes[size], last, bytes[last]);

    session_advance(&session, PAGES_READ);
    session_await(&session, PAGES_OVER);
    session_part(&session);
    return program_end();
}
