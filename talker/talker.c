/* talker.c - says something to the listener, and prints its answer.
 *
 * The pair's first half. It finds the segment that a listener has created, takes a seat, and when
 * its turn comes leaves a message and rings with SIGUSR1. What the two share, and how the turn
 * passes between them, is told in common/layout/pair.h; how it looks in the plainest form, in
 * handshake.c.
 *
 *     $ build/talker "Hello, I'm talker"
 *     talker: said: Hello, I'm talker
 *     talker: listener said: Have a nice day
 *
 *     $ build/talker --chat          (a line for each message, Ctrl-D to leave)
 */
#include "../common/layout/pair.h"
#include "../common/lesson.h"
#include "../common/wait.h"
#include "../common/peer.h"
#include "../common/ending.h"
#include "../common/segment.h"
#include "../common/input.h"

#include <limits.h>
#include <stddef.h>
#include <stdio.h>

/* ---- the command line ---- */

static long wanted_pid;
static bool wait_for_listener, chat;

static const struct option_spec own_options[] = {
    {'p', "pid", "PID", "speak only to the listener with this PID", OPTION_NUMBER, &wanted_pid, 1,
     INT_MAX},
    {'w', "wait", NULL, "wait for a listener to appear", OPTION_FLAG, &wait_for_listener, 0, 0},
    {'c', "chat", NULL, "say stdin line by line, a reply to each", OPTION_FLAG, &chat, 0, 0},
    {0, NULL, NULL, NULL, OPTION_FLAG, NULL, 0, 0},
};

static const char *const points[] = {"seated", "invited", "reading", "published", NULL};

static const struct program program = {
    .name = "talker",
    .usage = "[options] [MESSAGE]",
    .about = "Says MESSAGE (default: Hello, I'm talker) to a listener, and prints its reply.",
    .options = own_options,
    .points = points,
    .most_operands = 1,
};

/* ---- the talker ---- */

struct talker {
    struct options options;
    struct segment segment;
    struct pair *pair;
    int me;       /* our PID, as the segment tells turns */
    int listener; /* the creator's PID, as the kernel tells it */
    size_t capacity;
    int seat;
    const char *path; /* argv[0]: where we were found, a listener can be as well */
    int directory;    /* how many bytes of it are the directory */
    char *text;       /* a message, or the reply to it: `capacity` bytes */
    int status;       /* what to exit with, if nothing worse comes */
};

static struct wait wait_for(const struct talker *talker)
{
    return (struct wait){.peer = talker->listener,
                                .shmid = talker->segment.shmid,
                                .stopped = &talker->pair->head.stopped[SIDE_LISTENER],
                                .timeout = talker->options.timeout};
}

/* ---- find a listener ---- */

/* Whether a listener lives behind the key. */
static bool find_segment(struct talker *talker)
{
    const struct options *options = &talker->options;
    key_t key = sys_ftok(options->file, options->project);
    if (key == -1 && errno == ENOENT)
        return false;
    if (key == -1)
        err(1, "ftok(\"%s\", %d): the key file cannot be reached", options->file, options->project);
    switch (segment_find(&talker->segment, key)) {
    case SEGMENT_LIVE:
        return true;
    case SEGMENT_FOREIGN:
        segment_refuse(&talker->segment);
    case SEGMENT_UNBORN:
    case SEGMENT_GONE:
    case SEGMENT_ORPHANED:
    case SEGMENT_STALE:
        break;
    }
    return false;
}

static void find_listener(struct talker *talker)
{
    enum { POLL_TICKS = 2 };
    const struct options *options = &talker->options;
    struct wait wait = {.timeout = options->timeout};

    explain("find the listener's segment by its key: the listener creates it, and we never do");
    while (!find_segment(talker)) {
        if (!wait_for_listener && talker->segment.state != SEGMENT_UNBORN)
            errx(3,
                 "no listener (key file \"%s\", project %d): start one, "
                 "\"%.*slistener -f %s -j %d\"",
                 options->file, options->project, talker->directory, talker->path, options->file,
                 options->project);
        for (long until = wait.ticks + POLL_TICKS; wait.ticks < until;)
            if (wait_tick(&wait) == WAIT_LATE)
                errx(3, "no listener within %g seconds (key file \"%s\", project %d): gave up",
                     options->timeout, options->file, options->project);
    }
    talker->listener = (int)talker->segment.creator;
    if (wanted_pid && wanted_pid != talker->listener)
        errx(3, "--pid: %ld is not the listener of this segment (%d is): nothing was signalled",
             wanted_pid, talker->listener);
}

