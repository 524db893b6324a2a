/* grade_pair.c - the cases of the wire in common/layout/pair.h. */
#include "grade_cases.h"

#include "../common/layout/pair.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/shm.h>

enum {
    MAGIC_AT = offsetof(struct pair, head.magic),
    LESSON_AT = offsetof(struct pair, head.lesson),
    VERSION_AT = offsetof(struct pair, head.version),
    CAPACITY_AT = offsetof(struct pair, capacity),
    TURN_AT = offsetof(struct pair, turn),
    FRONT_AT = offsetof(struct pair, front),
    SEATS_AT = offsetof(struct pair, seat),
    LENGTH_AT = offsetof(struct pair, length),
    TEXT_AT = offsetof(struct pair, text),
    SEGMENT_SIZE = 4001,
    CAPACITY = 1024,
    PAGE = 4096,
    ROOM = SEGMENT_SIZE - TEXT_AT,
    DEADLINE_MS = 6000,
};

static const char message[] = "The quick brown fox jumps over 12 lazy dogs";
static const char reply[] = "A reply that no program knows: 4711";

static void use_wire(struct game *game)
{
    game->words = TEXT_AT;
    game->text_size = CAPACITY;
}

static void store_text(struct game *game, const char *text, size_t length)
{
    if (length > 0)
        puppet_store(game, TEXT_AT, text, length);
    puppet_store_word(game, LENGTH_AT, (int)length);
}

/* ---- a talker is graded: we are the listener ---- */

static void open_segment(struct game *game)
{
    char old[PAGE - TEXT_AT];
    memset(old, '#', sizeof old);
    old[sizeof old - 1] = '\0';
    use_wire(game);
    puppet_create(game, game_key(game), SEGMENT_SIZE, 0600);
    puppet_store(game, TEXT_AT, old, sizeof old);
    puppet_store_word(game, LESSON_AT, (int)PAIR_LESSON);
    puppet_store_word(game, VERSION_AT, PAIR_VERSION);
    puppet_store_word(game, CAPACITY_AT, CAPACITY);
    puppet_store_word(game, TURN_AT, (int)game->puppet);
    puppet_store_word(game, MAGIC_AT, (int)SEGMENT_MAGIC);
}

/* The index of the seat that holds `pid`; -1: none. */
static int seat_of(const struct game *game, pid_t pid)
{
    int seats[PAIR_SEATS];
    game_read(game, SEATS_AT, seats, sizeof seats);
    for (int i = 0; i < PAIR_SEATS; i++)
        if (seats[i] == (int)pid)
            return i;
    return -1;
}

static bool is_seated(const struct game *game)
{
    return game->attached && seat_of(game, game->student) >= 0;
}

static bool has_passed_turn(const struct game *game)
{
    return game->attached && game_word(game, TURN_AT) == (int)game->puppet;
}

static void start_talker(struct game *game)
{
    open_segment(game);
    if (!game->arguments[0])
        game->arguments[0] = message;
    game_start(game);
}

static enum stand await_seat(struct game *game)
{
    start_talker(game);
    if (game_until(game, is_seated, DEADLINE_MS) != REACHED)
        leave_open(game, "it took no seat");
    return stand_of(game);
}

static void give_turn(struct game *game)
{
    puppet_store_word(game, FRONT_AT, seat_of(game, game->student));
    puppet_store_word(game, TURN_AT, (int)game->student);
    puppet_ring(game);
}

/* It has the turn, and passes it back with its message. */
static enum outcome await_message(struct game *game)
{
    if (await_seat(game) == OVER)
        leave_open(game, "it never waited for its turn: %s", ending_of(game));
    fall_asleep(game);
    give_turn(game);
    return game_until(game, has_passed_turn, DEADLINE_MS);
}

/* It waits for the reply. */
static enum stand await_reply_wait(struct game *game)
{
    if (await_message(game) != REACHED)
        leave_open(game, "no message came");
    return stand_of(game);
}

static void answer(struct game *game)
{
    store_text(game, reply, sizeof reply - 1);
    puppet_store_word(game, TURN_AT, (int)game->student);
    puppet_ring(game);
}

