/* shortcopy.c (talker) - says one message, with its length.
 *
 * Read and start listener/shortcopy.c first. The text has no NUL at its end: the length says where
 * it ends.
 *
 *     $ build/listener-shortcopy              $ build/talker-shortcopy "Hello, world"
 */
#include "../common/layout/shortcopy.h"
#include "../common/lesson.h"
#include "../common/session.h"

static const char *const points[] = {"speaking", NULL};

static const struct program program = {
    .name = "talker-shortcopy",
    .usage = "[options] [MESSAGE]",
    .about = "Says MESSAGE (default: Hello, I'm talker) to a listener that copies it twice.",
    .points = points,
    .values = SHORTCOPY_VALUES,
    .most_operands = 1};

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    const char *message = options.operand_count > 0 ? options.operands[0] : "Hello, I'm talker";
    size_t length = strlen(message);
    if (length > SHORTCOPY_TEXT)
        errx(EXIT_FAILED, "a message of %zu bytes does not fit, the segment takes %d: not sent",
             length, SHORTCOPY_TEXT);
    struct session session;
    struct shortcopy *shared = session_join(&session, &options, SHORTCOPY_LESSON, sizeof *shared);

    explain("Write the text, then its length, then the step: the order matters.");
    trace_point("speaking");
    copy_bytes_in(shared->text, message, length);
    publish(&shared->length, (unsigned)length);
    print_line("said: %s", message);
    session_advance(&session, SHORTCOPY_SAID);
    session_await(&session, SHORTCOPY_HEARD);
    session_part(&session);
    return program_end();
}
