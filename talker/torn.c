/* torn.c (talker) - writes records in two halves, and stops between the halves.
 *
 * Read listener/torn.c and listener/torn_no_seq.c first. Start one of them first, too. Both halves
 * of a record hold its number. The listener reads while only one half is written, and we write
 * while it has read only one half.
 *
 * The words are atomics, and they must be lock-free (common/layout/head.h checks it). Another
 * atomic takes a lock that only its own process knows: between two processes it would protect
 * nothing.
 *
 *     $ build/listener-torn                   $ build/talker-torn
 */
#include "../common/layout/torn.h"
#include "../common/lesson.h"
#include "../common/session.h"

static void write_record(struct session *session, struct torn *shared, bool stops);

static const char *const points[] = {"half_written", NULL};

static const struct program program = {
    .name = "talker-torn",
    .about = "Writes records in two halves while the listener reads them.",
    .points = points,
    .values = TORN_VALUES};

static int written;

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    struct torn *shared = session_join(&session, &options, TORN_LESSON, sizeof *shared);

    for (int round = 0; round < ROUNDS; round++) {
        write_record(&session, shared, true);
        session_advance(&session, WRITTEN);
        session_await(&session, HALF_READ);
        write_record(&session, shared, false);
        session_advance(&session, REWRITTEN);
        session_await(&session, READ);
    }
    check(written == 2 * ROUNDS, "wrote %d records", written);
    session_part(&session);
    return program_end();
}

/* The fence keeps the order: a reader that sees a half of this record sees the odd number, too. */
static void write_record(struct session *session, struct torn *shared, bool stops)
{
    int number = ++written;
    unsigned sequence = atomic_load_explicit(&shared->sequence, memory_order_relaxed);

    explain("Make the sequence odd before the record changes: no reader may use it from now on.");
    trace_publish("sequence", sequence + 1);
    atomic_store_explicit(&shared->sequence, sequence + 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);

    trace_publish("left", number);
    atomic_store_explicit(&shared->left, number, memory_order_relaxed);
    if (stops) {
        trace_point("half_written");
        session_advance(session, HALF_WRITTEN);
        session_await(session, LOOKED);
    }
    trace_publish("right", number);
    atomic_store_explicit(&shared->right, number, memory_order_relaxed);

    explain(
        "Make it even again after the last half: a reader that sees the even number sees both.");
    publish(&shared->sequence, sequence + 2);
}
