/* stream.c (listener) - any amount of data passes through one segment of fixed size.
 *
 * Writes to stdout what the talker reads from its stdin. On the talker's side the kernel copies
 * straight into a slot of the ring, on ours straight out of it: there is no other copy. While one
 * slot is being written, the next is being read. Both sides work at the same time, and a side
 * sleeps only when it has nothing to do. common/doorbell.h explains how they wake each other, and
 * why they rarely need to.
 *
 *     $ build/listener-stream >copy           $ build/talker-stream <data
 *     listener: waiting for a talker ...      talker: sent 1073741824 bytes in ...
 *     listener: received 1073741824 bytes in ...
 *
 * A stream that broke off never looks complete: then this side exits with 3, and says after how
 * many bytes. stdout is for the data, so all messages go to stderr.
 *
 * Level: beyond; 5 minutes; after lostwakeup, turn
 * Question: How many signals does it take to send a whole file through the segment?
 * Choices: one a byte | one a slot | hardly any
 * Answer: hardly any. A side is signalled only if it has declared that it sleeps.
 * Shown by: sent * bytes in *, signals sent: [0-9],
 *
 * demo: listener >copy
 * demo: talker <README.md
 */
#if defined(__linux__)
#define _GNU_SOURCE /* SHM_HUGETLB */
#endif
#include "../common/layout/stream.h"
#include "../common/doorbell.h"
#include "../common/ending.h"
#include "../common/lesson.h"
#include "../common/peer.h"
#include "../common/ring.h"
#include "../common/session.h"

static long slots = 8, slot_size = 256 * 1024, spin = 0;
static bool huge, show_progress;

static const struct option_spec own_options[] = {
    {0, "slots", "N", "slots in the ring (default: 8)", OPTION_NUMBER, &slots, 1,
     STREAM_MOST_SLOTS},
    {0, "slot-size", "BYTES", "the size of one, whole pages (default: 262144)", OPTION_NUMBER,
     &slot_size, 1, 1 << 30},
    {0, "huge", NULL, "put the ring on huge pages (SHM_HUGETLB)", OPTION_FLAG, &huge, 0, 0},
    {0, "spin", "MICROSECONDS", "spin for so long before sleeping (default: 0)", OPTION_NUMBER,
     &spin, 0, 1000000},
    {0, "progress", NULL, "show the progress, also off a terminal", OPTION_FLAG, &show_progress, 0,
     0},
    {0, NULL, NULL, NULL, OPTION_FLAG, NULL, 0, 0},
};

static const char *const points[] = {"filled", "written", NULL};

static const struct program program = {
    .name = "listener-stream",
    .usage = "[options] >FILE",
    .about = "Writes to stdout what talker-stream reads from its stdin.",
    .question = "How many signals does it take to send a whole file through the segment?",
    .options = own_options,
    .points = points,
};

struct listener {
    struct session session;
    struct stream *stream;
    struct ring ring;
    struct doorbell_side bell;
    struct progress progress;
    uint64_t tail; /* ours alone: the shared copy is for the talker, we never read it back */
};

static void make_ring(struct listener *listener, const struct options *options);
static void receive(struct listener *listener);
static uint64_t await_slot(struct listener *listener);
static void write_slot(struct listener *listener, const char *bytes, size_t length);
static void await_reader(struct listener *listener, struct wait *wait, int error);
static void give_back(struct listener *listener);
static _Noreturn void break_off(const struct listener *listener, enum wait_result why);
static _Noreturn void refuse(struct listener *listener, const char *call, int error);

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    output_to(STDERR_FILENO);

    struct listener listener = {0};
    make_ring(&listener, &options);
    session_await_talker(&listener.session);

    progress_begin(&listener.progress, show_progress);
    receive(&listener);
    progress_end(&listener.progress, "received", listener.bell.sent, listener.bell.slept);
    session_part(&listener.session);
    return program_end();
}

/* ---- the ring ---- */

static size_t bytes_needed(void)
{
    if ((size_t)slot_size % ring_page() != 0)
        errx(EXIT_USAGE, "--slot-size: %ld is not a whole number of pages (%zu bytes)", slot_size,
             ring_page());
    size_t bytes = ring_bytes((uint64_t)slots, (uint64_t)slot_size);
    if (bytes == 0)
        errx(EXIT_USAGE,
             "--slots %ld, --slot-size %ld: so many bytes cannot be addressed with %zu bits", slots,
             slot_size, 8 * sizeof(void *));
    return bytes;
}

static void make_ring(struct listener *listener, const struct options *options)
{
    size_t bytes = bytes_needed();
#if !defined(SHM_HUGETLB)
    enum { SHM_HUGETLB = 0 };
    if (huge)
        errx(EXIT_FAILED, "--huge: this system has no SHM_HUGETLB");
#endif
    explain(
        "Create a segment with all slots, on page boundaries: there the kernel copies fastest.");
    struct session *session = &listener->session;
    struct stream *stream =
        session_create(session, options, STREAM_LESSON, bytes, huge ? SHM_HUGETLB : 0);
    ring_place(&listener->ring, stream, session->segment.size, (uint64_t)slots,
               (uint64_t)slot_size);
    listener->stream = stream;
    listener->bell = (struct doorbell_side){
        .mine = &stream->listener, .theirs = &stream->talker, .spin = doorbell_spin(spin)};
    publish(&stream->slots, (uint64_t)slots);
    publish(&stream->slot_size, (uint64_t)slot_size);
    session_announce(session);
}

