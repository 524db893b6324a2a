/* listener.c - waits for talkers, reads what they say, and answers.
 *
 * The pair's second half. It creates the segment, is woken by SIGUSR1, and removes the segment when
 * it goes. What the two share, and how the turn passes between them, is told in
 * common/pairs/pair.h; how it looks in the plainest form, in handshake.c.
 *
 *     $ build/listener                      $ build/talker "Hello, I'm talker"
 *     listener: waiting for a talker ...    talker: said: Hello, I'm talker
 *     listener: received: Hello, ...        talker: listener said: Have a nice day
 *     listener: replied: Have a nice day
 *
 * Question: Is the segment still there after both programs have ended?
 *
 * demo step: talker --wait
 * demo: talker "Hello, I'm talker"
 * demo run: listener --interactive
 * demo run: type "Have a nice day"
 * demo run: show ipcs
 */
#include "../common/lines.h"
#include "../common/options.h"
#include "../common/pairs/pair.h"
#include "../common/segment.h"
#include "../common/wakeup.h"

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- the command line ---- */

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
    .usage = "[options]",
    .about =
        "Waits for a talker, prints what it says, and replies. One conversation, then it exits.",
    .options = own_options,
    .points = points,
};

/* ---- the listener ---- */

struct listener {
    struct segment segment;
    struct pair *pair;
    int me;         /* our PID, as the segment tells turns */
    int talker;     /* the one that is served, as the kernel confirmed it; 0: none */
    double timeout; /* seconds; 0: none */
    int front;      /* our own copy: the segment's is only told, never believed */
    long answered;
    char *text; /* a message, or the reply to it: `capacity` bytes */
    struct line_source typed;
};

/* How a conversation ended. */
enum ending {
    NOT_YET,      /* it goes on */
    TALKER_LEFT,  /* it said goodbye */
    TALKER_GONE,  /* it died or detached without a word */
    TALKER_WRONG, /* what it published cannot be */
    ALL_ANSWERED, /* --count is reached */
    NO_REPLIES,   /* --interactive, and the input has ended */
    TIME_OUT,     /* --timeout without progress */
};

static struct wakeup_wait wait_for(const struct listener *listener)
{
    return (struct wakeup_wait){.peer = listener->talker,
                                .shmid = listener->segment.shmid,
                                .stopped = &listener->pair->head.stopped[SEGMENT_TALKER],
                                .timeout = listener->timeout};
}

/* Returns the first seat behind `front` whose talker is really there, and makes that talker the one
 * that is served; or -1. A PID in a seat is a claim: unless the kernel confirms that it has our
 * segment attached, the seat is emptied and nobody is signalled. */
static int find_talker(struct listener *listener)
{
    for (int i = 0; i < PAIR_SEATS; i++) {
        int at = (listener->front + 1 + i) % PAIR_SEATS;
        int pid = atomic_load_explicit(&listener->pair->seat[at], memory_order_acquire);
        if (pid == 0)
            continue;
        if (wakeup_confirm(pid, listener->segment.shmid)) {
            listener->talker = pid;
            return at;
        }
        warnx("PID %d has a seat, but is no talker of ours (any more): passed over", pid);
        atomic_compare_exchange_strong(&listener->pair->seat[at], &pid, 0);
    }
    return -1;
}

/* Sleeps until a talker has a seat. Returns which, or -1 when the time is out. */
static int await_talker(struct listener *listener)
{
    explain("sleep until a talker has taken a seat; the signal only says look, the seats say who");
    listener->talker = 0;
    struct wakeup_wait wait = wait_for(listener);
    int at;
    while ((at = find_talker(listener)) == -1)
        if (wakeup_sleep(&wait) == WAKEUP_LATE)
            return -1;
    return at;
}

/* The turn goes to the talker: what was stored before it is published with it. A talker that looked
 * before we rang may have answered and left already (ESRCH); whether it did, the segment tells. */
