/* grade_handshake.c - the cases of the wire in common/layout/handshake.h. */
#include "grade_cases.h"

#include "../common/layout/handshake.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/shm.h>

enum {
    MAGIC_AT = offsetof(struct handshake, head.magic),
    LESSON_AT = offsetof(struct handshake, head.lesson),
    VERSION_AT = offsetof(struct handshake, head.version),
    TALKER_AT = offsetof(struct handshake, talker),
    STATE_AT = offsetof(struct handshake, state),
    TEXT_AT = offsetof(struct handshake, text),
    SEGMENT_SIZE = 4001, /* as segment_size has it */
    PAGE = 4096,
    DEADLINE_MS = 6000,
};

static const char message[] = "The quick brown fox jumps over 12 lazy dogs";
static const char reply[] = "A reply that no program knows: 4711";

static void use_wire(struct game *game)
{
    game->words = TEXT_AT;
    game->text_size = HANDSHAKE_TEXT;
}

static bool state_is(const struct game *game, int state)
{
    return game->shmid != -1 && (game->attached || game->ended) &&
           game_word(game, STATE_AT) == state;
}

/* ---- a talker is graded: we are the listener ---- */

/* What stood in the text before is no zero: a message that has no NUL of its own shows. */
static void open_segment(struct game *game)
{
    char old[HANDSHAKE_TEXT];
    memset(old, '#', sizeof old);
    old[sizeof old - 1] = '\0';
    use_wire(game);
    puppet_create(game, game_key(game), SEGMENT_SIZE, 0600);
    puppet_store(game, TEXT_AT, old, sizeof old);
    puppet_store_word(game, LESSON_AT, (int)HANDSHAKE_LESSON);
    puppet_store_word(game, VERSION_AT, HANDSHAKE_VERSION);
    puppet_store_word(game, MAGIC_AT, (int)SEGMENT_MAGIC);
}

static bool has_said(const struct game *game)
{
    return state_is(game, SAID);
}

static bool has_claimed(const struct game *game)
{
    return game->attached && game_word(game, TALKER_AT) == (int)game->student;
}

static void start_talker(struct game *game)
{
    open_segment(game);
    if (!game->arguments[0])
        game->arguments[0] = message;
    game_start(game);
}

/* Leaves the case open where there is no message: the first case tells why. */
static void await_message(struct game *game)
{
    start_talker(game);
    if (!has_said(game) && game_until(game, has_said, DEADLINE_MS) != REACHED)
        leave_open(game, "no message came");
}

static void answer(struct game *game, bool ring)
{
    puppet_store(game, TEXT_AT, reply, sizeof reply);
    puppet_store_word(game, STATE_AT, ANSWERED);
    if (ring)
        puppet_ring(game);
}

static void talker_conversation(struct game *game)
{
    start_talker(game);
    enum outcome outcome = game_until(game, has_said, DEADLINE_MS);
    if (outcome == ENDED && crashed(game))
        fail(game, CRASHES, game->fault_place, "no message came: %s", ending_of(game));
    if (outcome != REACHED)
        fail_conversation(game, game->wait_place,
                          "no message came: the state did not become SAID (1), and %s",
                          state_of(game, outcome));
    enum stand stand = stand_of(game);
    char text[sizeof message] = "";
    game_read(game, TEXT_AT, text, sizeof message - 1);
    if (strcmp(text, message) != 0)
        fail_conversation(game, game->store_place,
                          "the message was \"%s\", but in the segment stood \"%.60s\"", message,
                          text);
    if (game_word(game, TALKER_AT) != (int)game->student)
        fail_conversation(game, game->store_place,
                          "the talker's PID is %d, but in the segment stood %d", (int)game->student,
                          game_word(game, TALKER_AT));
    if (puppet_rung(game) == 0)
        fail_conversation(game, game->store_place,
                          "the message is in the segment, but the listener got no SIGUSR1");
    if (stand == OVER)
        fail_conversation(game, game->exit_place, "it did not wait for the reply: %s",
                          ending_of(game));
    fall_asleep(game);
    answer(game, true);
    outcome = game_to_end(game);
    if (outcome == ENDED && crashed(game))
        fail(game, CRASHES, game->fault_place, "the reply came, and then %s", ending_of(game));
    if (outcome != ENDED)
        fail_conversation(game, game->wait_place,
                          "the reply and SIGUSR1 came while it slept, and it did not go on%s%s",
                          game->waits > 0 ? " in " : "", game->waits > 0 ? game->wait_name : "");
    if (!printed(game, reply) && game->exit_lost > 0)
        fail(game, NOT_FLUSHED, game->exit_place,
             "%lu bytes were still in the buffer of stdout when it ended, and were lost",
             (unsigned long)game->exit_lost);
    if (!printed(game, reply))
        fail_conversation(game, 0, "the reply was \"%s\", but it did not print it", reply);
}

