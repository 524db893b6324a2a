/* talker.c - says something to the listener, and prints its answer.
 *
 * The pair's first half. It finds the segment that a listener has created and takes a seat. When
 * its turn comes, it writes a message and sends SIGUSR1. common/layout/pair.h shows what the two
 * share and how the turn passes between them. The same in its plainest form is handshake.c.
 *
 *     $ build/talker "Hello, I'm talker"
 *     talker: said: Hello, I'm talker
 *     talker: listener said: Have a nice day
 *
 *     $ build/talker --chat          (one message a line, Ctrl-D to leave)
 */
#include "../common/input.h"
#include "../common/layout/pair.h"
#include "../common/lesson.h"
#include "../common/peer.h"
#include "../common/segment.h"
#include "../common/text.h"
#include "../common/wait.h"

#include <limits.h>
#include <stdio.h>

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

struct talker {
    struct options options;
    struct segment segment;
    struct pair *pair;
    int me;       /* our PID: it stands in `turn` when we have the turn */
    int listener; /* the creator's PID, from the kernel */
    size_t capacity;
    int seat;
    const char *path; /* argv[0]: the listener's program lies in the same directory */
    int directory;    /* how many bytes of it are the directory */
    char *text;       /* a message, or the reply to it: `capacity` bytes */
    int status;       /* what to exit with, if nothing worse comes */
    bool saw_it_gone; /* the listener was gone when we took our last look, and found its reply */
};

static void be_invited(struct talker *talker, size_t needed);
static void say_message(struct talker *talker, const char *message, size_t length);
static void say_lines(struct talker *talker);
static void leave(struct talker *talker);
static void detach(struct talker *talker);

int main(int argc, char **argv)
{
    const char *path = argv[0] ? argv[0] : "", *slash = strrchr(path, '/');
    struct talker talker = {.me = (int)getpid(),
                            .seat = -1,
                            .path = path,
                            .directory = slash ? (int)(slash + 1 - path) : 0,
                            .options = program_start(argc, argv, &program)};
    const char *message = talker.options.operands[0];
    if (chat && message)
        errx(EXIT_USAGE, "--chat says the lines of stdin: leave out MESSAGE '%s'", message);
    if (!message)
        message = "Hello, I'm talker";

    explain("Block SIGUSR1 before our PID is known: an early one stays pending.");
    wait_block_sigusr1();
    be_invited(&talker, chat ? 0 : strlen(message));
    if (chat)
        say_lines(&talker);
    else
        say_message(&talker, message, strlen(message));
    leave(&talker);
    detach(&talker);
    program_end();
    return talker.status;
}

/* ---- find a listener ---- */

/* Whether a live listener has the key. */
static bool find_segment(struct talker *talker)
{
    const struct options *options = &talker->options;
    key_t key = sys_ftok(options->file, options->project);
    if (key == -1 && errno == ENOENT)
        return false;
    if (key == -1)
        err(EXIT_FAILED, "cannot make a key from the key file: ftok(\"%s\", %d)", options->file,
            options->project);
    enum segment_state state = segment_find(&talker->segment, key);
    if (state == SEGMENT_FOREIGN || state == SEGMENT_ELSEWHERE)
        segment_refuse(&talker->segment);
    return state == SEGMENT_LIVE;
}

static _Noreturn void say_what_to_start(const struct talker *talker)
{
    const struct options *options = &talker->options;
    char listener[PATH_MAX], command[2 * PATH_MAX] = "";
    snprintf(listener, sizeof listener, "%.*slistener", talker->directory, talker->path);
    text_append_word(command, sizeof command, listener);
    text_append(command, sizeof command, " -f ");
    text_append_word(command, sizeof command, options->file);
    segment_no_listener(options, "start one, \"%s -j %d\"", command, options->project);
}

