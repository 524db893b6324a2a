/* skipping_talker.c - a talker that cannot show its lesson, for the tests: it says so, and is gone.
 *
 * Built from the project's own common/; the lesson whose talker it is makes no difference.
 */
#include "../common/pairs/torn.h"

static const struct program program = {
    .name = "talker-torn", .usage = "[options]", .about = "Skips."};

int main(int argc, char **argv)
{
    struct options options = options_parse(argc, argv, &program);
    wakeup_block();
    struct meet meet;
    meet_find(&meet, &options, TORN_LESSON, sizeof(struct meet_head));
    meet_skip(&meet, "nothing is torn here");
}