static void talker_status(struct game *game)
{
    await_message(game);
    stand_of(game);
    fall_asleep(game);
    answer(game, true);
    if (game_to_end(game) != ENDED)
        leave_open(game, "it did not end");
    if (!exited_with(game, 0))
        fail(game, WRONG_EXIT_STATUS, game->exit_place, "after a complete conversation %s",
             ending_of(game));
}

static void talker_order(struct game *game)
{
    start_talker(game);
    if (game_until(game, has_said, DEADLINE_MS) != REACHED)
        leave_open(game, "no message came");
    if (!at_store(game))
        leave_open(game, "this processor cannot show each store");
    char text[sizeof message] = "";
    game_read(game, TEXT_AT, text, sizeof message - 1);
    if (strcmp(text, message) != 0)
        fail(game, TURN_BEFORE_TEXT, game->event.place,
             "the state became SAID while the text in the segment was still \"%.40s\"", text);
    if (puppet_rung(game) > 0)
        fail(game, TURN_BEFORE_TEXT, game->event.place,
             "SIGUSR1 came before the state became SAID");
}

static void talker_ends_text(struct game *game)
{
    await_message(game);
    stand_of(game);
    char text[HANDSHAKE_TEXT] = "";
    game_read(game, TEXT_AT, text, sizeof text);
    if (text[sizeof message - 1] != '\0')
        fail(game, TEXT_NOT_ENDED, game->store_place,
             "behind the message stood no NUL, but \"%.20s\": what was there before",
             text + sizeof message - 1);
}

static void talker_early_signal(struct game *game)
{
    start_talker(game);
    if (game_until(game, has_claimed, DEADLINE_MS) != REACHED)
        leave_open(game, "its PID never came into the segment");
    uint64_t place = game->event.place;
    puppet_ring(game);
    enum stand stand = stand_of(game);
    if (stand == OVER && died_of(game, SIGUSR1))
        fail(game, HANDLER_TOO_LATE, place,
             "SIGUSR1 came when its PID was in the segment, and killed it");
}

static void talker_window(struct game *game)
{
    await_message(game);
    need_wait(game, stand_of(game));
    uint64_t place = game->wait_place;
    char name[24];
    snprintf(name, sizeof name, "%s", game->wait_name);
    answer(game, true);
    enum outcome outcome = game_to_end(game);
    if (outcome != ENDED || !printed(game, reply))
        fail(game, LOST_WAKEUP, place,
             "the reply and SIGUSR1 came after its check and before %s: it slept on, and did not "
             "see the reply",
             name);
}

static bool has_reacted(const struct game *game)
{
    return game->ended || printed(game, "####") || at_exit(game);
}

static void talker_stray(struct game *game)
{
    await_message(game);
    enum stand stand = stand_of(game);
    need_wait(game, stand);
    for (int i = 0; i < 2; i++) {
        fall_asleep(game);
        puppet_ring(game);
        enum outcome outcome = game_until(game, at_wait, DEADLINE_MS);
        if (outcome == ENDED || has_reacted(game))
            fail(game, SIGNAL_IS_MESSAGE, game->wait_place,
                 "SIGUSR1 came without a reply, and it did not wait on: %s", ending_of(game));
    }
    fall_asleep(game);
    answer(game, true);
    if (game_to_end(game) != ENDED || !printed(game, reply))
        fail(game, SIGNAL_IS_MESSAGE, game->wait_place,
             "SIGUSR1 came twice without a reply, then the reply came: it did not print it");
}

static void talker_waits(struct game *game)
{
    await_message(game);
    judge_wait(game);
}

