/* skipping_talker.c - a talker that skips its lesson and exits at once, for the tests.
 *
 * It is built with the project's own common/. Every lesson skips in the same way.
 */
#include "../common/layout/torn.h"
#include "../common/lesson.h"
#include "../common/session.h"

static const struct program program = {.name = "talker-torn", .about = "Skips."};

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    session_join(&session, &options, TORN_LESSON, sizeof(struct session_head));
    session_skip(&session, "nothing is torn here");
}
