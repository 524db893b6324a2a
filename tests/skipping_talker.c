/* skipping_talker.c - a talker that skips its lesson and exits at once, for the tests.
 *
 * It is built with the project's own common/. Every lesson skips in the same way.
 */
#include "../common/layout/torn.h"

static const struct program program = {
    .name = "talker-torn", .usage = "[options]", .about = "Skips."};

int main(int argc, char **argv)
{
    struct options options = options_parse(argc, argv, &program);
    wait_block_sigusr1();
    struct session meet;
    session_join(&meet, &options, TORN_LESSON, sizeof(struct session_head));
    session_skip(&meet, "nothing is torn here");
}