static void find_listener(struct talker *talker)
{
    const struct options *options = &talker->options;
    struct wait wait = {.timeout = options->timeout};

    explain("Find the segment by its key. Only the listener creates it.");
    while (!find_segment(talker)) {
        if (!wait_for_listener && talker->segment.state != SEGMENT_UNBORN)
            say_what_to_start(talker);
        wait_tick(&wait);
        if (wait_tick(&wait) != WAIT_LOOK) /* look every second tick */
            segment_no_listener_in_time(options);
    }
    talker->listener = (int)talker->segment.creator;
    if (wanted_pid && wanted_pid != talker->listener)
        errx(EXIT_NO_PEER,
             "--pid: %ld is not the listener of this segment (%d is): nothing was signalled",
             wanted_pid, talker->listener);
}

/* Attaches the segment, and checks what it says of itself. Returns false where it was removed
 * meanwhile. */
static bool attach(struct talker *talker)
{
    struct segment *segment = &talker->segment;
    segment_expect(segment, PAIR_LESSON, PAIR_VERSION, sizeof(struct pair));

    explain("Attach it, at any address. Check its content before use.");
    if (segment_attach(segment) == -1) {
        if (segment_is_gone())
            return false;
        err(EXIT_FAILED, "shmat(%d, NULL, 0)", segment->shmid);
    }
    talker->pair = (struct pair *)segment->head;
    size_t room = segment->size - sizeof(struct pair);
    talker->capacity = observe(&talker->pair->capacity);
    if (talker->capacity == 0 || talker->capacity > room)
        errx(EXIT_FAILED, "shmid %d claims room for %zu bytes, but has room for %zu: not used",
             segment->shmid, talker->capacity, room);
    talker->text = malloc(talker->capacity);
    if (!talker->text)
        err(EXIT_FAILED, "malloc for a message of %zu bytes", talker->capacity);
    return true;
}

static void detach(struct talker *talker)
{
    explain("Detach. The listener removes the segment.");
    segment_detach(&talker->segment);
    free(talker->text);
    talker->text = NULL;
}

/* ---- wait for the turn ---- */

/* Returns whether the listener is there. */
static bool ring(const struct talker *talker)
{
    if (peer_signal(talker->listener) == 0)
        return true;
    if (errno != ESRCH)
        err(EXIT_FAILED, "kill(%d, SIGUSR1) to the listener", talker->listener);
    return false;
}

/* The listener cannot see that we have attached the segment, and asks. To attach it again makes us
 * the last process that did so: this the kernel tells the listener. */
static void answer_for_seat(const struct talker *talker)
{
    int asked = ~talker->me;
    const void *again = sys_shmat(talker->segment.shmid, NULL, SHM_RDONLY);
    if (again == (void *)-1)
        return; /* the next tick tries again */
    if (sys_shmdt(again) == -1)
        warn("shmdt(%p)", again);
    if (publish_if(&talker->pair->seat[talker->seat], &asked, talker->me))
        ring(talker);
}

/* At a tick. The listener cannot ring a talker that the kernel does not confirm: such a talker
 * finds here that the listener asks, or that its seat is empty. */
static bool is_over(pid_t listener, const void *object)
{
    const struct talker *talker = object;
    int seated = talker->seat >= 0 ? atomic_load(&talker->pair->seat[talker->seat]) : talker->me;
    if (seated == ~talker->me)
        answer_for_seat(talker);
    else if (seated != talker->me)
        return true;
    return peer_is_gone(listener, talker->segment.shmid);
}

static struct wait wait_for(const struct talker *talker)
{
    return (struct wait){.peer = talker->listener,
                         .shmid = talker->segment.shmid,
                         .stopped = &talker->pair->head.stopped[SIDE_LISTENER],
                         .is_gone = is_over,
                         .object = talker,
                         .timeout = talker->options.timeout};
}

