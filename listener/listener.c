/* listener.c - two programs talk through a segment, and it is gone when they have ended.
 *
 * The pair's second half. It creates the segment, sleeps until SIGUSR1 comes, and removes the
 * segment at its end. common/layout/pair.h shows what the two share and how the turn passes between
 * them. The same in its plainest form is handshake.c.
 *
 *     $ build/listener                      $ build/talker "Hello, I'm talker"
 *     listener: waiting for a talker ...    talker: said: Hello, I'm talker
 *     listener: received: Hello, ...        talker: listener said: Have a nice day
 *     listener: replied: Have a nice day
 *
 * Level: first steps; 3 minutes
 * Question: Is the segment still there after both programs have ended?
 * Answer: no. The listener removes it when the conversation is over.
 * Shown by: (no segment)
 *
 * demo step: talker --wait
 * demo: talker "Hello, I'm talker"
 * demo run: listener --interactive
 * demo run: type "Have a nice day"
 * demo run: show ipcs
 */
#include "../common/input.h"
#include "../common/layout/pair.h"
#include "../common/lesson.h"
#include "../common/peer.h"
#include "../common/segment.h"
#include "../common/tick.h"
#include "../common/wait.h"

#include <stdio.h>

static const char *fixed_reply = "Have a nice day";
static bool interactive, keep;
static long most_answers, capacity = 1024, mode = 0600;

static const struct option_spec own_options[] = {
    {'r', "reply", "TEXT", "what to answer (default: Have a nice day)", OPTION_TEXT, &fixed_reply,
     0, 0},
    {'i', "interactive", NULL, "read each reply from stdin", OPTION_FLAG, &interactive, 0, 0},
    {'k', "keep", NULL, "go on until a signal ends it", OPTION_FLAG, &keep, 0, 0},
    {'n', "count", "N", "go on until N messages have been answered", OPTION_NUMBER, &most_answers,
     1, 1000000000},
    {'s', "size", "BYTES", "the longest message (default: 1024)", OPTION_NUMBER, &capacity, 1,
     1 << 30},
    {'m', "mode", "OCTAL", "permissions of the segment (default: 0600)", OPTION_OCTAL, &mode, 0600,
     0777},
    {0, NULL, NULL, NULL, OPTION_FLAG, NULL, 0, 0},
};

static const char *const points[] = {"ready", "reading", "published", NULL};

static const struct program program = {
    .name = "listener",
    .about =
        "Waits for a talker, prints what it says, and replies. One conversation, then it exits.",
    .question = "Is the segment still there after both programs have ended?",
    .options = own_options,
    .points = points,
};

struct listener {
    struct segment segment;
    struct pair *pair;
    int me;                   /* our PID: it stands in `turn` when we have the turn */
    int talker;               /* the talker that is served, confirmed by the kernel; 0: none */
    int seat;                 /* its seat; our own copy, because talkers can write the shared one */
    int asked;                /* the talker that we wait for to attach the segment again; 0: none */
    long asked_at;            /* the tick of the wait at which we began to */
    int question[PAIR_SEATS]; /* the ~PID that we stored in each seat; 0: none yet */
    double timeout;           /* seconds; 0: no limit */
    long answered;
    char *text; /* a message, or the reply to it: `capacity` bytes */
    size_t length;
    struct input typed;
};

/* How a conversation ended. */
enum ending {
    NOT_YET,       /* it goes on */
    TALKER_LEFT,   /* the talker emptied its seat and passed the turn */
    TALKER_GONE,   /* it died, or detached without leaving its seat */
    TALKER_SILENT, /* it had the turn and said nothing within --timeout */
    TALKER_WRONG,  /* its length is impossible */
    ALL_ANSWERED,  /* --count is reached */
    NO_REPLIES,    /* --interactive, and the input has ended */
    REPLY_LATE,    /* --interactive, and no reply was typed within --timeout */
};