static void talker_conversation(struct game *game)
{
    char text[64] = "";
    start_talker(game);
    enum outcome outcome = game_until(game, is_seated, DEADLINE_MS);
    if (outcome == ENDED && crashed(game))
        fail(game, CRASHES, game->fault_place, "it took no seat: %s", ending_of(game));
    if (outcome != REACHED)
        fail_conversation(game, game->wait_place, "its PID came to no seat: %s",
                          state_of(game, outcome));
    if (stand_of(game) == OVER)
        fail_conversation(game, game->exit_place, "it did not wait for its turn: %s",
                          ending_of(game));
    if (puppet_rung(game) == 0)
        fail_conversation(game, game->wait_place, "it has a seat, but the listener got no SIGUSR1");
    fall_asleep(game);
    give_turn(game);
    outcome = game_until(game, has_passed_turn, DEADLINE_MS);
    if (outcome == ENDED && crashed(game))
        fail(game, CRASHES, game->fault_place, "it had the turn, and then %s", ending_of(game));
    if (outcome != REACHED)
        fail_conversation(game, game->wait_place,
                          "it had the turn, and did not pass it to the listener: %s",
                          state_of(game, outcome));
    enum stand stand = stand_of(game);
    int length = game_word(game, LENGTH_AT);
    game_read(game, TEXT_AT, text, sizeof message - 1);
    if (length != (int)sizeof message - 1 || strcmp(text, message) != 0)
        fail_conversation(
            game, game->store_place,
            "the message was \"%s\" (%zu bytes), but in the segment stood \"%.60s\" with length "
            "%d",
            message, sizeof message - 1, text, length);
    if (stand == OVER)
        fail_conversation(game, game->exit_place, "it did not wait for the reply: %s",
                          ending_of(game));
    if (puppet_rung(game) == 0)
        fail_conversation(game, game->wait_place,
                          "the message is in the segment, but the listener got no SIGUSR1");
    fall_asleep(game);
    answer(game);
    outcome = game_to_end(game);
    if (outcome == ENDED && crashed(game))
        fail(game, CRASHES, game->fault_place, "the reply came, and then %s", ending_of(game));
    if (outcome != ENDED)
        fail_conversation(game, game->wait_place,
                          "the reply and SIGUSR1 came while it slept, and it did not go on: %s",
                          state_of(game, outcome));
    if (!printed(game, reply) && game->exit_lost > 0)
        fail(game, NOT_FLUSHED, game->exit_place,
             "%lu bytes were still in the buffer of stdout when it ended, and were lost",
             (unsigned long)game->exit_lost);
    if (!printed(game, reply))
        fail_conversation(game, 0, "the reply was \"%s\", but it did not print it", reply);
}

static void talker_order(struct game *game)
{
    if (await_message(game) != REACHED)
        leave_open(game, "no message came");
    if (!at_store(game))
        leave_open(game, "this processor cannot show each store");
    char text[sizeof message] = "";
    game_read(game, TEXT_AT, text, sizeof message - 1);
    if (strcmp(text, message) != 0 || game_word(game, LENGTH_AT) != (int)sizeof message - 1)
        fail(game, TURN_BEFORE_TEXT, game->event.place,
             "it passed the turn while the text in the segment was \"%.40s\" with length %d", text,
             game_word(game, LENGTH_AT));
}

static void talker_early_signal(struct game *game)
{
    start_talker(game);
    if (game_until(game, is_seated, DEADLINE_MS) != REACHED)
        leave_open(game, "it took no seat");
    uint64_t place = game->event.place;
    puppet_ring(game);
    if (stand_of(game) == OVER && died_of(game, SIGUSR1))
        fail(game, HANDLER_TOO_LATE, place,
             "SIGUSR1 came when its PID was in a seat, and killed it");
}

static void talker_window(struct game *game)
{
    need_wait(game, await_reply_wait(game));
    uint64_t place = game->wait_place;
    char name[24];
    snprintf(name, sizeof name, "%s", game->wait_name);
    answer(game);
    if (game_to_end(game) != ENDED || !printed(game, reply))
        fail(game, LOST_WAKEUP, place,
             "the reply and SIGUSR1 came after its check and before %s: it slept on, and did not "
             "see the reply",
             name);
}

static void talker_turn_window(struct game *game)
{
    need_wait(game, await_seat(game));
    uint64_t place = game->wait_place;
    char name[24];
    snprintf(name, sizeof name, "%s", game->wait_name);
    give_turn(game);
    if (game_until(game, has_passed_turn, DEADLINE_MS) != REACHED)
        fail(game, LOST_WAKEUP, place,
             "the turn and SIGUSR1 came after its check and before %s: it slept on, and did not "
             "see the turn",
             name);
}

