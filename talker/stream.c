/* stream.c (talker) - reads stdin straight into the slots of a ring. The other half of
 * listener/stream.c.
 *
 *     $ build/talker-stream <data
 *     talker: sent 1073741824 bytes in 0.234 s (4.28 GiB/s), signals sent: 8, slept: 199
 *
 * It ends with 0 only when the listener has written all of it.
 */
#include "../common/layout/stream.h"
#include "../common/lesson.h"
#include "../common/session.h"
#include "../common/ending.h"
#include "../common/doorbell.h"

#include <sys/stat.h>

/* ---- the command line ---- */

static bool wait_for_listener, show_progress;
static long spin = STREAM_SPIN;

static const struct option_spec own_options[] = {
    {'w', "wait", NULL, "wait for a listener to appear", OPTION_FLAG, &wait_for_listener, 0, 0},
    {0, "spin", "MICROSECONDS", "look that long before sleeping (default: 0)", OPTION_NUMBER, &spin,
     0, 1000000},
    {0, "progress", NULL, "show how far it is, also off a terminal", OPTION_FLAG, &show_progress, 0,
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

/* ---- the talker ---- */

struct talker {
    struct session session;
    struct stream *stream;
    struct stream_ring ring;
    struct doorbell_side bell;
    struct progress progress;
    uint64_t expected; /* bytes in all, for show; 0: nobody knows */
    uint64_t head;     /* ours alone: what the segment says of it is for the listener */
};

/* Where the listener takes no more: it has said why, or has gone without a word. */
static _Noreturn void give_up(struct talker *talker, enum wait_result why)
{
    struct session *session = &talker->session;
    int refused = observe(&talker->stream->refused);
    segment_survive(&session->segment);
    if (refused != 0)
        progress_errx(1, "the listener (PID %d) cannot write: %s", (int)session->peer,
                      strerror(refused));
    if (why == WAIT_LATE)
        progress_errx(3, "no word from the listener (PID %d) within %g seconds: gave up",
                      (int)session->peer, session->timeout);
    progress_errx(3, "the listener (PID %d) went away", (int)session->peer);
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
            progress_errx(1, "shmid %d says that %llu slots of %llu are filled: it is broken",
                          talker->session.segment.shmid, (unsigned long long)filled,
                          (unsigned long long)talker->ring.slots);
        if (filled != before)
            wait = session_wait(&talker->session);
        before = filled;
        enum wait_result why = doorbell_wait(&talker->bell, &wait);
        if (why != WAIT_LOOK || atomic_load(&stream->refused))
            give_up(talker, why);
    }
    doorbell_up(&talker->bell);
}

/* Waits where stdin has nothing at the moment: read(2) said so, with EINTR or EAGAIN. */
static void await_input(struct talker *talker, struct wait *wait, int error)
{
    bool ready;
    enum wait_result why =
        error == EAGAIN ? wait_on(wait, STDIN_FILENO, false, &ready) : wakeup_look(wait);
    if (why == WAIT_GONE || atomic_load(&talker->stream->refused))
        give_up(talker, why);
    if (why == WAIT_LATE)
        progress_errx(3, "nothing came on stdin within %g seconds, after %llu bytes: gave up",
                      talker->session.timeout, (unsigned long long)talker->progress.bytes);
}

/* Reads into a slot as much as stdin has and the slot takes, straight into the segment. Returns
 * what read(2) returns: 0 at the end. */
static uint64_t read_slot(struct talker *talker, char *slot)
{
    struct wait wait = session_wait(&talker->session);
    ssize_t got;
    while ((got = wakeup_read(STDIN_FILENO, slot, talker->ring.slot_size)) == -1) {
        if (errno != EINTR && errno != EAGAIN)
            progress_err(1, "read from stdin, after %llu bytes",
                         (unsigned long long)talker->progress.bytes);
        await_input(talker, &wait, errno);
    }
    return (uint64_t)got;
}

static void pass_on(struct talker *talker, uint64_t length)
{
    explain("the length first, then the count (release): whoever sees the count sees the slot");
    struct stream *stream = talker->stream;
    publish(&stream->length[talker->head % talker->ring.slots], length);
    talker->head++;
    publish(&stream->head, talker->head);
    explain("ring if the listener has declared that it sleeps: most often it has not");
    if (doorbell_ring(&talker->bell, talker->session.peer) == -1 && errno != ESRCH)
        progress_err(1, "kill(%d, SIGUSR1) to the listener", (int)talker->session.peer);
}

static void send_all(struct talker *talker)
{
    uint64_t length;
    do {
        explain("wait for room in the ring: we sleep only where every slot is filled");
        await_room(talker, talker->ring.slots - 1);
        trace_point("room");
        length = read_slot(talker, stream_slot(&talker->ring, talker->head));
        trace_point("loaded");
        progress_advance(&talker->progress, length, talker->expected);
        pass_on(talker, length);
        ending_obey();
    } while (length > 0);
    explain("the end is announced; it is a success once the listener has counted past it");
    await_room(talker, 0);
}

/* ---- the ring ---- */

/* How much is left to read, where stdin is a file; 0: nobody knows. */
static uint64_t stdin_size(void)
{
    struct stat about;
    if (fstat(STDIN_FILENO, &about) == -1)
        err(1, "fstat of stdin");
    off_t at = S_ISREG(about.st_mode) ? lseek(STDIN_FILENO, 0, SEEK_CUR) : -1;
    return at == -1 || at > about.st_size ? 0 : (uint64_t)(about.st_size - at);
}

static void find_ring(struct talker *talker)
{
    explain("believe nothing that the segment says of its slots before it is checked");
    struct stream *stream = (struct stream *)talker->session.shared;
    struct stream_ring ring = {.first = (char *)stream + stream_begin(),
                               .slots = observe(&stream->slots),
                               .slot_size = observe(&stream->slot_size)};
    size_t size = talker->session.segment.size;
    uint64_t room = size < stream_begin() ? 0 : size - stream_begin();
    if (ring.slots == 0 || ring.slots > STREAM_MOST_SLOTS || ring.slot_size == 0 ||
        ring.slot_size % stream_page() != 0 || ring.slot_size > room / ring.slots)
        errx(1, "shmid %d says that it has %llu slots of %llu bytes, in %zu: it is broken",
             talker->session.segment.shmid, (unsigned long long)ring.slots,
             (unsigned long long)ring.slot_size, size);
    talker->stream = stream;
    talker->ring = ring;
    talker->bell = (struct doorbell_side){
        .mine = &stream->talker, .theirs = &stream->listener, .spin = doorbell_spin(spin)};
    talker->expected = stdin_size();
    atomic_store(&stream->expected, talker->expected);
}

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    output_to(STDERR_FILENO);

    explain("block SIGUSR1 before we are known: it may come before we sleep");
    wait_block_sigusr1();
    struct talker talker = {0};
    if (wait_for_listener)
        session_await_listener(&options);
    session_join(&talker.session, &options, STREAM_LESSON, sizeof(struct stream));
    find_ring(&talker);

    progress_begin(&talker.progress, show_progress);
    send_all(&talker);
    progress_end(&talker.progress, "sent", talker.bell.sent, talker.bell.slept);
    session_part(&talker.session);
    return program_end();
}
