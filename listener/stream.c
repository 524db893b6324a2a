/* stream.c (listener) - any amount of data through one segment, as fast as memory allows.
 *
 * Writes to stdout what the talker reads from its stdin. The kernel copies straight out of a slot
 * of the ring, as it has copied straight into it: there is no other copy. While one slot is
 * being written, the next is being read: the two sides work at the same time, and sleep only when
 * there is nothing to do. How they wake each other, and how seldom, is told in common/doorbell.h.
 *
 *     $ build/listener-stream >copy           $ build/talker-stream <data
 *     listener: waiting for a talker ...      talker: sent 1073741824 bytes in ...
 *     listener: received 1073741824 bytes in ...
 *
 * A stream that broke off never looks like a whole one: then this side exits with 3, and says after
 * how many bytes. stdout is for the data; all that is told goes to stderr.
 *
 * Question: How many signals does it take to send a whole file through the segment?
 *
 * demo: listener >copy
 * demo: talker <README.md
 */
#if defined(__linux__)
#define _GNU_SOURCE /* SHM_HUGETLB */
#endif
#include "../common/layout/stream.h"
#include "../common/lesson.h"
#include "../common/session.h"
#include "../common/peer.h"
#include "../common/ending.h"
#include "../common/doorbell.h"


/* ---- the command line ---- */

static long slots = 8, slot_size = 256 * 1024, spin = STREAM_SPIN;
static bool huge, show_progress;

static const struct option_spec own_options[] = {
    {0, "slots", "N", "slots in the ring (default: 8)", OPTION_NUMBER, &slots, 1,
     STREAM_MOST_SLOTS},
    {0, "slot-size", "BYTES", "what one holds, whole pages (default: 262144)", OPTION_NUMBER,
     &slot_size, 1, 1 << 30},
    {0, "huge", NULL, "put the ring on huge pages (SHM_HUGETLB)", OPTION_FLAG, &huge, 0, 0},
    {0, "spin", "MICROSECONDS", "look that long before sleeping (default: 0)", OPTION_NUMBER, &spin,
     0, 1000000},
    {0, "progress", NULL, "show how far it is, also off a terminal", OPTION_FLAG, &show_progress, 0,
     0},
    {0, NULL, NULL, NULL, OPTION_FLAG, NULL, 0, 0},
};

static const char *const points[] = {"filled", "written", NULL};

static const struct program program = {
    .name = "listener-stream",
    .usage = "[options] >FILE",
    .about = "Writes to stdout what talker-stream reads from its stdin.",
    .options = own_options,
    .points = points,
};

/* ---- the listener ---- */

struct listener {
    struct session session;
    struct stream *stream;
    struct stream_ring ring;
    struct doorbell_side bell;
    struct progress progress;
    uint64_t tail; /* ours alone: what the segment says of it is for the talker */
};

/* The talker is gone, or silent, and has not announced the end. All that came before is written. */
static _Noreturn void break_off(const struct listener *listener, enum wait_result why)
{
    unsigned long long bytes = listener->progress.bytes;
    int talker = (int)listener->session.peer;
    if (why == WAIT_LATE)
        progress_errx(3,
                      "stream broke off after %llu bytes: no word from the talker (PID %d) "
                      "within %g seconds",
                      bytes, talker, listener->session.timeout);
    progress_errx(3, "stream broke off after %llu bytes: the talker (PID %d) went away", bytes,
                  talker);
}

/* stdout takes no more. The talker is told why, and ends as well. */
static _Noreturn void refuse(struct listener *listener, const char *call, int error)
{
    explain(
        "say why, and ring in any case: a talker that waits for its input has declared nothing");
    progress_wipe();
    publish(&listener->stream->refused, error);
    if (peer_signal(listener->session.peer) == -1 && errno != ESRCH)
        warn("kill(%d, SIGUSR1) to the talker", (int)listener->session.peer);
    if (error == EPIPE)
        ending_die(SIGPIPE);
    errno = error;
    err(1, "%s stdout, after %llu bytes", call, (unsigned long long)listener->progress.bytes);
}

/* Waits for the next slot to be filled. Returns its length, which is read once, and checked. */
static uint64_t await_slot(struct listener *listener)
{
    explain("look for a filled slot; declare that we sleep, and look once more before we do: a "
            "talker that saw us awake does not ring");
    struct stream *stream = listener->stream;
    struct wait wait = session_wait(&listener->session);
    uint64_t head;
    while ((head = observe(&stream->head)) == listener->tail) {
        enum wait_result why = doorbell_wait(&listener->bell, &wait);
        if (why != WAIT_LOOK)
            break_off(listener, why);
    }
    doorbell_up(&listener->bell);

    uint64_t length = observe(&stream->length[listener->tail % listener->ring.slots]);
    if (head - listener->tail > listener->ring.slots || length > listener->ring.slot_size)
        progress_errx(1,
                      "shmid %d says that slot %llu holds %llu bytes, and %llu are filled: it is "
                      "broken",
                      listener->session.segment.shmid, (unsigned long long)listener->tail,
                      (unsigned long long)length, (unsigned long long)head);
    return length;
}

