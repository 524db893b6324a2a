/* stream.c (talker) - reads stdin straight into the slots of a ring.
 *
 * The other half of listener/stream.c: read that first, and start it first.
 *
 *     $ build/listener-stream >copy           $ build/talker-stream <data
 *     listener: waiting for a talker ...      talker: sent 1073741824 bytes in ...
 *     listener: received 1073741824 bytes in ...
 *
 * It exits with 0 only after the listener has written all of it.
 */
#include "../common/layout/stream.h"
#include "../common/doorbell.h"
#include "../common/ending.h"
#include "../common/lesson.h"
#include "../common/ring.h"
#include "../common/session.h"

#include <sys/stat.h>

static bool wait_for_listener, show_progress;
static long spin = 0;

static const struct option_spec own_options[] = {
    {'w', "wait", NULL, "wait for a listener to appear", OPTION_FLAG, &wait_for_listener, 0, 0},
    {0, "spin", "MICROSECONDS", "spin for so long before sleeping (default: 0)", OPTION_NUMBER,
     &spin, 0, 1000000},
    {0, "progress", NULL, "show the progress, also off a terminal", OPTION_FLAG, &show_progress, 0,
     0},
    {0, NULL, NULL, NULL, OPTION_FLAG, NULL, 0, 0},
};

static const char *const points[] = {"room", "loaded", NULL};

static const struct program program = {
    .name = "talker-stream",
    .usage = "[options] <FILE",
    .about = "Sends stdin to listener-stream, which writes it to its stdout.",
    .options = own_options,
    .points = points,
};

struct talker {
    struct session session;
    struct stream *stream;
    struct ring ring;
    struct doorbell_side bell;
    struct progress progress;
    uint64_t expected; /* bytes in all, for the progress; 0: not known */
    uint64_t head;     /* ours alone: the shared copy is for the listener, we never read it back */
};

static void find_ring(struct talker *talker);
static uint64_t stdin_size(void);
static void send_all(struct talker *talker);
static void await_room(struct talker *talker, uint64_t most);
static size_t read_slot(struct talker *talker, char *slot);
static void await_input(struct talker *talker, struct wait *wait, int error);
static void pass_on(struct talker *talker, size_t length);
static _Noreturn void give_up(struct talker *talker, enum wait_result why);

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    output_to(STDERR_FILENO);

    struct talker talker = {0};
    if (wait_for_listener)
        session_await_listener(&options);
    talker.stream = session_join(&talker.session, &options, STREAM_LESSON, sizeof *talker.stream);
    find_ring(&talker);

    progress_begin(&talker.progress, show_progress);
    send_all(&talker);
    progress_end(&talker.progress, "sent", talker.bell.sent, talker.bell.slept);
    session_part(&talker.session);
    return program_end();
}

/* ---- the ring ---- */

static void find_ring(struct talker *talker)
{
    explain("Check what the segment says about its slots: any process may have written there.");
    struct stream *stream = talker->stream;
    uint64_t slots = observe(&stream->slots);
    uint64_t slot_size = observe(&stream->slot_size);
    const struct segment *segment = &talker->session.segment;
    if (!ring_place(&talker->ring, stream, segment->size, slots, slot_size))
        errx(EXIT_FAILED,
             "segment %d says that it has %llu slots of %llu bytes, in %zu bytes: that is "
             "impossible%s",
             segment->shmid, (unsigned long long)slots, (unsigned long long)slot_size,
             segment->size, sizeof(void *) == 4 ? " in a 32-bit program" : "");
    talker->bell = (struct doorbell_side){
        .mine = &stream->talker, .theirs = &stream->listener, .spin = doorbell_spin(spin)};
    talker->expected = stdin_size();
    atomic_store(&stream->expected, talker->expected);
}

/* How much is left to read, where stdin is a file; 0: not known. */
static uint64_t stdin_size(void)
{
    struct stat about;
    if (fstat(STDIN_FILENO, &about) == -1)
        err(EXIT_FAILED, "fstat of stdin");
    off_t at = S_ISREG(about.st_mode) ? lseek(STDIN_FILENO, 0, SEEK_CUR) : -1;
    return at == -1 || at > about.st_size ? 0 : (uint64_t)(about.st_size - at);
}

/* ---- slot by slot ---- */