/* Attaches the segment, and believes nothing in it that the kernel does not confirm. Returns false
 * where it was removed meanwhile. */
static bool attach(struct talker *talker)
{
    struct segment *segment = &talker->segment;
    segment_expect(segment, PAIR_LESSON, PAIR_VERSION, sizeof(struct pair));

    explain("attach it where the kernel likes, and check what it says of itself before use");
    if (segment_attach(segment) == -1) {
        if (errno == EINVAL || errno == EIDRM)
            return false;
        err(1, "shmat(%d, NULL, 0)", segment->shmid);
    }
    talker->pair = (struct pair *)segment->head;
    size_t room = segment->size - sizeof(struct pair);
    talker->capacity = talker->pair->capacity;
    if (talker->capacity == 0 || talker->capacity > room)
        errx(1, "shmid %d says that %zu bytes fit, but it has room for %zu: it is broken",
             segment->shmid, talker->capacity, room);
    talker->text = malloc(talker->capacity);
    if (!talker->text)
        err(1, "malloc for a message of %zu bytes", talker->capacity);
    return true;
}

static void detach(struct talker *talker)
{
    explain("detach; whoever created the segment removes it");
    segment_detach(&talker->segment);
    free(talker->text);
    talker->text = NULL;
}

/* ---- the turn ---- */

/* Ends the program because the listener will not answer. */
static _Noreturn void give_up(struct talker *talker, enum wait_result why)
{
    if (why == WAIT_LATE)
        errx(3, "no answer from the listener (PID %d) within %g seconds: gave up", talker->listener,
             talker->options.timeout);
    explain("the listener can remove nothing any more: if nobody else is attached, we do it");
    segment_survive(&talker->segment);
    errx(3, "the listener (PID %d) went away", talker->listener);
}

/* How many seats the listener will come to before ours, as the segment says. */
static unsigned seats_ahead(const struct talker *talker)
{
    unsigned front = (unsigned)atomic_load(&talker->pair->front);
    return ((unsigned)talker->seat - front - 1) % PAIR_SEATS;
}

/* Sleeps until we have the turn. While others have it, each that is served is progress; but not
 * without end, for the listener only comes nearer. */
static enum wait_result await_turn(struct talker *talker)
{
    explain("sleep until the turn is ours: check, sleep, check again, so that no signal is missed");
    struct pair *pair = talker->pair;
    struct wait wait = wait_for(talker);
    unsigned nearest = seats_ahead(talker);
    while (observe(&pair->turn) != talker->me) {
        if (atomic_load(&pair->seat[talker->seat]) != talker->me)
            errx(1, "the listener (PID %d) has dropped us", talker->listener);
        enum wait_result why = wait_sleep(&wait);
        unsigned ahead = seats_ahead(talker);
        if (why == WAIT_LATE && ahead < nearest) {
            nearest = ahead;
            wait.ticks = 0;
            wait.verdict = why = WAIT_LOOK;
        }
        if (why != WAIT_LOOK)
            return why;
    }
    return WAIT_LOOK;
}

/* Returns false where there is no listener to ring for. */
static bool ring(struct talker *talker)
{
    if (peer_signal(talker->listener) == 0)
        return true;
    if (errno != ESRCH)
        err(1, "kill(%d, SIGUSR1) to the listener", talker->listener);
    return false;
}

static bool pass_turn(struct talker *talker)
{
    publish(&talker->pair->turn, talker->listener);
    trace_point("published");
    return ring(talker);
}

/* Takes the first free seat behind those that are being served. */
static int take_seat(struct talker *talker)
{
    unsigned front = (unsigned)atomic_load(&talker->pair->front);
    for (unsigned i = 0; i < PAIR_SEATS; i++) {
        unsigned at = (front + 1 + i) % PAIR_SEATS;
        int nobody = 0;
        if (atomic_compare_exchange_strong(&talker->pair->seat[at], &nobody, talker->me))
            return (int)at;
    }
    return -1;
}