static void talker_ctrl_c(struct game *game)
{
    await_message(game);
    judge_ctrl_c(game);
}

static void talker_dead(struct game *game)
{
    await_message(game);
    judge_dead(game);
}

static void talker_alone(struct game *game)
{
    use_wire(game);
    game->arguments[0] = message;
    game->time_passes = true;
    game_start(game);
    if (game_to_end(game) != ENDED)
        return; /* it waits for a listener: that is allowed */
    if (crashed(game))
        fail(game, CRASHES, game->fault_place, "there was no segment, and then %s",
             ending_of(game));
    if (exited_with(game, 0))
        fail(game, WRONG_EXIT_STATUS, game->exit_place,
             "there was no listener and no segment, and it ended with exit status 0");
}

static void talker_stale(struct game *game)
{
    open_segment(game);
    puppet_die(game);
    puppet_start(game);
    game->arguments[0] = message;
    game->time_passes = true;
    game_start(game);
    enum outcome outcome = game_until(game, has_said, DEADLINE_MS);
    if (outcome == REACHED)
        fail(game, STALE_SEGMENT, game->event.place,
             "the listener that created the segment was dead, and it wrote its message there");
    if (outcome == ENDED && exited_with(game, 0))
        fail(game, WRONG_EXIT_STATUS, game->exit_place,
             "the listener was dead, and it ended with exit status 0");
    if (outcome != ENDED)
        fail(game, STALE_SEGMENT, game->wait_place,
             "the listener that created the segment was dead, and it did not end");
}

/* Another talker has this listener: its PID, and its message, stand in the segment. */
static bool has_spoilt(const struct game *game)
{
    char text[8] = "";
    if (!game->attached)
        return false;
    game_read(game, TEXT_AT, text, 7);
    return game_word(game, TALKER_AT) != (int)game->bystander || strcmp(text, "#######") != 0 ||
           game_word(game, STATE_AT) != NOTHING;
}

static void talker_busy(struct game *game)
{
    open_segment(game);
    game->bystander = bystander_start(game); /* the other talker */
    puppet_store_word(game, TALKER_AT, (int)game->bystander);
    game->arguments[0] = message;
    game->time_passes = true;
    game_start(game);
    if (game_until(game, has_spoilt, DEADLINE_MS) == REACHED)
        fail(game, WRITES_BEFORE_TURN, game->event.place,
             "PID %d was the talker already, and it wrote into the segment all the same",
             (int)game->bystander);
    if (exited_with(game, 0))
        fail(game, WRONG_EXIT_STATUS, game->exit_place,
             "the listener had another talker, and it ended with exit status 0");
}

static void talker_hostile(struct game *game)
{
    char text[PAGE - TEXT_AT];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    use_sanitized(game);
    start_talker(game);
    enum stand stand = stand_of(game);
    if (stand == OVER && !strstr(game->errors, "Sanitizer"))
        leave_open(game, "it did not wait for the reply");
    fall_asleep(game);
    if (stand != OVER) {
        puppet_store(game, TEXT_AT, text, sizeof text);
        puppet_store_word(game, STATE_AT, ANSWERED);
        puppet_ring(game);
        game_to_end(game);
    }
    judge_hostile_copy(game, HANDSHAKE_TEXT);
}

static bool has_overrun(const struct game *game)
{
    char behind = 0;
    if (game->attached)
        game_read(game, TEXT_AT + HANDSHAKE_TEXT, &behind, 1);
    return behind != 0;
}

static void talker_long(struct game *game)
{
    static char text[1500];
    memset(text, 'y', sizeof text - 1);
    game->arguments[0] = text;
    game->time_passes = true;
    start_talker(game);
    if (game_until(game, has_overrun, DEADLINE_MS) == REACHED)
        fail(game, COPY_UNBOUNDED, game->event.place,
             "a message of %zu bytes was written past the end of the text, which has %d",
             sizeof text - 1, HANDSHAKE_TEXT);
    if (crashed(game))
        fail(game, COPY_UNBOUNDED, game->fault_place, "the message had %zu bytes, and then %s",
             sizeof text - 1, ending_of(game));
}

