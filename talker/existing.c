/* existing.c (talker) - says one message in the segment that took the place of a stale one.
 *
 * Read and start listener/existing.c first. A talker creates and removes nothing. If it finds a
 * stale segment, no listener is there.
 *
 *     $ build/listener-existing               $ build/talker-existing "Hello"
 */
#include "../common/layout/existing.h"
#include "../common/lesson.h"
#include "../common/session.h"

static const char *const points[] = {"speaking", NULL};

static const struct program program = {
    .name = "talker-existing",
    .usage = "[options] [MESSAGE]",
    .about = "Says MESSAGE (default: Hello, I'm talker) in the listener's new segment.",
    .points = points,
    .values = EXISTING_VALUES,
    .most_operands = 1};

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    const char *message = options.operand_count > 0 ? options.operands[0] : "Hello, I'm talker";
    if (strlen(message) >= EXISTING_TEXT)
        errx(EXIT_FAILED, "a message of %zu bytes does not fit, the segment takes %d: not sent",
             strlen(message), EXISTING_TEXT - 1);
    struct session session;
    struct existing *shared = session_join(&session, &options, EXISTING_LESSON, sizeof *shared);

    explain("Write the text, then the step: the order matters.");
    trace_point("speaking");
    copy_text_in(shared->text, message, sizeof shared->text);
    print_line("said: %s", message);
    session_advance(&session, EXISTING_SAID);
    session_await(&session, EXISTING_HEARD);
    session_part(&session);
    return program_end();
}
