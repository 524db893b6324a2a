/* turn.c (listener) - a reader and a writer that take turns never see a torn record.
 *
 * The record is the one of lesson torn: two halves, written one after the other. A word in the
 * segment says which side may touch it, as in the pair and in the handshake. Each side stops in the
 * middle and lets the other try. The other sees that it has not got the turn, and leaves the record
 * alone.
 *
 *     listener                                talker
 *                                             has the turn, writes left
 *                                   <-------  HALF_WRITTEN, stops
 *     not our turn, LOOKED          ------->
 *                                   <-------  writes right, passes the turn, WRITTEN
 *     reads left
 *     HALF_READ, stops              ------->
 *                                   <-------  not our turn, TRIED
 *     reads right, passes the turn, READ --->
 *
 *     $ build/listener-turn                   $ build/talker-turn
 *
 * Level: the heart; 3 minutes; after torn
 * Question: How many records are torn if each side waits for its turn?
 * Choices: none | one | every second one
 * Answer: none. A side that has not got the turn leaves the record alone.
 * Shown by: found 6 whole and 0 torn
 */
#include "../common/layout/turn.h"
#include "../common/lesson.h"
#include "../common/session.h"

static void read_record(struct session *session, struct turn *shared, bool stops);

static const char *const points[] = {"half_read", NULL};

static const struct program program = {
    .name = "listener-turn",
    .about = "Reads a record only when it has the turn.",
    .question = "How many records are torn if each side waits for its turn?",
    .points = points,
    .values = TURN_VALUES};

static struct {
    int looks, left_alone, whole, torn;
} seen;

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    struct turn *shared = session_open(&session, &options, TURN_LESSON, sizeof *shared);
    session_await_talker(&session);

    for (int round = 0; round < ROUNDS; round++) {
        session_await(&session, HALF_WRITTEN);
        read_record(&session, shared, false); /* in the middle of the talker's writing */
        session_advance(&session, LOOKED);
        session_await(&session, WRITTEN);
        read_record(&session, shared, true); /* the talker tries to write in the middle of this */
        read_record(&session, shared, false);
        explain("Pass the turn after the last load: release order keeps the loads before it.");
        publish(&shared->turn, TALKER);
        session_advance(&session, READ);
    }
    check(seen.torn == 0 && seen.whole == 2 * ROUNDS && seen.left_alone == ROUNDS,
          "looked %d times, not our turn %d times, found %d whole and %d torn", seen.looks,
          seen.left_alone, seen.whole, seen.torn);
    session_part(&session);
    return program_end();
}

static void read_record(struct session *session, struct turn *shared, bool stops)
{
    seen.looks++;
    explain("Look whose turn it is. If it is not ours, leave the record alone.");
    if (observe(&shared->turn) != LISTENER) {
        seen.left_alone++;
        return;
    }
    int left = shared->left;
    trace_observe("left", &shared->left, left);
    if (stops) {
        trace_point("half_read");
        session_advance(session, HALF_READ);
        session_await(session, TRIED);
    }
    int right = shared->right;
    trace_observe("right", &shared->right, right);
    if (left == right)
        seen.whole++;
    else
        seen.torn++;
}
