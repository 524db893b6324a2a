/* torn.c (talker) - writes a record in two halves, and stands still between them.
 *
 * The other half of listener/torn.c and listener/torn_no_seq.c, which tell the story and are
 * started first. Both halves of a record hold its number. The listener is let in when only one is
 * written, and we write when it has read only one: what is a matter of luck elsewhere happens here
 * each time.
 *
 *     $ build/listener-torn                   $ build/talker-torn
 */
#include "../common/layout/torn.h"
#include "../common/lesson.h"
#include "../common/session.h"
#include "../common/ending.h"


static const char *const points[] = {"half_written", NULL};

static const struct program program = {
    .name = "talker-torn",
    .about = "Writes records in two halves while a listener reads them, freely and then in turn.",
    .points = points,
};

static int written, stood_back;

/* Writes the next record, unless it is the listener's turn. */
static void write_record(struct session *session, struct torn *shared, bool stand_still)
{
    if (observe(&shared->turn) == session->peer) {
        stood_back++;
        return;
    }
    int number = ++written;
    unsigned sequence = atomic_load_explicit(&shared->sequence, memory_order_relaxed);

    explain("make the sequence odd before the first half changes: from now on, nobody believes it");
    trace_publish("sequence", sequence + 1);
    atomic_store_explicit(&shared->sequence, sequence + 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_release); /* whoever sees a half of this record sees it odd */

    trace_publish("left", number);
    atomic_store_explicit(&shared->left, number, memory_order_relaxed);
    if (stand_still) {
        trace_point("half_written");
        session_advance(session, TORN_HALF_WRITTEN);
        session_await(session, TORN_LOOKED);
    }
    trace_publish("right", number);
    atomic_store_explicit(&shared->right, number, memory_order_relaxed);

    explain("make it even again after the last half: whoever sees that sees both");
    publish(&shared->sequence, sequence + 2);
}

/* One round: a record during which the listener looks, and one while it reads. */
static void write_twice(struct session *session, struct torn *shared, bool in_turn)
{
    write_record(session, shared, true);
    if (in_turn)
        publish(&shared->turn, session->peer);
    session_advance(session, TORN_WRITTEN);
    session_await(session, TORN_HALF_READ);
    write_record(session, shared, false);
    session_advance(session, TORN_TRIED);
    session_await(session, TORN_READ);
}

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    struct torn *shared = session_join(&session, &options, TORN_LESSON, sizeof *shared);

    for (int i = 0; i < TORN_ROUNDS; i++)
        write_twice(&session, shared, false);
    check(written == 2 * TORN_ROUNDS && stood_back == 0,
          "without turns: wrote %d records, stood back %d times", written, stood_back);

    written = 0;
    publish(&shared->turn, (int)getpid());
    for (int i = 0; i < TORN_ROUNDS; i++)
        write_twice(&session, shared, true);
    check(written == TORN_ROUNDS && stood_back == TORN_ROUNDS,
          "in turn: wrote %d records, stood back %d times, for it was not our turn", written,
          stood_back);
    session_part(&session);
    return program_end();
}