static void talker_handler(struct game *game)
{
    await_message(game);
    need_wait(game, stand_of(game));
    fall_asleep(game);
    puppet_ring(game);
    stand_of(game);
    fall_asleep(game);
    answer(game, true);
    game_to_end(game);
    if (game->unsafe)
        fail(game, UNSAFE_IN_HANDLER, game->unsafe_place, "its signal handler called %s",
             game->unsafe_name);
}

static bool is_removing(const struct game *game)
{
    return segment_was_removed(game, game->shmid);
}

static void talker_removes(struct game *game)
{
    await_message(game);
    enum outcome outcome = game_until(game, is_removing, 0);
    if (outcome != REACHED) {
        stand_of(game);
        if (is_removing(game))
            outcome = REACHED;
    }
    if (outcome == REACHED || is_removing(game))
        fail(game, REMOVES_TOO_EARLY, game->removed_place[0],
             "it removed the segment before the reply was there");
    fall_asleep(game);
    answer(game, true);
    game_to_end(game);
    if (is_removing(game))
        fail(game, REMOVES_ANOTHERS, game->removed_place[0],
             "it removed the segment, which the listener has created and still uses");
}

static void talker_flush(struct game *game)
{
    await_message(game);
    enum stand stand = stand_of(game);
    if (stand != OVER && game->event.pending > 0 && game->held)
        fail(game, NOT_FLUSHED, game->wait_place,
             "it waited, and %lu bytes that it had printed were still in the buffer of stdout",
             (unsigned long)game->event.pending);
}

static void talker_operand(struct game *game)
{
    game->arguments[0] = message;
    game->arguments[1] = "abc";
    game->time_passes = true;
    start_talker(game);
    stand_of(game);
    if (game->killed_wrong)
        fail(game, KILL_UNCHECKED_PID, game->killed_place,
             "it was given \"abc\" where a PID may stand, and called kill(%lld, ...)",
             (long long)game->killed_pid);
}

static void talker_ftok(struct game *game)
{
    open_segment(game);
    game->arguments[0] = message;
    judge_failed_ftok(game);
}

static void talker_shmat(struct game *game)
{
    open_segment(game);
    game->arguments[0] = message;
    judge_failed_shmat(game);
}

static const struct grade_case talker_cases[] = {
    {"conversation", "one message, one reply", 18, talker_conversation},
    {"order", "the text is there before the word that says so", 6, talker_order},
    {"text", "the message ends with a NUL", 4, talker_ends_text},
    {"early", "a signal that comes early does no harm", 7, talker_early_signal},
    {"window", "a reply between check and sleep is not lost", 10, talker_window},
    {"stray", "a signal without a reply is no reply", 6, talker_stray},
    {"waits", "it sleeps while it waits", 5, talker_waits},
    {"ctrl-c", "Ctrl-C ends it", 4, talker_ctrl_c},
    {"dead", "it notices that the listener has died", 5, talker_dead},
    {"alone", "without a listener it says so", 3, talker_alone},
    {"stale", "a dead listener's segment is not used", 4, talker_stale},
    {"busy", "another talker is not disturbed", 4, talker_busy},
    {"hostile", "a reply without an end does no harm", 4, talker_hostile},
    {"long", "a message that is too long does no harm", 3, talker_long},
    {"handler", "the handler calls nothing unsafe", 3, talker_handler},
    {"removes", "the segment is left to the listener", 3, talker_removes},
    {"flush", "what it prints is seen at once", 2, talker_flush},
    {"operand", "a word in place of a PID signals no process", 2, talker_operand},
    {"ftok", "a failed ftok is noticed", 3, talker_ftok},
    {"shmat", "a failed shmat is noticed", 2, talker_shmat},
    {"status", "exit status 0 after a conversation", 2, talker_status},
    {NULL, NULL, 0, NULL},
};

/* ---- a listener is graded: we are the talker ---- */

static bool is_ready(const struct game *game)
{
    return game->attached && game_word(game, MAGIC_AT) == (int)SEGMENT_MAGIC;
}

static bool has_answered(const struct game *game)
{
    return state_is(game, ANSWERED);
}

static void start_listener(struct game *game)
{
    use_wire(game);
    game_start(game);
}

static void await_ready(struct game *game)
{
    start_listener(game);
    if (game_until(game, is_ready, DEADLINE_MS) != REACHED)
        leave_open(game, "no segment of the listener's became ready");
}