static void talker_stray(struct game *game)
{
    need_wait(game, await_reply_wait(game));
    for (int i = 0; i < 2; i++) {
        fall_asleep(game);
        puppet_ring(game);
        if (game_until(game, at_wait, DEADLINE_MS) == ENDED || at_exit(game))
            fail(game, SIGNAL_IS_MESSAGE, game->wait_place,
                 "SIGUSR1 came without a reply, and it did not wait on: %s", ending_of(game));
    }
    fall_asleep(game);
    answer(game);
    if (game_to_end(game) != ENDED || !printed(game, reply))
        fail(game, SIGNAL_IS_MESSAGE, game->wait_place,
             "SIGUSR1 came twice without a reply, then the reply came: it did not print it");
}

/* It has a seat, but not the turn: the text is another's. */
static void talker_patience(struct game *game)
{
    if (await_seat(game) == OVER)
        leave_open(game, "it never waited for its turn: %s", ending_of(game));
    char text[8] = "";
    game_read(game, TEXT_AT, text, 7);
    if (strcmp(text, "#######") != 0 || game_word(game, LENGTH_AT) != 0)
        fail(game, WRITES_BEFORE_TURN, game->store_place,
             "it had a seat, but the turn was the listener's, and it wrote its message");
    if (!has_passed_turn(game))
        fail(game, WRITES_BEFORE_TURN, game->store_place,
             "it had a seat, but the turn was the listener's, and it stored %d there",
             game_word(game, TURN_AT));
}

static bool takes_seat(const struct game *game)
{
    return game->held && game->event.what == REPORT_STORING && game->event.args[0] >= SEATS_AT &&
           game->event.args[0] < LENGTH_AT;
}

/* Another talker takes the seat at the very moment at which this one is about to. */
static void talker_race(struct game *game)
{
    int pid = (int)bystander_start(game);
    start_talker(game);
    if (game_until(game, takes_seat, DEADLINE_MS) != REACHED)
        leave_open(game, "this processor cannot show each store");
    uint64_t place = game->event.place;
    long at = (long)game->event.args[0];
    puppet_store_word(game, at, pid);
    game_until(game, at_store, DEADLINE_MS);
    if (game->attached && game_word(game, at) != pid)
        fail(game, WRITES_BEFORE_TURN, place,
             "another talker took the seat between its look and its store, and it overwrote that "
             "PID: both must be one atomic step");
}

static void talker_waits(struct game *game)
{
    if (await_message(game) != REACHED)
        leave_open(game, "no message came");
    judge_wait(game);
}

static void talker_waits_for_turn(struct game *game)
{
    start_talker(game);
    if (game_until(game, is_seated, DEADLINE_MS) != REACHED)
        leave_open(game, "it took no seat");
    judge_wait(game);
}

static void talker_ctrl_c(struct game *game)
{
    if (await_message(game) != REACHED)
        leave_open(game, "no message came");
    judge_ctrl_c(game);
}

static void talker_dead(struct game *game)
{
    if (await_message(game) != REACHED)
        leave_open(game, "no message came");
    judge_dead(game);
}

static void talker_alone(struct game *game)
{
    use_wire(game);
    game->arguments[0] = message;
    game->time_passes = true;
    game_start(game);
    if (game_to_end(game) != ENDED)
        return;
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
    enum outcome outcome = game_until(game, is_seated, DEADLINE_MS);
    if (outcome == REACHED)
        fail(game, STALE_SEGMENT, game->event.place,
             "the listener that created the segment was dead, and it took a seat there");
    if (outcome == ENDED && exited_with(game, 0))
        fail(game, WRONG_EXIT_STATUS, game->exit_place,
             "the listener was dead, and it ended with exit status 0");
}