static void pass_turn(struct listener *listener)
{
    publish(&listener->pair->turn, listener->talker);
    narrate_point("published");
    if (wakeup_send(listener->talker) == -1 && errno != ESRCH)
        err(1, "kill(%d, SIGUSR1) to the talker", listener->talker);
}

/* Sleeps until we have the turn. */
static enum wakeup await_turn(struct listener *listener)
{
    explain("sleep until the turn is ours: check, sleep, check again, so that no signal is missed");
    struct wakeup_wait wait = wait_for(listener);
    while (observe(&listener->pair->turn) != listener->me) {
        enum wakeup why = wakeup_sleep(&wait);
        if (why != WAKEUP_LOOK)
            return why;
    }
    return WAKEUP_LOOK;
}

/* Copies the talker's message to listener->text. Returns false where its length cannot be. */
static bool read_message(struct listener *listener, size_t *length)
{
    narrate_point("reading");
    explain("copy the length once, check it, then use it: it comes from another process");
    *length = (size_t)observe(&listener->pair->length);
    if (*length > (size_t)capacity)
        return false;
    memcpy(listener->text, listener->pair->text, *length);
    narrate_observe_text("text", listener->text, *length);
    return true;
}

/* Has the reply typed into listener->text. */
static enum line type_reply(struct listener *listener, size_t *length)
{
    for (;;) {
        if (isatty(STDIN_FILENO))
            fprintf(stderr, "reply: ");
        struct wakeup_wait wait = wait_for(listener);
        enum line found =
            lines_read(&listener->typed, &wait, listener->text, (size_t)capacity, length);
        if (found != LINE_READ && found != LINE_LONG && isatty(STDIN_FILENO))
            fputc('\n', stderr); /* nobody has typed Enter behind the prompt */
        if (found != LINE_LONG)
            return found;
        warnx("a reply of %zu bytes does not fit: at most %ld do; type another", *length, capacity);
    }
}

/* Puts the reply into listener->text. LINE_READ: it is there. */
static enum line make_reply(struct listener *listener, size_t *length)
{
    if (interactive)
        return type_reply(listener, length);
    *length = strlen(fixed_reply);
    memcpy(listener->text, fixed_reply, *length);
    return LINE_READ;
}

static void send_reply(struct listener *listener, size_t length)
{
    explain("leave the reply, then give back the turn, then ring: in this order");
    memcpy(listener->pair->text, listener->text, length);
    narrate_publish_text("text", listener->text, length);
    publish(&listener->pair->length, (uint32_t)length);
    pass_turn(listener);
}

/* One message that lies in the segment: read, shown, answered. */
static enum ending answer(struct listener *listener)
{
    size_t length;
    if (!read_message(listener, &length))
        return TALKER_WRONG;
    lines_say(listener->text, length, "listener: received: ");
    switch (make_reply(listener, &length)) {
    case LINE_READ:
    case LINE_LONG:
        break;
    case LINE_END:
        return NO_REPLIES;
    case LINE_BROKEN:
        err(1, "read a reply from stdin");
    case LINE_GONE:
        return TALKER_GONE;
    case LINE_LATE:
        return TIME_OUT;
    }
    send_reply(listener, length);
    lines_say(listener->text, length, "listener: replied: ");
    return ++listener->answered == most_answers ? ALL_ANSWERED : NOT_YET;
}

/* Takes back the turn and the seat of a talker that went away, or that is served no more. */
static void take_back(struct listener *listener, int at)
{
    explain("take back the turn, then the seat: this talker will not give them back");
    int talker = listener->talker;
    publish(&listener->pair->turn, listener->me);
    atomic_compare_exchange_strong(&listener->pair->seat[at], &talker, 0);
}