static void come_in(struct game *game)
{
    puppet_attach(game, game->created);
    if (game->shmid == -1)
        leave_open(game, "the checker's talker could not attach the segment");
    puppet_store_word(game, TALKER_AT, (int)game->puppet);
}

static void say(struct game *game, const char *text, size_t size)
{
    puppet_store(game, TEXT_AT, text, size);
    puppet_store_word(game, STATE_AT, SAID);
    puppet_ring(game);
}

static enum stand await_waiting(struct game *game)
{
    await_ready(game);
    enum stand stand = stand_of(game);
    if (stand == OVER)
        leave_open(game, "it never waited: %s", ending_of(game));
    return stand;
}

/* A whole conversation, as far as it comes. */
static enum outcome converse(struct game *game)
{
    await_waiting(game);
    come_in(game);
    fall_asleep(game);
    say(game, message, sizeof message);
    return game_until(game, has_answered, DEADLINE_MS);
}

static void check_segment(struct game *game)
{
    struct shmid_ds about;
    if (game->created == -1)
        fail_conversation(game, 0, "it created no segment: %s",
                          game->ended ? ending_of(game) : "it goes on without one");
    if (game->created_key != game_key(game))
        fail_conversation(game, game->created_place,
                          "the key is %#llx, but ftok(\"shmfile\", 1) gives %#llx",
                          (unsigned long long)game->created_key & 0xffffffff,
                          (unsigned long long)game_key(game) & 0xffffffff);
    if (shmctl(game->created, IPC_STAT, &about) == 0 && about.shm_segsz < sizeof(struct handshake))
        fail_conversation(game, game->created_place,
                          "the segment has %lu bytes, and the wire needs %zu",
                          (unsigned long)about.shm_segsz, sizeof(struct handshake));
}

static void listener_conversation(struct game *game)
{
    start_listener(game);
    enum outcome outcome = game_until(game, is_ready, DEADLINE_MS);
    if (outcome == ENDED && crashed(game))
        fail(game, CRASHES, game->fault_place, "it did not become ready: %s", ending_of(game));
    check_segment(game);
    if (outcome != REACHED)
        fail_conversation(game, game->store_place,
                          "the magic number 0x%x did not come to offset 0 of the segment",
                          SEGMENT_MAGIC);
    if (stand_of(game) == OVER)
        fail_conversation(game, game->exit_place, "it did not wait for a talker: %s",
                          ending_of(game));
    come_in(game);
    fall_asleep(game);
    say(game, message, sizeof message);
    outcome = game_until(game, has_answered, DEADLINE_MS);
    if (outcome == ENDED && crashed(game))
        fail(game, CRASHES, game->fault_place, "a message came, and then %s", ending_of(game));
    if (outcome != REACHED)
        fail_conversation(
            game, game->wait_place,
            "a message and SIGUSR1 came, and the state did not become ANSWERED (2): %s",
            state_of(game, outcome));
    outcome = game_to_end(game);
    if (outcome == ENDED && crashed(game))
        fail(game, CRASHES, game->fault_place, "it had answered, and then %s", ending_of(game));
    if (puppet_rung(game) == 0)
        fail_conversation(game, game->store_place,
                          "the reply is in the segment, but the talker got no SIGUSR1");
    if (outcome != ENDED)
        fail(game, NEVER_ENDS, game->wait_place, "it had answered, and did not end");
    if (!printed(game, message) && game->exit_lost > 0)
        fail(game, NOT_FLUSHED, game->exit_place,
             "%lu bytes were still in the buffer of stdout when it ended, and were lost",
             (unsigned long)game->exit_lost);
    if (!printed(game, message))
        fail_conversation(game, 0, "the message was \"%s\", but it did not print it", message);
    char text[4] = "";
    game_read(game, TEXT_AT, text, 3);
    if (text[0] == '\0')
        fail_conversation(game, game->store_place, "the reply is empty");
}

static void listener_status(struct game *game)
{
    converse(game);
    if (game_to_end(game) != ENDED)
        leave_open(game, "it did not end");
    if (!exited_with(game, 0))
        fail(game, WRONG_EXIT_STATUS, game->exit_place, "after a complete conversation %s",
             ending_of(game));
}