static void send_all(struct talker *talker)
{
    size_t length;
    do {
        explain("Wait for room in the ring. We sleep only if all slots are filled.");
        await_room(talker, talker->ring.slots - 1);
        trace_point("room");
        length = read_slot(talker, ring_slot(&talker->ring, talker->head));
        trace_point("loaded");
        progress_advance(&talker->progress, length, talker->expected);
        pass_on(talker, length);
        ending_obey();
    } while (length > 0);
    explain("The end is announced. Wait until the listener has counted past it.");
    await_room(talker, 0);
}

/* Waits until at most `most` slots are filled and not emptied yet. Each one that is emptied is
 * progress: the timeout starts anew. */
static void await_room(struct talker *talker, uint64_t most)
{
    struct stream *stream = talker->stream;
    struct wait wait = session_wait(&talker->session);
    uint64_t filled, before = 0;
    while ((filled = talker->head - observe(&stream->tail)) > most) {
        if (filled > talker->ring.slots)
            progress_errx(EXIT_FAILED,
                          "segment %d says that %llu slots of %zu are filled: that is impossible",
                          talker->session.segment.shmid, (unsigned long long)filled,
                          talker->ring.slots);
        if (filled != before)
            wait = session_wait(&talker->session);
        before = filled;
        enum wait_result why = doorbell_wait(&talker->bell, &wait);
        if (why != WAIT_LOOK || atomic_load(&stream->refused))
            give_up(talker, why);
    }
    doorbell_up(&talker->bell);
}

/* Reads into a slot as much as stdin has and the slot takes, straight into the segment. Returns
 * what read(2) returns: 0 at the end. */
static size_t read_slot(struct talker *talker, char *slot)
{
    struct wait wait = session_wait(&talker->session);
    for (;;) {
        sigset_t ours;
        wait_unblock(&ours);
        ssize_t got = sys_read(STDIN_FILENO, slot, talker->ring.slot_size);
        wait_block_again(&ours);
        if (got >= 0)
            return (size_t)got;
        if (errno != EINTR && errno != EAGAIN)
            progress_err(EXIT_FAILED, "read from stdin, after %llu bytes",
                         (unsigned long long)talker->progress.bytes);
        await_input(talker, &wait, errno);
    }
}

/* stdin has nothing at the moment: read(2) failed with EINTR or EAGAIN. The listener's signal that
 * it takes no more may come just before the read: then we see `refused` at the next tick. */
static void await_input(struct talker *talker, struct wait *wait, int error)
{
    bool ready;
    if (error == EAGAIN)
        wait_on(wait, STDIN_FILENO, READY_TO_READ, &ready);
    else
        wait_should_look(wait);
    if (wait->verdict == WAIT_GONE || atomic_load(&talker->stream->refused))
        give_up(talker, wait->verdict);
    if (wait->verdict == WAIT_LATE)
        progress_errx(EXIT_NO_PEER, "nothing came on stdin within %g s, after %llu bytes: gave up",
                      talker->session.timeout, (unsigned long long)talker->progress.bytes);
}

static void pass_on(struct talker *talker, size_t length)
{
    explain("Store the length, then the count: the order matters.");
    struct stream *stream = talker->stream;
    publish(&stream->length[talker->head % talker->ring.slots], (uint64_t)length);
    talker->head++;
    publish(&stream->head, talker->head);
    explain("Signal the listener only if it has declared that it sleeps. Most often it has not.");
    if (doorbell_ring(&talker->bell, talker->session.peer) == -1 && errno != ESRCH)
        progress_err(EXIT_FAILED, "kill(%d, SIGUSR1) to the listener", (int)talker->session.peer);
}

/* The listener takes no more: it has said why, or it is gone, or silent. */
static _Noreturn void give_up(struct talker *talker, enum wait_result why)
{
    struct session *session = &talker->session;
    int refused = observe(&talker->stream->refused);
    segment_survive(&session->segment);
    if (refused != 0)
        progress_errx(EXIT_FAILED, "the listener (PID %d) cannot write: %s", (int)session->peer,
                      strerror(refused));
    if (why == WAIT_LATE)
        progress_errx(EXIT_NO_PEER, "no word from the listener (PID %d) within %g s: gave up",
                      (int)session->peer, session->timeout);
    progress_errx(EXIT_NO_PEER, "the listener (PID %d) went away", (int)session->peer);
}