static void open_segment(struct listener *listener, const struct options *options);
static void await_talker(struct listener *listener);
static enum ending converse(struct listener *listener);
static int status_of(enum ending ending);

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    if (!interactive && strlen(fixed_reply) > (size_t)capacity)
        errx(EXIT_USAGE,
             "--size: a reply of %zu bytes does not fit into %ld: choose a shorter --reply",
             strlen(fixed_reply), capacity);
    struct listener listener = {.me = (int)getpid(),
                                .timeout = options.timeout,
                                .text = malloc((size_t)capacity),
                                .typed = {.fd = STDIN_FILENO}};
    if (!listener.text)
        err(EXIT_FAILED, "malloc for a message of %ld bytes", capacity);

    open_segment(&listener, &options);
    enum ending ending;
    do {
        await_talker(&listener);
        ending = converse(&listener);
        if (ending == REPLY_LATE || ending == ALL_ANSWERED || ending == NO_REPLIES)
            break;
    } while (keep || most_answers > 0);

    explain("Remove it by its id, then detach: the last one to detach frees it.");
    if (segment_remove(&listener.segment) == -1)
        err(EXIT_FAILED, "shmctl(%d, IPC_RMID)", listener.segment.shmid);
    segment_detach(&listener.segment);
    free(listener.text);
    program_end();
    return status_of(ending);
}

static int status_of(enum ending ending)
{
    switch (ending) {
    case TALKER_GONE:
    case TALKER_SILENT:
    case REPLY_LATE:
        return EXIT_NO_PEER;
    case TALKER_WRONG:
        return EXIT_FAILED;
    case NOT_YET:
    case TALKER_LEFT:
    case ALL_ANSWERED:
    case NO_REPLIES:
        break;
    }
    return EXIT_DONE;
}

/* ---- before the first talker ---- */

static void open_segment(struct listener *listener, const struct options *options)
{
    explain("Block SIGUSR1 before our PID is known: an early one stays pending.");
    wait_block_sigusr1();

    explain("Make a key from a file. The talker makes the same key from it.");
    segment_make_file(options->file);
    key_t key = segment_key(options);

    explain("Create a new segment. IPC_EXCL: never open one that exists.");
    segment_create(&listener->segment, key, sizeof(struct pair) + (size_t)capacity, (int)mode,
                   PAIR_LESSON, PAIR_VERSION);
    listener->pair = (struct pair *)listener->segment.head;
    atomic_store(&listener->pair->capacity, (uint32_t)capacity);
    atomic_store(&listener->pair->turn, listener->me);

    explain("Store the magic last: a segment without it is not ready yet.");
    segment_publish(&listener->segment);
    print_line("waiting for a talker (pid %d, key %#x, shmid %d)", listener->me, (unsigned)key,
               listener->segment.shmid);
    trace_point("ready");
}

static struct wait wait_for(const struct listener *listener)
{
    return (struct wait){.peer = listener->talker,
                         .shmid = listener->segment.shmid,
                         .stopped = &listener->pair->head.stopped[SIDE_TALKER],
                         .we_created = true,
                         .timeout = listener->timeout};
}

/* ---- seats ---- */

/* The PID in a seat, where it stands inverted from our question until the talker answers. */
static int pid_in(const struct listener *listener, int at, int seated)
{
    return seated == listener->question[at] ? ~seated : seated;
}

/* Asks the talker in a seat to attach the segment again, because the kernel then names it as the
 * last process that did (common/layout/pair.h). Returns false where it has had a second for that.
 * The talkers are asked one at a time, and in their order, because only the last one is named. */
static bool ask(struct listener *listener, const struct wait *wait, int at, int pid)
{
    enum { MOST = 1000 / TICK_MS };
    if (listener->asked != pid) {
        listener->asked = pid;
        listener->asked_at = wait->ticks;
    }
    if (wait->ticks - listener->asked_at >= MOST)
        return false;
    int seated = atomic_load(&listener->pair->seat[at]);
    if (seated != pid)
        return true; /* it has not answered yet */
    listener->question[at] = ~pid;
    publish_if(&listener->pair->seat[at], &seated, listener->question[at]);
    return true;
}