static void listener_order(struct game *game)
{
    await_ready(game);
    if (!at_store(game))
        leave_open(game, "this processor cannot show each store");
    if (game_word(game, LESSON_AT) != (int)HANDSHAKE_LESSON ||
        game_word(game, VERSION_AT) != HANDSHAKE_VERSION)
        fail(game, READY_TOO_EARLY, game->event.place,
             "the magic number was stored while the lesson was %#x and the version %d",
             (unsigned)game_word(game, LESSON_AT), game_word(game, VERSION_AT));
    if (stand_of(game) == OVER)
        leave_open(game, "it never waited: %s", ending_of(game));
    come_in(game);
    fall_asleep(game);
    say(game, message, sizeof message);
    if (game_until(game, has_answered, DEADLINE_MS) != REACHED)
        leave_open(game, "no reply came");
    char text[sizeof message] = "";
    game_read(game, TEXT_AT, text, sizeof message - 1);
    if (text[0] == '\0' || strcmp(text, message) == 0)
        fail(game, TURN_BEFORE_TEXT, game->event.place,
             "the state became ANSWERED while the text in the segment was still \"%.40s\"", text);
    if (puppet_rung(game) > 0)
        fail(game, TURN_BEFORE_TEXT, game->event.place,
             "SIGUSR1 came before the state became ANSWERED");
}

/* The message is long, so a reply that has no NUL of its own shows. */
static void listener_ends_text(struct game *game)
{
    char text[HANDSHAKE_TEXT];
    memset(text, '#', sizeof text);
    text[sizeof text - 1] = '\0';
    await_waiting(game);
    come_in(game);
    fall_asleep(game);
    say(game, text, sizeof text);
    if (game_until(game, has_answered, DEADLINE_MS) != REACHED)
        leave_open(game, "no reply came");
    stand_of(game);
    game_read(game, TEXT_AT, text, sizeof text);
    if (memchr(text, '\0', sizeof text) == NULL || strstr(text, "####"))
        fail(game, TEXT_NOT_ENDED, game->store_place,
             "behind the reply stood no NUL, but what was there before");
}

static void listener_early_signal(struct game *game)
{
    await_ready(game);
    uint64_t place = game->event.place;
    puppet_ring(game);
    stand_of(game);
    if (died_of(game, SIGUSR1))
        fail(game, HANDLER_TOO_LATE, place,
             "SIGUSR1 came when the segment was ready, and killed it");
}

static void listener_window(struct game *game)
{
    need_wait(game, await_waiting(game));
    uint64_t place = game->wait_place;
    char name[24];
    snprintf(name, sizeof name, "%s", game->wait_name);
    come_in(game);
    say(game, message, sizeof message);
    enum outcome outcome = game_until(game, has_answered, DEADLINE_MS);
    if (outcome != REACHED)
        fail(game, LOST_WAKEUP, place,
             "a message and SIGUSR1 came after its check and before %s: it slept on, and did not "
             "see the message",
             name);
}

static void listener_stray(struct game *game)
{
    need_wait(game, await_waiting(game));
    for (int i = 0; i < 2; i++) {
        fall_asleep(game);
        game_signal(game, SIGUSR1);
        enum outcome outcome = game_until(game, at_wait, DEADLINE_MS);
        if (outcome == ENDED || at_exit(game) || (game->attached && has_answered(game)))
            fail(game, SIGNAL_IS_MESSAGE, game->wait_place,
                 "SIGUSR1 came without a message, and it did not wait on: %s", ending_of(game));
    }
    come_in(game);
    fall_asleep(game);
    say(game, message, sizeof message);
    if (game_until(game, has_answered, DEADLINE_MS) != REACHED)
        fail(game, SIGNAL_IS_MESSAGE, game->wait_place,
             "SIGUSR1 came twice without a message, then a message came: it did not answer");
}

/* A talker has come, and has not said anything yet. */
static void listener_patience(struct game *game)
{
    await_ready(game);
    come_in(game);
    enum stand stand = stand_of(game);
    if (stand == WAITS) {
        game_until(game, game_is_asleep, 1000);
        game_until(game, at_wait, 300); /* one more look, where a timer wakes it */
    }
    if (stand == OVER || game->ended || at_exit(game) || has_answered(game))
        fail(game, WRITES_BEFORE_TURN, game->store_place,
             "a talker had come and had not said anything, and it did not wait for SAID (1)");
}