static void talker_hostile(struct game *game)
{
    char text[PAGE - TEXT_AT];
    memset(text, 'x', sizeof text);
    if (await_reply_wait(game) == OVER)
        leave_open(game, "it did not wait for the reply: %s", ending_of(game));
    fall_asleep(game);
    puppet_store(game, TEXT_AT, text, sizeof text);
    puppet_store_word(game, LENGTH_AT, 0x7fffffff);
    puppet_store_word(game, TURN_AT, (int)game->student);
    puppet_ring(game);
    game_to_end(game);
    size_t run = 0, longest = 0;
    for (size_t i = 0; i < game->output_length; i++) {
        run = game->output[i] == 'x' ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    if (crashed(game) || longest > ROOM)
        fail(game, TRUSTS_SEGMENT, game->fault_place,
             "as the length of the reply stood %d in the segment. It used this number: %s",
             0x7fffffff, crashed(game) ? ending_of(game) : "it printed more than the segment has");
}

/* The reply has no NUL. Behind it stands what was there before: the rest of the message. */
static void talker_ends_text(struct game *game)
{
    char beyond[sizeof reply + 3];
    snprintf(beyond, sizeof beyond, "%s%.3s", reply, message + sizeof reply - 1);
    if (await_reply_wait(game) == OVER)
        leave_open(game, "it did not wait for the reply: %s", ending_of(game));
    fall_asleep(game);
    answer(game);
    game_to_end(game);
    if (printed(game, beyond))
        fail(game, TEXT_NOT_ENDED, 0,
             "the reply had %zu bytes, and it printed on behind them: on this wire a text has no "
             "NUL",
             sizeof reply - 1);
}

static bool has_overrun(const struct game *game)
{
    char behind = '#';
    if (game->attached)
        game_read(game, TEXT_AT + CAPACITY, &behind, 1);
    return behind != '#';
}

static void talker_long(struct game *game)
{
    static char text[1500];
    memset(text, 'y', sizeof text - 1);
    game->arguments[0] = text;
    game->time_passes = true;
    start_talker(game);
    if (game_until(game, is_seated, DEADLINE_MS) == REACHED && stand_of(game) != OVER) {
        fall_asleep(game);
        give_turn(game);
        if (game_until(game, has_overrun, DEADLINE_MS) == REACHED)
            fail(game, COPY_UNBOUNDED, game->event.place,
                 "the segment takes %d bytes, and it wrote a message of %zu bytes there", CAPACITY,
                 sizeof text - 1);
    }
    if (crashed(game))
        fail(game, COPY_UNBOUNDED, game->fault_place, "the message had %zu bytes, and then %s",
             sizeof text - 1, ending_of(game));
}

static void talker_leaves(struct game *game)
{
    if (await_reply_wait(game) == OVER)
        leave_open(game, "it did not wait for the reply: %s", ending_of(game));
    fall_asleep(game);
    puppet_rung(game);
    answer(game);
    if (game_to_end(game) != ENDED)
        leave_open(game, "it did not end");
    if (!printed(game, reply))
        leave_open(game, "it did not print the reply");
    if (seat_of(game, game->student) >= 0)
        fail(game, NEVER_LEAVES, game->exit_place, "it has ended, and its PID is still in a seat");
    if (puppet_word(game, TURN_AT) != (int)game->puppet)
        fail(game, NEVER_LEAVES, game->exit_place, "it has ended, and still has the turn");
    if (puppet_rung(game) == 0)
        fail(game, NEVER_LEAVES, game->exit_place,
             "it has left its seat, but the listener got no SIGUSR1");
}

static void talker_handler(struct game *game)
{
    need_wait(game, await_reply_wait(game));
    fall_asleep(game);
    answer(game);
    game_to_end(game);
    if (game->unsafe)
        fail(game, UNSAFE_IN_HANDLER, game->unsafe_place, "its signal handler called %s",
             game->unsafe_name);
}

static void talker_removes(struct game *game)
{
    enum stand stand = await_reply_wait(game);
    if (segment_was_removed(game, game->shmid))
        fail(game, REMOVES_TOO_EARLY, game->removed_place[0],
             "it removed the segment before the reply was there");
    if (stand == OVER)
        return;
    fall_asleep(game);
    answer(game);
    game_to_end(game);
    if (segment_was_removed(game, game->shmid))
        fail(game, REMOVES_ANOTHERS, game->removed_place[0],
             "it removed the segment, which the listener has created and still uses");
}

static void talker_flush(struct game *game)
{
    if (await_reply_wait(game) != OVER && game->held && game->event.pending > 0)
        fail(game, NOT_FLUSHED, game->wait_place,
             "it waited, and %lu bytes that it had printed were still in the buffer of stdout",
             (unsigned long)game->event.pending);
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

static void talker_status(struct game *game)
{
    if (await_reply_wait(game) == OVER)
        leave_open(game, "it did not wait for the reply: %s", ending_of(game));
    fall_asleep(game);
    answer(game);
    if (game_to_end(game) != ENDED)
        leave_open(game, "it did not end");
    if (!exited_with(game, 0))
        fail(game, WRONG_EXIT_STATUS, game->exit_place, "after a complete conversation %s",
             ending_of(game));
}

static const struct grade_case talker_cases[] = {
    {"conversation", "one message, one reply", 15, talker_conversation},
    {"order", "the text is there before the turn is passed", 6, talker_order},
    {"early", "a signal that comes early does no harm", 6, talker_early_signal},
    {"window", "a reply between check and sleep is not lost", 7, talker_window},
    {"turn-window", "a turn between check and sleep is not lost", 4, talker_turn_window},
    {"stray", "a signal without a reply is no reply", 5, talker_stray},
    {"patience", "without the turn it writes nothing", 4, talker_patience},
    {"race", "a seat is taken in one atomic step", 4, talker_race},
    {"waits", "it sleeps while it waits for the reply", 4, talker_waits},
    {"waits-turn", "it sleeps while it waits for its turn", 2, talker_waits_for_turn},
    {"ctrl-c", "Ctrl-C ends it", 4, talker_ctrl_c},
    {"dead", "it notices that the listener has died", 4, talker_dead},
    {"alone", "without a listener it says so", 3, talker_alone},
    {"stale", "a dead listener's segment is not used", 3, talker_stale},
    {"hostile", "an impossible length does no harm", 4, talker_hostile},
    {"text", "the reply is as long as the length says", 3, talker_ends_text},
    {"long", "a message that is too long does no harm", 4, talker_long},
    {"leaves", "it gives back its seat and its turn", 4, talker_leaves},
    {"handler", "the handler calls nothing unsafe", 3, talker_handler},
    {"removes", "the segment is left to the listener", 3, talker_removes},
    {"flush", "what it prints is seen at once", 2, talker_flush},
    {"ftok", "a failed ftok is noticed", 2, talker_ftok},
    {"shmat", "a failed shmat is noticed", 2, talker_shmat},
    {"status", "exit status 0 after a conversation", 2, talker_status},
    {NULL, NULL, 0, NULL},
};

/* ---- a listener is graded: we are the talker ---- */

static bool is_ready(const struct game *game)
{
    return game->attached && game_word(game, MAGIC_AT) == (int)SEGMENT_MAGIC;
}

static bool has_invited(const struct game *game)
{
    return game->attached && game_word(game, TURN_AT) == (int)game->puppet;
}

static void await_ready(struct game *game)
{
    use_wire(game);
    game_start(game);
    if (game_until(game, is_ready, DEADLINE_MS) != REACHED)
        leave_open(game, "no segment of the listener's became ready");
}

static enum stand await_waiting(struct game *game)
{
    await_ready(game);
    enum stand stand = stand_of(game);
    if (stand == OVER)
        leave_open(game, "it never waited: %s", ending_of(game));
    return stand;
}

static void come_in(struct game *game)
{
    puppet_attach(game, game->created);
    if (game->shmid == -1)
        leave_open(game, "the checker's talker could not attach the segment");
}

static void sit_down(struct game *game)
{
    puppet_store_word(game, SEATS_AT, (int)game->puppet);
    puppet_ring(game);
}

static void pass_turn(struct game *game)
{
    puppet_store_word(game, TURN_AT, (int)game->student);
    puppet_ring(game);
}

/* We have the turn, and it waits for our message. */
static enum stand await_invitation(struct game *game)
{
    await_waiting(game);
    come_in(game);
    fall_asleep(game);
    sit_down(game);
    if (game_until(game, has_invited, DEADLINE_MS) != REACHED)
        leave_open(game, "a talker took a seat, and did not get the turn");
    enum stand stand = stand_of(game);
    if (stand == OVER)
        leave_open(game, "it did not wait for the message: %s", ending_of(game));
    return stand;
}

/* Until the reply is there. */
static enum outcome converse(struct game *game, const char *text, size_t length)
{
    await_invitation(game);
    fall_asleep(game);
    store_text(game, text, length);
    pass_turn(game);
    return game_until(game, has_invited, DEADLINE_MS);
}

static enum outcome say_farewell(struct game *game)
{
    if (stand_of(game) == OVER)
        return ENDED;
    fall_asleep(game);
    puppet_store_word(game, SEATS_AT, 0);
    pass_turn(game);
    return game_to_end(game);
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
    if (shmctl(game->created, IPC_STAT, &about) == 0 && about.shm_segsz <= TEXT_AT)
        fail_conversation(game, game->created_place,
                          "the segment has %lu bytes, and the text begins at %d",
                          (unsigned long)about.shm_segsz, TEXT_AT);
}

static void listener_conversation(struct game *game)
{
    use_wire(game);
    game_start(game);
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
    sit_down(game);
    outcome = game_until(game, has_invited, DEADLINE_MS);
    if (outcome != REACHED)
        fail_conversation(game, game->wait_place,
                          "a talker took a seat and sent SIGUSR1, and did not get the turn: %s",
                          state_of(game, outcome));
    if (stand_of(game) == OVER)
        fail_conversation(game, game->exit_place, "it did not wait for the message: %s",
                          ending_of(game));
    if (puppet_rung(game) == 0)
        fail_conversation(game, game->wait_place, "the talker has the turn, but got no SIGUSR1");
    fall_asleep(game);
    store_text(game, message, sizeof message - 1);
    pass_turn(game);
    outcome = game_until(game, has_invited, DEADLINE_MS);
    if (outcome == ENDED && crashed(game))
        fail(game, CRASHES, game->fault_place, "a message came, and then %s", ending_of(game));
    if (outcome != REACHED)
        fail_conversation(game, game->wait_place,
                          "a message and SIGUSR1 came, and the turn did not come back: %s",
                          state_of(game, outcome));
    outcome = say_farewell(game);
    if (puppet_rung(game) == 0)
        fail_conversation(game, game->wait_place,
                          "the reply is in the segment, but the talker got no SIGUSR1");
    if (outcome != ENDED)
        fail(game, NEVER_ENDS, game->wait_place,
             "the talker has left its seat and passed the turn, and it did not end");
    if (crashed(game))
        fail(game, CRASHES, game->fault_place, "the talker had left, and then %s", ending_of(game));
    if (!printed(game, message))
        fail_conversation(game, 0, "the message was \"%s\", but it did not print it", message);
}

static void listener_order(struct game *game)
{
    await_ready(game);
    if (!at_store(game))
        leave_open(game, "this processor cannot show each store");
    if (game_word(game, LESSON_AT) != (int)PAIR_LESSON ||
        game_word(game, VERSION_AT) != PAIR_VERSION || game_word(game, CAPACITY_AT) <= 0 ||
        game_word(game, TURN_AT) != (int)game->student)
        fail(game, READY_TOO_EARLY, game->event.place,
             "the magic number was stored while the lesson was %#x, the version %d, the capacity "
             "%d and the turn %d",
             (unsigned)game_word(game, LESSON_AT), game_word(game, VERSION_AT),
             game_word(game, CAPACITY_AT), game_word(game, TURN_AT));
}

static void listener_reply_order(struct game *game)
{
    if (converse(game, message, sizeof message - 1) != REACHED)
        leave_open(game, "no reply came");
    if (!at_store(game))
        leave_open(game, "this processor cannot show each store");
    char text[sizeof message] = "";
    game_read(game, TEXT_AT, text, sizeof message - 1);
    if (strcmp(text, message) == 0)
        fail(game, TURN_BEFORE_TEXT, game->event.place,
             "it passed the turn while the text in the segment was still \"%.40s\"", text);
}

static void listener_early_signal(struct game *game)
{
    await_ready(game);
    uint64_t place = game->event.place;
    game_signal(game, SIGUSR1);
    stand_of(game);
    if (died_of(game, SIGUSR1))
        fail(game, HANDLER_TOO_LATE, place,
             "SIGUSR1 came when the segment was ready, and killed it");
}

static void listener_seat_window(struct game *game)
{
    need_wait(game, await_waiting(game));
    uint64_t place = game->wait_place;
    char name[24];
    snprintf(name, sizeof name, "%s", game->wait_name);
    come_in(game);
    sit_down(game);
    if (game_until(game, has_invited, DEADLINE_MS) != REACHED)
        fail(game, LOST_WAKEUP, place,
             "a talker took a seat and sent SIGUSR1 after its check and before %s: it slept on",
             name);
}

static void listener_window(struct game *game)
{
    need_wait(game, await_invitation(game));
    uint64_t place = game->wait_place;
    char name[24];
    snprintf(name, sizeof name, "%s", game->wait_name);
    store_text(game, message, sizeof message - 1);
    pass_turn(game);
    if (game_until(game, has_invited, DEADLINE_MS) != REACHED)
        fail(game, LOST_WAKEUP, place,
             "a message and SIGUSR1 came after its check and before %s: it slept on, and did not "
             "see the message",
             name);
}

/* A signal too many comes while no talker is there. It must not be taken for a later one. */
static void listener_stray(struct game *game)
{
    need_wait(game, await_waiting(game));
    fall_asleep(game);
    game_signal(game, SIGUSR1);
    if (game_until(game, at_wait, DEADLINE_MS) == ENDED)
        fail(game, SIGNAL_IS_MESSAGE, game->wait_place,
             "SIGUSR1 came without a talker, and it did not wait on: %s", ending_of(game));
    come_in(game);
    fall_asleep(game);
    sit_down(game);
    if (game_until(game, has_invited, DEADLINE_MS) != REACHED)
        leave_open(game, "a talker took a seat, and did not get the turn");
    store_text(game, "", 0);
    if (stand_of(game) == OVER || printed(game, "received") || puppet_word(game, LENGTH_AT) != 0)
        fail(
            game, COUNTS_SIGNALS, game->wait_place,
            "one SIGUSR1 too many had come before the talker, and it took the next step too early");
    for (int i = 0; i < 2; i++) {
        fall_asleep(game);
        game_signal(game, SIGUSR1);
        if (game_until(game, at_wait, DEADLINE_MS) == ENDED || printed(game, "received") ||
            puppet_word(game, LENGTH_AT) != 0)
            fail(game, SIGNAL_IS_MESSAGE, game->wait_place,
                 "SIGUSR1 came without a message, and it did not wait on");
    }
    fall_asleep(game);
    store_text(game, message, sizeof message - 1);
    pass_turn(game);
    if (game_until(game, has_invited, DEADLINE_MS) != REACHED || !game->attached)
        fail(game, SIGNAL_IS_MESSAGE, game->wait_place,
             "SIGUSR1 came twice without a message, then a message came: it did not answer");
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
    await_invitation(game);
    fall_asleep(game);
    judge_dead(game);
}

static void listener_mode(struct game *game)
{
    struct shmid_ds about;
    await_ready(game);
    if (shmctl(game->created, IPC_STAT, &about) == -1)
        leave_open(game, "the segment could not be looked at");
    if (about.shm_perm.mode & 0077)
        fail(game, MODE_TOO_WIDE, game->created_place, "the segment has mode %04o",
             about.shm_perm.mode & 0777);
}

static const char foreign_text[] = "the data of another program, which is alive";

static void listener_foreign(struct game *game)
{
    char text[sizeof foreign_text] = "";
    use_wire(game);
    int foreign = puppet_create(game, game_key(game), 1234, 0600);
    puppet_store(game, 0, foreign_text, sizeof foreign_text);
    game->time_passes = true;
    game_start(game);
    stand_of(game);
    if (segment_was_removed(game, foreign) || !segment_exists(foreign))
        fail(game, REMOVES_ANOTHERS, game->removed_place[0],
             "a living program had a segment with this key, and it removed that segment");
    puppet_read(game, 0, text, sizeof text);
    if (strcmp(text, foreign_text) != 0)
        fail(game, REMOVES_ANOTHERS, game->store_place,
             "a living program had a segment with this key, and it wrote into that segment");
    if (exited_with(game, 0))
        fail(game, WRONG_EXIT_STATUS, game->exit_place,
             "another program had the key, and it ended with exit status 0");
}

static void listener_stale(struct game *game)
{
    open_segment(game);
    int stale = game->shmid;
    puppet_store_word(game, SEATS_AT, (int)game->puppet);
    puppet_die(game);
    puppet_start(game);
    game_start(game);
    enum outcome outcome = game_until(game, is_ready, DEADLINE_MS);
    if (outcome == ENDED || (outcome == REACHED && stand_of(game) == OVER))
        fail(game, STALE_SEGMENT, game->exit_place,
             "a killed listener had left its segment, and it did not start: %s", ending_of(game));
    if (outcome != REACHED)
        fail(game, STALE_SEGMENT, game->wait_place,
             "a killed listener had left its segment, and it did not become ready");
    if (game->created != stale && segment_exists(stale))
        fail(game, STALE_SEGMENT, game->wait_place,
             "a killed listener had left its segment, and it is still there");
}

/* A length that no segment has. */
static void listener_length(struct game *game)
{
    await_invitation(game);
    fall_asleep(game);
    store_text(game, message, sizeof message - 1);
    puppet_store_word(game, LENGTH_AT, 0x7fffffff);
    pass_turn(game);
    game_to_end(game);
    if (crashed(game))
        fail(game, TRUSTS_SEGMENT, game->fault_place,
             "as the length of the message stood %d in the segment. It used this number: %s",
             0x7fffffff, ending_of(game));
}

/* The longest message there may be, without a NUL. */
static void listener_full(struct game *game)
{
    char text[CAPACITY];
    memset(text, 'x', sizeof text);
    use_sanitized(game);
    await_invitation(game);
    fall_asleep(game);
    int capacity = game_word(game, CAPACITY_AT);
    size_t length = capacity > 0 && capacity < CAPACITY ? (size_t)capacity : CAPACITY;
    store_text(game, text, length);
    pass_turn(game);
    if (game_until(game, has_invited, DEADLINE_MS) == REACHED)
        say_farewell(game);
    judge_hostile_copy(game, CAPACITY);
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
    fall_asleep(game);
    puppet_store_word(game, SEATS_AT, pid);
    game_signal(game, SIGUSR1);
    game->time_passes = true;
    if (game_until(game, signals_bystander, 1500) == REACHED || game->killed_wrong)
        fail(game, TRUSTS_SEGMENT, game->event.place,
             "in a seat stood PID %d (%s), and it called kill(%d, ...)", pid, what, pid);
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
    need_wait(game, await_invitation(game));
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
    sit_down(game);
    if (game_until(game, has_invited, DEADLINE_MS) != REACHED || stand_of(game) == OVER)
        leave_open(game, "a talker took a seat, and did not get the turn");
    if (say_farewell(game) != ENDED)
        leave_open(game, "it did not end");
    if (segment_exists(shmid))
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

static void listener_status(struct game *game)
{
    if (converse(game, message, sizeof message - 1) != REACHED)
        leave_open(game, "no reply came");
    if (say_farewell(game) != ENDED)
        leave_open(game, "it did not end");
    if (!exited_with(game, 0))
        fail(game, WRONG_EXIT_STATUS, game->exit_place, "after a complete conversation %s",
             ending_of(game));
}

static const struct grade_case listener_cases[] = {
    {"conversation", "one message, one reply", 20, listener_conversation},
    {"ready", "the magic number is stored last", 4, listener_order},
    {"order", "the text is there before the turn is passed", 6, listener_reply_order},
    {"early", "a signal that comes early does no harm", 7, listener_early_signal},
    {"window", "a message between check and sleep is not lost", 8, listener_window},
    {"seat-window", "a talker between check and sleep is not lost", 4, listener_seat_window},
    {"stray", "a signal without a message is no message", 6, listener_stray},
    {"waits", "it sleeps while it waits", 6, listener_waits},
    {"ctrl-c", "Ctrl-C ends it and leaves no segment", 4, listener_ctrl_c},
    {"dead", "it notices that the talker has died", 5, listener_dead},
    {"mode", "other users have no access", 3, listener_mode},
    {"foreign", "another program's segment is left alone", 3, listener_foreign},
    {"stale", "a killed listener's segment is no obstacle", 4, listener_stale},
    {"length", "an impossible length does no harm", 3, listener_length},
    {"full", "the longest message fits", 3, listener_full},
    {"pid", "PID -1 in a seat is not signalled", 2, listener_wrong_pid},
    {"bystander", "a process that is no talker is not signalled", 1, listener_bystander},
    {"handler", "the handler calls nothing unsafe", 3, listener_handler},
    {"removes", "the segment is removed at the end", 3, listener_removes},
    {"flush", "what it prints is seen at once", 2, listener_flush},
    {"ftok", "a failed ftok is noticed", 1, listener_ftok},
    {"shmat", "a failed shmat is noticed", 1, listener_shmat},
    {"status", "exit status 0 after a conversation", 1, listener_status},
    {NULL, NULL, 0, NULL},
};

const struct grade_case *pair_cases(enum side side)
{
    return side == SIDE_OF_TALKER ? talker_cases : listener_cases;
}
