/* torn.c (listener) - a record read while being written is torn; a sequence tells, a turn prevents.
 *
 * The record has two halves, and the talker can write only one at a time. Whoever reads between the
 * two gets half of one record and half of another, without any error. A sequence lock tells: it is
 * odd while the record is being written, and another number when it was written meanwhile; then the
 * halves are thrown away, and read again. A turn, as in the handshake, does not let it come to
 * that. listener/torn_no_seq.c looks at no sequence. `diff` the two; that is the lesson.
 *
 *     listener                                talker
 *                                             sequence odd, writes left
 *                                  <-------   HALF_WRITTEN, stands still
 *     looks, LOOKED                ------->
 *                                  <-------   writes right, sequence even, WRITTEN
 *     reads left
 *     HALF_READ, stands still      ------->
 *                                  <-------   writes the next record, TRIED
 *     reads right; looks again, READ ----->
 *
 *     $ build/listener-torn                   $ build/talker-torn
 *
 * Question: Does the listener accept a record that is half old and half new?
 */
#include "../common/layout/torn.h"
#include "../common/lesson.h"
#include "../common/session.h"
#include "../common/ending.h"

static const char *const points[] = {"half_read", NULL};

static const struct program program = {
    .name = "listener-torn",
    .about =
        "Reads a record in the middle of its writing, guarded by a sequence lock, then by a turn.",
    .points = points,
};

static struct {
    int looks, refused, whole, torn;
} seen;

static void count(int left, int right)
{
    if (left == right) {
        seen.whole++;
        return;
    }
    seen.torn++;
    say("read a torn record: left %d, right %d", left, right);
}

/* Reads the record once. Where it stands still, the talker may write between the halves. */
static void look(struct session *session, struct torn *shared, bool stand_still)
{
    seen.looks++;
    if (observe(&shared->turn) == session->peer) {
        seen.refused++;
        return;
    }
    explain(
        "remember the sequence: the halves belong together if it is even, and the same afterwards");
    unsigned before = observe(&shared->sequence);
    int left = atomic_load_explicit(&shared->left, memory_order_relaxed);
    trace_observe("left", &shared->left, left);
    if (stand_still) {
        trace_point("half_read");
        session_advance(session, TORN_HALF_READ);
        session_await(session, TORN_TRIED);
    }
    int right = atomic_load_explicit(&shared->right, memory_order_relaxed);
    trace_observe("right", &shared->right, right);
    atomic_thread_fence(memory_order_acquire); /* the halves first, then the sequence once more */
    unsigned after = observe(&shared->sequence);
    if (before % 2 == 1 || after != before)
        seen.refused++;
    else
        count(left, right);
}

/* One round: a look in the middle of the writing, one with a writing in its middle, and one in
 * peace. */
static void look_three_times(struct session *session, struct torn *shared)
{
    session_await(session, TORN_HALF_WRITTEN);
    look(session, shared, false);
    session_advance(session, TORN_LOOKED);
    session_await(session, TORN_WRITTEN);
    look(session, shared, true);
    look(session, shared, false);
    if (observe(&shared->turn) != 0)
        publish(&shared->turn, session->peer);
    session_advance(session, TORN_READ);
}

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    struct torn *shared = session_open(&session, &options, TORN_LESSON, sizeof *shared);
    session_await_talker(&session);

    explain("first nobody asks whose turn it is: both go at the record whenever they like");
    for (int i = 0; i < TORN_ROUNDS; i++)
        look_three_times(&session, shared);
    check(seen.torn == 0 && seen.whole == TORN_ROUNDS && seen.refused == 2 * TORN_ROUNDS,
          "without turns: looked %d times, threw away %d, found %d whole and %d torn", seen.looks,
          seen.refused, seen.whole, seen.torn);

    explain("now in turn: whoever does not have it leaves the record alone, as in the handshake");
    seen.looks = seen.refused = seen.whole = seen.torn = 0;
    for (int i = 0; i < TORN_ROUNDS; i++)
        look_three_times(&session, shared);
    check(seen.torn == 0 && seen.whole == 2 * TORN_ROUNDS && seen.refused == TORN_ROUNDS,
          "in turn: looked %d times, not our turn %d times, found %d whole and %d torn", seen.looks,
          seen.refused, seen.whole, seen.torn);
    session_part(&session);
    return program_end();
}