static void listener_waits(struct game *game)
{
    await_ready(game);
    judge_wait(game);
}

static void listener_ctrl_c(struct game *game)
{
    await_ready(game);
    judge_ctrl_c(game);
    if (segment_exists(game->created))
        fail(game, NEVER_REMOVES, 0,
             "Ctrl-C ended it while it waited, and its segment is still there");
}

static void listener_dead(struct game *game)
{
    await_waiting(game);
    come_in(game);
    puppet_ring(game);
    fall_asleep(game);
    judge_dead(game);
}

static void listener_mode(struct game *game)
{
    await_ready(game);
    struct shmid_ds about;
    if (shmctl(game->created, IPC_STAT, &about) == -1)
        leave_open(game, "the segment could not be looked at");
    if (about.shm_perm.mode & 0077)
        fail(game, MODE_TOO_WIDE, game->created_place, "the segment has mode %04o",
             about.shm_perm.mode & 0777);
}

/* A living program has this key: its segment is no listener's. */
static void listener_foreign(struct game *game)
{
    use_wire(game);
    int foreign = puppet_create(game, game_key(game), 1234, 0600);
    char text[64] = "";
    puppet_store(game, 0, "the data of another program, which is alive", 44);
    game->time_passes = true;
    game_start(game);
    stand_of(game);
    if (segment_was_removed(game, foreign) || !segment_exists(foreign))
        fail(game, REMOVES_ANOTHERS, game->removed_place[0],
             "a living program had a segment with this key, and it removed that segment");
    puppet_read(game, 0, text, 44);
    if (strcmp(text, "the data of another program, which is alive") != 0)
        fail(game, REMOVES_ANOTHERS, game->store_place,
             "a living program had a segment with this key, and it wrote into that segment");
    if (exited_with(game, 0))
        fail(game, WRONG_EXIT_STATUS, game->exit_place,
             "another program had the key, and it ended with exit status 0");
}

/* A killed listener has left its segment, in the middle of a conversation. */
static void listener_stale(struct game *game)
{
    static const char old[] = "an old message";
    open_segment(game);
    int stale = game->shmid;
    puppet_store_word(game, TALKER_AT, (int)game->puppet);
    puppet_store(game, TEXT_AT, old, sizeof old);
    puppet_store_word(game, STATE_AT, SAID);
    puppet_die(game);
    puppet_start(game);
    game->time_passes = true;
    game_start(game);
    game->time_passes = false;
    enum outcome outcome = game_until(game, is_ready, DEADLINE_MS);
    enum stand stand = outcome == REACHED ? stand_of(game) : OVER;
    if (game->attached)
        game->shmid = game->created;
    if (outcome == ENDED && !printed(game, old))
        fail(game, STALE_SEGMENT, game->exit_place,
             "a killed listener had left its segment, and it did not start: %s", ending_of(game));
    if (outcome != REACHED || stand == OVER || printed(game, old) ||
        (game->attached && game_word(game, STATE_AT) != NOTHING))
        fail(game, STALE_SEGMENT, game->wait_place,
             "a killed listener had left its segment, and it took the old message for a new one");
    if (game->created != stale && segment_exists(stale))
        fail(game, STALE_SEGMENT, game->wait_place,
             "a killed listener had left its segment, and it is still there");
}

static void listener_hostile(struct game *game)
{
    char text[PAGE - TEXT_AT];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    use_sanitized(game);
    await_waiting(game);
    come_in(game);
    fall_asleep(game);
    say(game, text, sizeof text);
    game_to_end(game);
    judge_hostile_copy(game, HANDSHAKE_TEXT);
}

static bool signals_bystander(const struct game *game)
{
    return at_kill(game) && (game->event.args[0] <= 1 || game->event.args[0] == game->bystander);
}

