/* turn.c (talker) - writes a record in two halves, only when it has the turn.
 *
 * Read listener/turn.c first, and start it first. The listener looks while only one half is
 * written, and we try to write while it has read only one half.
 *
 *     $ build/listener-turn                   $ build/talker-turn
 */
#include "../common/layout/turn.h"
#include "../common/lesson.h"
#include "../common/session.h"

static void write_record(struct session *session, struct turn *shared, bool stops);

static const char *const points[] = {"half_written", NULL};

static const struct program program = {
    .name = "talker-turn",
    .about = "Writes a record in two halves, only when it has the turn.",
    .points = points,
    .values = TURN_VALUES};

static int written, left_alone;

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    struct turn *shared = session_join(&session, &options, TURN_LESSON, sizeof *shared);

    for (int round = 0; round < ROUNDS; round++) {
        write_record(&session, shared, true);
        explain("Pass the turn after the last store: release order keeps the stores before it.");
        publish(&shared->turn, LISTENER);
        session_advance(&session, WRITTEN);
        session_await(&session, HALF_READ);
        write_record(&session, shared, false);
        session_advance(&session, TRIED);
        session_await(&session, READ);
    }
    check(written == ROUNDS && left_alone == ROUNDS,
          "wrote %d records, did not write %d times, because it was not our turn", written,
          left_alone);
    session_part(&session);
    return program_end();
}

static void write_record(struct session *session, struct turn *shared, bool stops)
{
    explain("Look whose turn it is. If it is not ours, leave the record alone.");
    if (observe(&shared->turn) != TALKER) {
        left_alone++;
        return;
    }
    int number = ++written;
    trace_publish("left", number);
    shared->left = number;
    if (stops) {
        trace_point("half_written");
        session_advance(session, HALF_WRITTEN);
        session_await(session, LOOKED);
    }
    trace_publish("right", number);
    shared->right = number;
}