static _Noreturn void give_up(struct talker *talker, enum wait_result why)
{
    if (why == WAIT_LATE)
        errx(EXIT_NO_PEER, "no answer from the listener (PID %d) within %g s: gave up",
             talker->listener, talker->options.timeout);
    explain("The dead listener cannot remove its segment: the last process attached does it.");
    segment_survive(&talker->segment);
    errx(EXIT_NO_PEER, "the listener (PID %d) went away", talker->listener);
}

/* How many seats the listener will come to before `seat`, as the segment says. */
static unsigned seats_ahead(const struct talker *talker, unsigned seat)
{
    return (seat - (unsigned)atomic_load(&talker->pair->front) - 1) % PAIR_SEATS;
}

/* Whether the listener has come nearer to `seat` while our time ran out: that is progress, and the
 * time starts anew. It cannot go on for ever, because *nearest only falls. */
static bool came_nearer(const struct talker *talker, struct wait *wait, unsigned seat,
                        unsigned *nearest)
{
    unsigned ahead = seats_ahead(talker, seat);
    if (wait->verdict != WAIT_LATE || ahead >= *nearest)
        return false;
    *nearest = ahead;
    wait->ticks = 0;
    wait->verdict = WAIT_LOOK;
    return true;
}

/* The listener has emptied our seat, and has rung. */
static void check_seat(const struct talker *talker)
{
    int seated = atomic_load(&talker->pair->seat[talker->seat]);
    if (seated != talker->me && seated != ~talker->me)
        errx(
            EXIT_NO_PEER,
            "the listener (PID %d) serves us no more: we had the turn and said nothing in time, or "
            "it does not see that we have attached segment %d",
            talker->listener, talker->segment.shmid);
}

static enum wait_result await_turn(struct talker *talker)
{
    explain("Until the turn is ours: check, sleep, check. So no signal is lost.");
    struct wait wait = wait_for(talker);
    unsigned seat = (unsigned)talker->seat, nearest = seats_ahead(talker, seat);
    while (observe(&talker->pair->turn) != talker->me) {
        check_seat(talker);
        enum wait_result why = wait_sleep(&wait);
        if (why != WAIT_LOOK && !came_nearer(talker, &wait, seat, &nearest))
            return why;
    }
    talker->saw_it_gone = wait.verdict == WAIT_GONE;
    return WAIT_LOOK;
}

/* Takes the first free seat behind the one that is served. Returns -1 where there is none. */
static int take_seat(struct talker *talker)
{
    unsigned front = (unsigned)atomic_load(&talker->pair->front);
    for (unsigned i = 0; i < PAIR_SEATS; i++) {
        unsigned at = (front + 1 + i) % PAIR_SEATS;
        int found = atomic_load(&talker->pair->seat[at]);
        if (found == 0 && publish_if(&talker->pair->seat[at], &found, talker->me))
            return (int)at;
    }
    return -1;
}

/* Waits for a free seat. No process signals us when there is one. While all seats are taken, the
 * listener comes nearer to the last of them. */
static enum wait_result be_seated(struct talker *talker)
{
    struct wait wait = wait_for(talker);
    unsigned last = (unsigned)atomic_load(&talker->pair->front) % PAIR_SEATS, nearest = PAIR_SEATS;
    while ((talker->seat = take_seat(talker)) == -1) {
        enum wait_result why = wait_tick(&wait);
        if (why != WAIT_LOOK && !came_nearer(talker, &wait, last, &nearest))
            return why;
    }
    return WAIT_LOOK;
}

/* WAIT_LOOK: we have the turn. */
static enum wait_result queue(struct talker *talker)
{
    explain("Take a seat: there the listener sees who wants to speak.");
    enum wait_result why = be_seated(talker);
    if (why != WAIT_LOOK)
        return why;
    trace_point("seated");
    ring(talker);
    why = await_turn(talker);
    if (why == WAIT_LOOK)
        trace_point("invited");
    return why;
}