/* ---- slot by slot ---- */

static void receive(struct listener *listener)
{
    uint64_t length;
    while ((length = await_slot(listener)) > 0) {
        trace_point("filled");
        write_slot(listener, ring_slot(&listener->ring, listener->tail), (size_t)length);
        trace_point("written");
        give_back(listener);
    }
    explain("A slot of 0 bytes is the end. Confirm it after close has said that all is written.");
    if (sys_close(STDOUT_FILENO) == -1 && errno != EINTR) /* interrupted, it is closed as well */
        refuse(listener, "close", errno);
    give_back(listener);
}

/* Waits for the next slot to be filled. Returns its length, which is read once, and checked. */
static uint64_t await_slot(struct listener *listener)
{
    explain("Look for a filled slot. Declare that we sleep, look again, and only then sleep.");
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
        progress_errx(EXIT_FAILED,
                      "segment %d says that slot %llu holds %llu bytes, and that %llu slots are "
                      "filled: that is impossible",
                      listener->session.segment.shmid, (unsigned long long)listener->tail,
                      (unsigned long long)length, (unsigned long long)head);
    return length;
}

/* Writes a slot whole, straight from the segment. A write that takes bytes is progress: the timeout
 * starts anew. */
static void write_slot(struct listener *listener, const char *bytes, size_t length)
{
    struct wait wait = {.timeout = listener->session.timeout};
    while (length > 0) {
        sigset_t ours;
        wait_unblock(&ours);
        ssize_t written = sys_write(STDOUT_FILENO, bytes, length);
        wait_block_again(&ours);
        if (written == -1 && errno != EINTR && errno != EAGAIN)
            refuse(listener, "write to", errno);
        if (written == -1) {
            await_reader(listener, &wait, errno);
            continue;
        }
        bytes += written;
        length -= (size_t)written;
        progress_advance(&listener->progress, (uint64_t)written,
                         atomic_load(&listener->stream->expected));
        if (signals_ending == SIGPIPE) /* the reader took a part, and then went away */
            refuse(listener, "write to", EPIPE);
        ending_obey();
        wait = (struct wait){.timeout = listener->session.timeout};
    }
}

/* stdout takes nothing at the moment: write(2) failed with EINTR or EAGAIN. The talker's death is
 * no reason to give up, because what has come must be written. */
static void await_reader(struct listener *listener, struct wait *wait, int error)
{
    bool ready;
    if (error == EAGAIN)
        wait_on(wait, STDOUT_FILENO, READY_TO_WRITE, &ready);
    else
        wait_should_look(wait);
    if (wait->verdict == WAIT_LATE)
        progress_errx(EXIT_NO_PEER, "stdout took nothing within %g s, after %llu bytes: gave up",
                      listener->session.timeout, (unsigned long long)listener->progress.bytes);
}

/* The slot may be filled again. A talker that sleeps because the ring is full sleeps until half of
 * it is free, so one signal serves many slots. We always come to that point, because a sleeping
 * talker fills no slot. */
static void give_back(struct listener *listener)
{
    explain("Count the slot as emptied. Signal a talker that sleeps, once half the ring is free.");
    struct stream *stream = listener->stream;
    listener->tail++;
    publish(&stream->tail, listener->tail);
    if (atomic_load(&stream->head) - listener->tail > listener->ring.slots / 2)
        return;
    if (doorbell_ring(&listener->bell, listener->session.peer) == -1 && errno != ESRCH)
        progress_err(EXIT_FAILED, "kill(%d, SIGUSR1) to the talker", (int)listener->session.peer);
}

/* ---- the end of a stream that is not complete ---- */

/* The talker is gone, or silent, and has not announced the end. All that it passed on is written.
 */
static _Noreturn void break_off(const struct listener *listener, enum wait_result why)
{
    unsigned long long bytes = listener->progress.bytes;
    int talker = (int)listener->session.peer;
    if (why == WAIT_LATE)
        progress_errx(EXIT_NO_PEER,
                      "stream broke off after %llu bytes: no word from the talker (PID %d) "
                      "within %g s",
                      bytes, talker, listener->session.timeout);
    progress_errx(EXIT_NO_PEER, "stream broke off after %llu bytes: the talker (PID %d) went away",
                  bytes, talker);
}

/* stdout takes no more. The talker learns why, and ends as well. */
static _Noreturn void refuse(struct listener *listener, const char *call, int error)
{
    explain("Say why, and signal in any case: a talker that waits for input declares no sleep.");
    progress_wipe();
    publish(&listener->stream->refused, error);
    if (peer_signal(listener->session.peer) == -1 && errno != ESRCH)
        warn("kill(%d, SIGUSR1) to the talker", (int)listener->session.peer);
    if (error == EPIPE)
        ending_die(SIGPIPE);
    errno = error;
    err(EXIT_FAILED, "%s stdout, after %llu bytes", call,
        (unsigned long long)listener->progress.bytes);
}