/* Waits for a seat, rings, and waits for the turn. WAIT_LOOK: we have it. */
static enum wait_result be_seated(struct talker *talker)
{
    explain("take a seat: the listener reads there who wants to speak, and in which order");
    struct wait wait = wait_for(talker);
    while ((talker->seat = take_seat(talker)) == -1) {
        enum wait_result why = wait_tick(&wait);
        if (why != WAIT_LOOK)
            return why;
    }
    trace_publish("seat", talker->me);
    trace_point("seated");
    ring(talker);
    enum wait_result why = await_turn(talker);
    if (why == WAIT_LOOK)
        trace_point("invited");
    return why;
}

/* Finds a listener, and waits until it invites us. With --wait, one that goes away before that is
 * followed by the next. */
static void be_invited(struct talker *talker, size_t needed)
{
    enum wait_result why = WAIT_LOOK;
    do {
        find_listener(talker);
        if (!attach(talker))
            continue;
        if (needed > talker->capacity)
            errx(1, "a message of %zu bytes does not fit, the segment takes %zu: not sent", needed,
                 talker->capacity);
        why = be_seated(talker);
        if (why == WAIT_GONE && wait_for_listener)
            detach(talker);
        else if (why != WAIT_LOOK)
            give_up(talker, why);
    } while (!talker->text);
}

/* Gives back the seat, then the turn. A listener that has left before us was done with us; one that
 * has died is another matter. */
static void leave(struct talker *talker)
{
    explain("get up and pass the turn: the listener sees an empty seat, and serves the next");
    publish(&talker->pair->seat[talker->seat], 0);
    if (!pass_turn(talker) && segment_survive(&talker->segment))
        errx(3, "the listener (PID %d) went away", talker->listener);
}

/* ---- the conversation ---- */

/* Says `length` bytes of `message`, and hears the reply. */
static void converse(struct talker *talker, const char *message, size_t length)
{
    explain("leave the message, then the turn, then ring: in this order");
    memcpy(talker->pair->text, message, length);
    trace_publish_text("text", message, length);
    publish(&talker->pair->length, (uint32_t)length);
    publish(&talker->pair->turn, talker->listener);
    trace_point("published");
    say_bytes(message, length, "said: ");
    ring(talker);

    enum wait_result why = await_turn(talker);
    if (why != WAIT_LOOK)
        give_up(talker, why);
    trace_point("reading");
    explain("copy the length once, check it, then use it: it comes from another process");
    size_t replied = observe(&talker->pair->length);
    if (replied > talker->capacity)
        errx(1, "the listener (PID %d) announced a reply of %zu bytes, but only %zu fit: refused",
             talker->listener, replied, talker->capacity);
    memcpy(talker->text, talker->pair->text, replied);
    trace_observe_text("text", talker->text, replied);
    say_bytes(talker->text, replied, "listener said: ");
}

/* Says stdin line by line. A line that does not fit is refused whole, and the chat goes on. */
static void say_lines(struct talker *talker)
{
    struct input input = {.fd = STDIN_FILENO};
    size_t length;
    for (;;) {
        struct wait wait = wait_for(talker);
        switch (input_line(&input, &wait, talker->text, talker->capacity, &length)) {
        case INPUT_LINE:
            converse(talker, talker->text, length);
            break;
        case INPUT_LONG:
            warnx("a line of %zu bytes does not fit, the segment takes %zu: not sent", length,
                  talker->capacity);
            talker->status = 1;
            break;
        case INPUT_END:
            return;
        case INPUT_FAILED:
            err(1, "read a line from stdin");
        case INPUT_VERDICT:
            if (wait.verdict == WAIT_GONE)
                give_up(talker, WAIT_GONE);
            errx(3, "no line on stdin within %g seconds: gave up", talker->options.timeout);
        }
    }
}

int main(int argc, char **argv)
{
    const char *path = argv[0] ? argv[0] : "", *slash = strrchr(path, '/');
    struct talker talker = {.me = (int)getpid(),
                            .path = path,
                            .directory = slash ? (int)(slash + 1 - path) : 0,
                            .options = options_parse(argc, argv, &program)};
    const char *message = talker.options.operands[0];
    if (chat && message)
        errx(2, "--chat says lines of stdin: MESSAGE '%s' has no place beside it", message);
    if (!message)
        message = "Hello, I'm talker";

    explain("block SIGUSR1 before we are known: the invitation may come before we sleep");
    wait_block_sigusr1();

    be_invited(&talker, chat ? 0 : strlen(message));
    if (chat)
        say_lines(&talker);
    else
        say(&talker, message, strlen(message));
    leave(&talker);
    detach(&talker);
    ending_obey();
    return talker.status;
}