/* With --wait, a listener that goes away before it invites us is followed by the next. */
static void be_invited(struct talker *talker, size_t needed)
{
    do {
        find_listener(talker);
        if (!attach(talker))
            continue;
        if (needed > talker->capacity)
            errx(EXIT_FAILED,
                 "a message of %zu bytes does not fit, the segment takes %zu: not sent", needed,
                 talker->capacity);
        enum wait_result why = queue(talker);
        if (why == WAIT_GONE && wait_for_listener)
            detach(talker);
        else if (why != WAIT_LOOK)
            give_up(talker, why);
    } while (!talker->text);
}

/* ---- the conversation ---- */

/* Only the process that has the turn can pass it: the listener may have taken it back, and have
 * given it to another talker. */
static bool pass_turn(struct talker *talker)
{
    int turn = talker->me;
    return publish_if(&talker->pair->turn, &turn, talker->listener);
}

/* Says `length` bytes of `message`, waits for the reply, and prints it. */
static void say_message(struct talker *talker, const char *message, size_t length)
{
    struct pair *pair = talker->pair;
    check_seat(talker);
    explain("Write the message, pass the turn, then ring: the order matters.");
    copy_bytes_in(pair->text, message, length);
    publish(&pair->length, (uint32_t)length);
    print_bytes(message, length, "said: "); /* now: the listener may look at any moment */
    if (!pass_turn(talker))
        check_seat(talker);
    trace_point("published");
    ring(talker);

    enum wait_result why = await_turn(talker);
    if (why != WAIT_LOOK)
        give_up(talker, why);
    trace_point("reading");
    explain("Copy the length once, check it, use it: another process wrote it.");
    size_t replied = observe(&pair->length);
    if (replied > talker->capacity)
        errx(EXIT_FAILED,
             "the listener (PID %d) announced a reply of %zu bytes, but only %zu fit: refused",
             talker->listener, replied, talker->capacity);
    copy_bytes_out(talker->text, pair->text, replied);
    print_bytes(talker->text, replied, "listener said: ");
}

/* Ends the program because stdin brought no line, and the wait has a verdict. */
static _Noreturn void give_up_reading(struct talker *talker, enum wait_result why)
{
    if (why == WAIT_GONE)
        give_up(talker, why);
    errx(EXIT_NO_PEER, "no line on stdin within %g s: gave up", talker->options.timeout);
}

/* Says stdin line by line. A line that does not fit is refused whole, and the chat goes on. */
static void say_lines(struct talker *talker)
{
    struct input input = {.fd = STDIN_FILENO};
    struct wait wait = wait_for(talker);
    size_t length;
    for (;;) {
        enum input_result found =
            input_line(&input, &wait, talker->text, talker->capacity, &length);
        check_seat(talker);
        switch (found) {
        case INPUT_LINE:
            say_message(talker, talker->text, length);
            wait = wait_for(talker); /* an answer is progress */
            break;
        case INPUT_LONG:
            warnx("a line of %zu bytes does not fit, the segment takes %zu: not sent", length,
                  talker->capacity);
            talker->status = EXIT_FAILED;
            break;
        case INPUT_RUNG:
            break;
        case INPUT_END:
            return;
        case INPUT_FAILED:
            err(EXIT_FAILED, "cannot read a line from stdin");
        case INPUT_VERDICT:
            give_up_reading(talker, wait.verdict);
        }
    }
}

/* Gives back the seat, then the turn. A listener that left before us had finished with us; one that
 * died is another matter. kill(2) succeeds for a dead process that its parent has not waited for.
 */
static void leave(struct talker *talker)
{
    explain("Leave the seat and pass the turn: the next talker is served.");
    publish(&talker->pair->seat[talker->seat], 0);
    if (!pass_turn(talker))
        return; /* the listener has taken it back already */
    trace_point("published");
    bool rung = ring(talker);
    if ((!rung || talker->saw_it_gone) && segment_survive(&talker->segment))
        errx(EXIT_NO_PEER, "the listener (PID %d) went away", talker->listener);
}
