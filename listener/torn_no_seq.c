/* torn_no_seq.c (listener) - a reader that checks no sequence number uses torn records.
 *
 * A record has two halves, and the talker writes one after the other. A reader that comes between
 * the two gets half of one record and half of another. No call fails. Elsewhere this is rare. Here
 * each side stops in the middle and lets the other go on, so it happens in every run.
 *
 * The talker keeps a sequence number that says when a record is being written. We do not look at
 * it, so we cannot know that the two halves do not belong together.
 *
 *     listener                                talker
 *                                             sequence odd, writes left
 *                                   <-------  HALF_WRITTEN, stops
 *     reads, LOOKED                 ------->
 *                                   <-------  writes right, sequence even, WRITTEN
 *     reads left
 *     HALF_READ, stops              ------->
 *                                   <-------  writes the next record, REWRITTEN
 *     reads right; reads again, READ ------>
 *
 *     $ build/listener-torn_no_seq            $ build/talker-torn
 *     $ diff listener/torn.c listener/torn_no_seq.c
 *     $ scripts/demo --step torn_no_seq
 *
 * Level: the heart; 6 minutes; after torn
 * Question: Does the listener accept a record that is half old and half new?
 * Answer: yes. Without the sequence number it cannot know that the halves do not belong together.
 * Shown by: 3 whole and 6 torn
 * Fails: used torn records
 */
#include "../common/layout/torn.h"
#include "../common/lesson.h"
#include "../common/session.h"

static void read_record(struct session *session, struct torn *shared, bool stops);
static void count(bool accepted, int left, int right);

static const char *const points[] = {"half_read", NULL};

static const struct program program = {
    .name = "listener-torn_no_seq",
    .about = "Reads a record in the middle of its writing.",
    .question = "Does the listener accept a record that is half old and half new?",
    .points = points,
    .values = TORN_VALUES};

static struct {
    int reads, rejected, whole, torn;
    unsigned before, after; /* the sequence at the last read */
} seen;

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    struct torn *shared = session_open(&session, &options, TORN_LESSON, sizeof *shared);
    session_await_talker(&session);

    for (int round = 0; round < ROUNDS; round++) {
        session_await(&session, HALF_WRITTEN);
        read_record(&session, shared, false); /* in the middle of the talker's writing */
        session_advance(&session, LOOKED);
        session_await(&session, WRITTEN);
        read_record(&session, shared, true);  /* the talker writes in the middle of this */
        read_record(&session, shared, false); /* alone */
        session_advance(&session, READ);
    }
    check(seen.torn == 0 && seen.whole == ROUNDS && seen.rejected == 2 * ROUNDS,
          "read %d times, rejected %d, accepted %d whole and %d torn", seen.reads, seen.rejected,
          seen.whole, seen.torn);
    session_part(&session);
    return program_end();
}

static void read_record(struct session *session, struct torn *shared, bool stops)
{
    explain("THE MISTAKE: take the halves as they are. The talker may be writing meanwhile.");
    int left = atomic_load_explicit(&shared->left, memory_order_relaxed);
    trace_observe("left", &shared->left, left);
    if (stops) {
        trace_point("half_read");
        session_advance(session, HALF_READ);
        session_await(session, REWRITTEN);
    }
    int right = atomic_load_explicit(&shared->right, memory_order_relaxed);
    trace_observe("right", &shared->right, right);
    count(true, left, right);
}

static void count(bool accepted, int left, int right)
{
    seen.reads++;
    if (!accepted) {
        seen.rejected++;
        if (seen.before % 2 != 0)
            print_line("rejected: left %d, right %d (sequence %u is odd)", left, right,
                       seen.before);
        else
            print_line("rejected: left %d, right %d (sequence %u, then %u)", left, right,
                       seen.before, seen.after);
    } else if (left == right) {
        seen.whole++;
    } else {
        seen.torn++;
        print_line("accepted a torn record: left %d, right %d", left, right);
    }
}