static void ignore(const struct listener *listener, int at, int seated, enum peer_claim claim)
{
    const char *why = "it has not attached this segment";
    if (claim == PEER_FORBIDDEN)
        why = "it belongs to another user";
    else if (claim == PEER_UNKNOWN)
        why = "its /proc/PID/maps cannot be read, and it has not attached this segment again";
    else if (peer_last_is_elsewhere(listener->segment.shmid))
        why = "it has not attached this segment, but a process of another PID namespace has: start "
              "both sides in one PID namespace";
    warnx("ignoring PID %d in seat %d: %s", pid_in(listener, at, seated), at, why);
    atomic_compare_exchange_strong(&listener->pair->seat[at], &seated, 0);
}

/* Finds the first talker behind the seat that was served last. A PID in a seat is a claim: it is
 * not signalled unless the kernel confirms that it has attached our segment. If the kernel denies
 * it, the seat is emptied. If the kernel does not say, the talker is asked. Returns false where
 * there is no talker, or one that is asked. */
static bool find_talker(struct listener *listener, const struct wait *wait)
{
    for (int i = 0; i < PAIR_SEATS; i++) {
        int at = (listener->seat + 1 + i) % PAIR_SEATS;
        int seated = atomic_load_explicit(&listener->pair->seat[at], memory_order_acquire);
        if (seated == 0)
            continue;
        int pid = pid_in(listener, at, seated);
        enum peer_claim claim = peer_claim(pid, listener->segment.shmid);
        if (claim == PEER_UNKNOWN && ask(listener, wait, at, pid))
            return false;
        if (claim == PEER_CONFIRMED) {
            atomic_compare_exchange_strong(&listener->pair->seat[at], &seated, pid);
            listener->talker = pid;
            listener->seat = at;
            return true;
        }
        ignore(listener, at, seated, claim);
    }
    listener->asked = 0;
    return false;
}

static void await_talker(struct listener *listener)
{
    explain("Sleep until a talker has a seat. SIGUSR1 only means: look there.");
    listener->talker = listener->asked = 0;
    struct wait wait = wait_for(listener);
    while (!find_talker(listener, &wait))
        if ((listener->asked ? wait_tick(&wait) : wait_sleep(&wait)) != WAIT_LOOK)
            wait_give_up(&wait);
}

/* Takes back the turn, and empties the seat of a talker that will not do so. One that is still
 * alive sees its empty seat when it is rung. */
static void take_back(struct listener *listener)
{
    explain("Take back the turn, then the seat: this talker will not give them back.");
    int talker = listener->talker;
    publish(&listener->pair->turn, listener->me);
    atomic_compare_exchange_strong(&listener->pair->seat[listener->seat], &talker, 0);
    if (peer_has_attached(talker, listener->segment.shmid) && peer_signal(talker) == -1 &&
        errno != ESRCH)
        err(EXIT_FAILED, "kill(%d, SIGUSR1) to the talker", talker);
}

/* ---- one conversation ---- */

static enum ending await_turn(struct listener *listener);
static enum ending answer(struct listener *listener);

/* A talker that looks before we ring may have answered and left already (ESRCH): then its words are
 * in the segment. */
static void ring(const struct listener *listener)
{
    if (peer_signal(listener->talker) == -1 && errno != ESRCH)
        err(EXIT_FAILED, "kill(%d, SIGUSR1) to the talker", listener->talker);
}

static enum ending converse(struct listener *listener)
{
    explain("Invite the talker: only the process that has the turn may write.");
    publish(&listener->pair->front, listener->seat);
    publish(&listener->pair->turn, listener->talker);
    trace_point("published");
    ring(listener);
    enum ending ending;
    do
        if ((ending = await_turn(listener)) == NOT_YET)
            ending = answer(listener);
    while (ending == NOT_YET);