/* One talker, from the moment that it may speak until it leaves. */
static enum ending converse(struct listener *listener, int at)
{
    explain("invite the talker: from now on, whoever has the turn may write, and nobody else");
    listener->front = at;
    publish(&listener->pair->front, at);
    pass_turn(listener);
    enum ending ending = NOT_YET;
    while (ending == NOT_YET) {
        enum wakeup why = await_turn(listener);
        if (why != WAKEUP_LOOK)
            ending = why == WAKEUP_GONE ? TALKER_GONE : TIME_OUT;
        else if (atomic_load(&listener->pair->seat[at]) != listener->talker)
            ending = TALKER_LEFT;
        else
            ending = answer(listener);
    }
    if (ending == TALKER_GONE)
        warnx("the talker (PID %d) went away", listener->talker);
    if (ending == TALKER_WRONG)
        warnx("the talker (PID %d) announced a message longer than %ld bytes: refused",
              listener->talker, capacity);
    if (ending == TALKER_GONE || ending == TALKER_WRONG)
        take_back(listener, at);
    return ending;
}

/* Conversation after conversation, as long as the options say. Returns the exit status. */
static int listen_to_talkers(struct listener *listener)
{
    for (;;) {
        int at = await_talker(listener);
        enum ending ending = at == -1 ? TIME_OUT : converse(listener, at);
        if (ending == TIME_OUT) {
            warnx("no %s within %g seconds: gave up", at == -1 ? "talker came" : "word",
                  listener->timeout);
            return 3;
        }
        if (ending == ALL_ANSWERED || ending == NO_REPLIES)
            return 0;
        if (!keep && most_answers == 0)
            return ending == TALKER_GONE ? 3 : ending == TALKER_WRONG ? 1 : 0;
    }
}

/* ---- the house ---- */

static void open_house(struct listener *listener, const struct options *options)
{
    explain("make the key that a talker can make as well: same file, same project, same key");
    key_t key = segment_key(options->file, options->project, true);
    if (key == -1)
        err(1, "ftok(\"%s\", %d): cannot make or reach the key file", options->file,
            options->project);

    explain("create the segment new (IPC_EXCL): one that is there already may be somebody's");
    if (segment_create(&listener->segment, key, sizeof(struct pair) + (size_t)capacity, (int)mode,
                       PAIR_LESSON, PAIR_VERSION) == -1)
        segment_refuse(&listener->segment);
    listener->pair = (struct pair *)listener->segment.head;
    listener->pair->capacity = (uint32_t)capacity;
    atomic_store(&listener->pair->turn, listener->me);

    explain("store the magic last: a segment without it is still being born");
    segment_publish(&listener->segment);
    lines_print("waiting for a talker (pid %d, key %#x, shmid %d)", listener->me, (unsigned)key,
                listener->segment.shmid);
    narrate_point("ready");
}

static void close_house(struct listener *listener)
{
    explain(
        "detach, and remove by id: a segment outlives its processes unless somebody removes it");
    segment_detach(&listener->segment);
    if (segment_remove(&listener->segment) == -1 && errno != EINVAL && errno != EIDRM)
        err(1, "shmctl(%d, IPC_RMID)", listener->segment.shmid);
}

int main(int argc, char **argv)
{
    struct options options = options_parse(argc, argv, &program);
    if (!interactive && strlen(fixed_reply) > (size_t)capacity)
        errx(2, "--size: a reply of %zu bytes does not fit into %ld; choose a --reply that does",
             strlen(fixed_reply), capacity);

    struct listener listener = {.me = (int)getpid(),
                                .timeout = options.timeout,
                                .text = malloc((size_t)capacity),
                                .typed = {.fd = STDIN_FILENO}};
    if (!listener.text)
        err(1, "malloc for a message of %ld bytes", capacity);

    explain(
        "block SIGUSR1 before anyone can know our PID: an early one then waits, and kills nobody");
    wakeup_block();
    open_house(&listener, &options);
    int status = listen_to_talkers(&listener);
    close_house(&listener);
    free(listener.text);
    wakeup_end();
    return status;
}