static void listener_pid(struct game *game, int pid, const char *what)
{
    await_waiting(game);
    puppet_attach(game, game->created);
    game->bystander = pid;
    puppet_store_word(game, TALKER_AT, pid);
    fall_asleep(game);
    puppet_store(game, TEXT_AT, message, sizeof message);
    puppet_store_word(game, STATE_AT, SAID);
    game_signal(game, SIGUSR1);
    game->time_passes = true;
    if (game_until(game, signals_bystander, DEADLINE_MS) == REACHED || game->killed_wrong)
        fail(game, TRUSTS_SEGMENT, game->event.place,
             "as the talker's PID stood %d in the segment (%s), and it called kill(%d, ...)", pid,
             what, pid);
}

static void listener_wrong_pid(struct game *game)
{
    listener_pid(game, -1, "every process");
}

static void listener_bystander(struct game *game)
{
    listener_pid(game, (int)bystander_start(game), "a process that has not attached the segment");
}

static void listener_handler(struct game *game)
{
    need_wait(game, await_waiting(game));
    fall_asleep(game);
    game_signal(game, SIGUSR1);
    stand_of(game);
    if (!game->ended && game->attached) {
        come_in(game);
        fall_asleep(game);
        say(game, message, sizeof message);
        game_to_end(game);
    }
    if (game->unsafe)
        fail(game, UNSAFE_IN_HANDLER, game->unsafe_place, "its signal handler called %s",
             game->unsafe_name);
}

static void listener_removes(struct game *game)
{
    await_waiting(game);
    int shmid = game->created;
    if (segment_was_removed(game, shmid))
        fail(game, REMOVES_TOO_EARLY, game->removed_place[0],
             "it removed the segment before a talker could find it");
    come_in(game);
    fall_asleep(game);
    say(game, message, sizeof message);
    game_until(game, has_answered, DEADLINE_MS);
    game_to_end(game);
    if (!game->ended)
        leave_open(game, "it did not end");
    if (!segment_was_removed(game, shmid) && segment_exists(shmid))
        fail(game, NEVER_REMOVES, game->created_place,
             "it ended after the conversation, and its segment is still there");
}

static void listener_flush(struct game *game)
{
    await_waiting(game);
    if (game->held && game->event.pending > 0)
        fail(game, NOT_FLUSHED, game->wait_place,
             "it waited, and %lu bytes that it had printed were still in the buffer of stdout",
             (unsigned long)game->event.pending);
}

static void listener_ftok(struct game *game)
{
    use_wire(game);
    judge_failed_ftok(game);
}

static void listener_shmat(struct game *game)
{
    use_wire(game);
    judge_failed_shmat(game);
}

static const struct grade_case listener_cases[] = {
    {"conversation", "one message, one reply", 20, listener_conversation},
    {"order", "the text is there before the word that says so", 6, listener_order},
    {"text", "the reply ends with a NUL", 4, listener_ends_text},
    {"early", "a signal that comes early does no harm", 7, listener_early_signal},
    {"window", "a message between check and sleep is not lost", 10, listener_window},
    {"stray", "a signal without a message is no message", 6, listener_stray},
    {"patience", "a talker that has said nothing yet is waited for", 4, listener_patience},
    {"waits", "it sleeps while it waits", 6, listener_waits},
    {"ctrl-c", "Ctrl-C ends it and leaves no segment", 4, listener_ctrl_c},
    {"dead", "it notices that the talker has died", 5, listener_dead},
    {"mode", "other users have no access", 2, listener_mode},
    {"foreign", "another program's segment is left alone", 3, listener_foreign},
    {"stale", "a killed listener's segment is no obstacle", 4, listener_stale},
    {"hostile", "a message without an end does no harm", 4, listener_hostile},
    {"pid", "PID -1 in the segment is not signalled", 2, listener_wrong_pid},
    {"bystander", "a process that is no talker is not signalled", 1, listener_bystander},
    {"handler", "the handler calls nothing unsafe", 3, listener_handler},
    {"removes", "the segment is removed at the end", 4, listener_removes},
    {"flush", "what it prints is seen at once", 2, listener_flush},
    {"ftok", "a failed ftok is noticed", 1, listener_ftok},
    {"shmat", "a failed shmat is noticed", 1, listener_shmat},
    {"status", "exit status 0 after a conversation", 1, listener_status},
    {NULL, NULL, 0, NULL},
};

const struct grade_case *handshake_cases(enum side side)
{
    return side == SIDE_OF_TALKER ? talker_cases : listener_cases;
}