    if (ending == TALKER_GONE)
        warnx("the talker (PID %d) went away", listener->talker);
    if (ending == TALKER_SILENT)
        warnx("no word from the talker (PID %d) within %g s: it loses its turn", listener->talker,
              listener->timeout);
    if (ending == TALKER_WRONG)
        warnx("the talker (PID %d) announced a message longer than %ld bytes: refused",
              listener->talker, capacity);
    if (ending == REPLY_LATE)
        warnx("no reply was typed within %g s: gave up", listener->timeout);
    if (ending == TALKER_GONE || ending == TALKER_SILENT || ending == TALKER_WRONG)
        take_back(listener);
    return ending;
}

/* Sleeps until we have the turn. NOT_YET: there is a message. */
static enum ending await_turn(struct listener *listener)
{
    explain("Until the turn is ours: check, sleep, check. So no signal is lost.");
    struct pair *pair = listener->pair;
    struct wait wait = wait_for(listener);
    while (observe(&pair->turn) != listener->me) {
        enum wait_result why = wait_sleep(&wait);
        if (why == WAIT_REMOVED)
            wait_give_up(&wait);
        if (why != WAIT_LOOK)
            return why == WAIT_GONE ? TALKER_GONE : TALKER_SILENT;
    }
    return atomic_load(&pair->seat[listener->seat]) == listener->talker ? NOT_YET : TALKER_LEFT;
}

/* Copies the message to listener->text. Returns false where its length is impossible. */
static bool read_message(struct listener *listener)
{
    trace_point("reading");
    explain("Copy the length once, check it, use it: another process wrote it.");
    size_t length = observe(&listener->pair->length);
    if (length > (size_t)capacity)
        return false;
    copy_bytes_out(listener->text, listener->pair->text, length);
    listener->length = length;
    print_bytes(listener->text, length, "received: ");
    return true;
}

/* Has the reply typed into listener->text. NOT_YET: it is there. */
static enum ending type_reply(struct listener *listener)
{
    struct wait wait = wait_for(listener);
    bool on_terminal = isatty(STDIN_FILENO);
    if (on_terminal)
        fprintf(stderr, "reply: ");
    for (;;) {
        enum input_result found = input_line(&listener->typed, &wait, listener->text,
                                             (size_t)capacity, &listener->length);
        if (found == INPUT_LINE)
            return NOT_YET;
        if (found == INPUT_LONG)
            warnx("a reply of %zu bytes does not fit: at most %ld do; type another",
                  listener->length, capacity);
        if (found == INPUT_LONG && on_terminal)
            fprintf(stderr, "reply: ");
        if (found == INPUT_LONG || found == INPUT_RUNG)
            continue;
        if (on_terminal)
            fputc('\n', stderr); /* the prompt is still open */
        if (found == INPUT_FAILED)
            err(EXIT_FAILED, "cannot read a reply from stdin");
        if (wait.verdict == WAIT_REMOVED)
            wait_give_up(&wait);
        return found == INPUT_END          ? NO_REPLIES
               : wait.verdict == WAIT_GONE ? TALKER_GONE
                                           : REPLY_LATE;
    }
}

static void send_reply(struct listener *listener)
{
    explain("Write the reply, then pass the turn, then ring: the order matters.");
    copy_bytes_in(listener->pair->text, listener->text, listener->length);
    publish(&listener->pair->length, (uint32_t)listener->length);
    print_bytes(listener->text, listener->length, "replied: "); /* now: the talker may look */
    publish(&listener->pair->turn, listener->talker);
    trace_point("published");
    ring(listener);
}

/* Reads one message, shows it, and answers it. */
static enum ending answer(struct listener *listener)
{
    if (!read_message(listener))
        return TALKER_WRONG;
    if (interactive) {
        enum ending ending = type_reply(listener);
        if (ending != NOT_YET)
            return ending;
    } else {
        listener->length = strlen(fixed_reply);
        memcpy(listener->text, fixed_reply, listener->length);
    }
    send_reply(listener);
    return ++listener->answered == most_answers ? ALL_ANSWERED : NOT_YET;
}