/* Waits where stdout takes nothing at the moment: write(2) said so, with EINTR or EAGAIN. The
 * talker's death is no reason to give up: what has come is written. */
static void await_reader(struct listener *listener, struct wait *wait, int error)
{
    bool ready;
    enum wait_result why =
        error == EAGAIN ? wait_on(wait, STDOUT_FILENO, true, &ready) : wakeup_look(wait);
    if (why == WAIT_LATE)
        progress_errx(3, "stdout took nothing within %g seconds, after %llu bytes: gave up",
                      listener->session.timeout, (unsigned long long)listener->progress.bytes);
}

/* Writes a slot whole, straight from the segment. */
static void write_slot(struct listener *listener, const char *bytes, uint64_t length)
{
    struct wait wait = {.timeout = listener->session.timeout};
    while (length > 0) {
        ssize_t written = wakeup_write(STDOUT_FILENO, bytes, length);
        if (written == -1 && (errno == EINTR || errno == EAGAIN)) {
            await_reader(listener, &wait, errno);
            continue;
        }
        if (written == -1)
            refuse(listener, "write to", errno);
        bytes += written;
        length -= (uint64_t)written;
        progress_advance(&listener->progress, (uint64_t)written,
                         atomic_load(&listener->stream->expected));
        if (signals_ending == SIGPIPE) /* the reader took a part, and then went away */
            refuse(listener, "write to", EPIPE);
        ending_obey();
        wait = (struct wait){.timeout = listener->session.timeout};
    }
}

/* The slot may be filled anew. A talker that sleeps because the ring is full sleeps on until half
 * of it is free, and so is woken once for many slots. We are sure to come to that point: while it
 * sleeps, it fills none. */
static void give_back(struct listener *listener)
{
    explain(
        "count the slot as emptied (release), and ring if the talker sleeps until there is room");
    struct stream *stream = listener->stream;
    listener->tail++;
    publish(&stream->tail, listener->tail);
    if (atomic_load(&stream->head) - listener->tail > listener->ring.slots / 2)
        return;
    if (doorbell_ring(&listener->bell, listener->session.peer) == -1 && errno != ESRCH)
        progress_err(1, "kill(%d, SIGUSR1) to the talker", (int)listener->session.peer);
}

static void receive(struct listener *listener)
{
    uint64_t length;
    while ((length = await_slot(listener)) > 0) {
        trace_point("filled");
        write_slot(listener, stream_slot(&listener->ring, listener->tail), length);
        trace_point("written");
        give_back(listener);
    }
    explain("a slot of 0 bytes is the end; before we confirm it, close(2) has to say that all is "
            "written");
    if (sys_close(STDOUT_FILENO) == -1 && errno != EINTR) /* interrupted, it is closed as well */
        refuse(listener, "close", errno);
    give_back(listener);
}

/* ---- the ring ---- */

static void make_ring(struct listener *listener, const struct options *options)
{
#if !defined(SHM_HUGETLB)
    enum { SHM_HUGETLB = 0 };
    if (huge)
        errx(1, "--huge: this system has no SHM_HUGETLB");
#endif
    explain("make a segment with room for all slots: each begins on a page boundary, where the "
            "kernel copies fastest");
    uint64_t bytes = stream_begin() + (uint64_t)slots * (uint64_t)slot_size;
    session_create(&listener->session, options, STREAM_LESSON, bytes, huge ? SHM_HUGETLB : 0);
    struct stream *stream = (struct stream *)listener->session.shared;
    listener->stream = stream;
    publish(&stream->slots, (uint64_t)slots);
    publish(&stream->slot_size, (uint64_t)slot_size);
    listener->ring = (struct stream_ring){.first = (char *)stream + stream_begin(),
                                          .slots = (uint64_t)slots,
                                          .slot_size = (uint64_t)slot_size};
    listener->bell = (struct doorbell_side){
        .mine = &stream->listener, .theirs = &stream->talker, .spin = doorbell_spin(spin)};
    session_announce(&listener->session);
}

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    if ((uint64_t)slot_size % stream_page() != 0)
        errx(2, "--slot-size: %ld is not a whole number of pages (%llu bytes)", slot_size,
             (unsigned long long)stream_page());
    output_to(STDERR_FILENO);

    explain("block SIGUSR1 before anyone can know our PID: an early one then waits");
    wait_block_sigusr1();
    struct listener listener = {0};
    make_ring(&listener, &options);
    session_await_talker(&listener.session);

    progress_begin(&listener.progress, show_progress);
    receive(&listener);
    progress_end(&listener.progress, "received", listener.bell.sent, listener.bell.slept);
    session_part(&listener.session);
    return program_end();
}
