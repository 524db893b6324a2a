/* grade_textbook.c - the cases of the wire in common/layout/textbook.h.
 *
 * This wire has no word that says whose turn it is, and no signal for the reply. So the talker has
 * to nap, and the cases count how long: a nap is over at once, and its length is added up. */
#include "grade_cases.h"

#include "../common/layout/textbook.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/shm.h>

enum { SIZE = TEXTBOOK_SIZE, PAGE = 4096, DEADLINE_MS = 8000, LONGEST_NAP_MS = 5000 };

static const char message[] = "The quick brown fox jumps over 12 lazy dogs";
static const char reply[] = "A reply that no program knows: 4711";

static void use_wire(struct game *game)
{
    game->words = 0;
    game->text_size = SIZE;
}

/* ---- a talker is graded: we are the listener ---- */

/* The text is an empty string. Behind its NUL stands what a message without a NUL would show. */
static void open_segment(struct game *game)
{
    char old[SIZE];
    memset(old, '#', sizeof old);
    old[0] = old[sizeof old - 1] = '\0';
    use_wire(game);
    puppet_create(game, game_key(game), SIZE, 0600);
    puppet_store(game, 0, old, sizeof old);
}

static void start_talker(struct game *game)
{
    static char pid[24];
    open_segment(game);
    snprintf(pid, sizeof pid, "%d", (int)game->puppet);
    if (!game->arguments[0])
        game->arguments[0] = pid;
    if (!game->arguments[1])
        game->arguments[1] = message;
    game_start(game);
}

static bool rings(const struct game *game)
{
    return at_kill(game) && game->event.args[1] == SIGUSR1;
}

static bool has_message(const struct game *game)
{
    char text[sizeof message] = "";
    game_read(game, 0, text, sizeof message - 1);
    return strcmp(text, message) == 0;
}

static void await_message(struct game *game)
{
    start_talker(game);
    if (game_until(game, rings, DEADLINE_MS) != REACHED)
        leave_open(game, "it did not signal the listener");
}

/* It has rung, and looks for the reply. */
static enum stand await_nap(struct game *game)
{
    await_message(game);
    enum stand stand = stand_of(game);
    begin_nap(game);
    return stand;
}

static void answer(struct game *game)
{
    char text[sizeof reply + 1];
    snprintf(text, sizeof text, "%s\n", reply);
    puppet_store(game, 0, text, sizeof text);
}

static void talker_conversation(struct game *game)
{
    start_talker(game);
    enum outcome outcome = game_until(game, rings, DEADLINE_MS);
    if (outcome == ENDED && crashed(game))
        fail(game, CRASHES, game->fault_place, "the listener got no SIGUSR1: %s", ending_of(game));
    if (outcome != REACHED)
        fail_conversation(game, game->wait_place, "the listener got no SIGUSR1: %s",
                          state_of(game, outcome));
    if (game->event.args[0] != game->puppet)
        fail_conversation(game, game->event.place,
                          "the listener has PID %d, but SIGUSR1 went to PID %lld",
                          (int)game->puppet, (long long)game->event.args[0]);
    enum stand stand = stand_of(game);
    char text[64] = "";
    game_read(game, 0, text, sizeof text - 1);
    if (strncmp(text, message, sizeof message - 1) != 0)
        fail_conversation(game, game->store_place,
                          "the message was \"%s\", but in the segment stood \"%.60s\"", message,
                          text);
    if (stand == OVER)
        fail_conversation(game, game->exit_place, "it did not wait for the reply: %s",
                          ending_of(game));
    begin_nap(game);
    answer(game);
    outcome = game_to_end(game);
    if (outcome == ENDED && crashed(game))
        fail(game, CRASHES, game->fault_place, "the reply came, and then %s", ending_of(game));
    if (outcome != ENDED)
        fail_conversation(game, game->wait_place, "the reply came, and it did not end");
    if (!printed(game, reply) && game->exit_lost > 0)
        fail(game, NOT_FLUSHED, game->exit_place,
             "%lu bytes were still in the buffer of stdout when it ended, and were lost",
             (unsigned long)game->exit_lost);
    if (!printed(game, reply))
        fail_conversation(game, 0, "the reply was \"%s\", but it did not print it", reply);
}

static void talker_order(struct game *game)
{
    await_message(game);
    if (!has_message(game))
        fail(game, TURN_BEFORE_TEXT, game->event.place,
             "it sent SIGUSR1 before the message was in the segment");
}

static void talker_ends_text(struct game *game)
{
    await_message(game);
    stand_of(game);
    char text[SIZE] = "";
    game_read(game, 0, text, sizeof text);
    if (has_message(game) && (!memchr(text, '\0', sizeof text) || strchr(text, '#')))
        fail(game, TEXT_NOT_ENDED, game->store_place,
             "behind the message stood no NUL, but what was there before");
}

/* The listener needs a second for its reply: the notes' talker naps for two. */
static void talker_slow_answer(struct game *game)
{
    enum stand stand = await_nap(game);
    uint64_t place = game->wait_place;
    long nap = (long)game->event.args[0];
    if (stand == OVER)
        leave_open(game, "it never waited: %s", ending_of(game));
    enum outcome outcome = game_until(game, has_slept_a_second, DEADLINE_MS);
    if (outcome == ENDED)
        fail(game, SLEEPS_TOO_SHORT, place,
             "the listener needed a second for its reply. It slept for %ld ms, and did not wait",
             nap);
    answer(game);
    if (game_to_end(game) == ENDED && !printed(game, reply))
        fail(game, SLEEPS_TOO_SHORT, place,
             "the listener needed a second for its reply, and it did not print the reply");
}

static void talker_quick_answer(struct game *game)
{
    enum stand stand = await_nap(game);
    uint64_t place = game->wait_place;
    if (stand == SPINS)
        fail(game, BUSY_WAITING, 0,
             "while it waited it looked at the memory all the time, and used a whole CPU");
    if (stand == OVER)
        leave_open(game, "it never waited: %s", ending_of(game));
    answer(game);
    if (game_to_end(game) != ENDED)
        leave_open(game, "it did not end");
    if (game->slept_ms > LONGEST_NAP_MS)
        fail(game, SLEEPS_TOO_LONG, place,
             "the reply was there at once, and it slept for %.1f seconds all the same",
             (double)game->slept_ms / 1000);
}

static void talker_ctrl_c(struct game *game)
{
    await_message(game);
    judge_ctrl_c(game);
}

static void talker_dead(struct game *game)
{
    enum stand stand = await_nap(game);
    if (stand == OVER)
        leave_open(game, "it never waited: %s", ending_of(game));
    game->most_sleeps = 150;
    game->time_passes = true;
    puppet_die(game);
    enum outcome outcome = game_to_end(game);
    if (outcome != ENDED)
        fail(game, WAITS_FOR_THE_DEAD, game->wait_place,
             "the listener was killed before it had replied, and it went on waiting");
    if (exited_with(game, 0) && printed(game, "listener said"))
        leave_open(game, "it did not wait for the listener, so it could not notice its death");
    if (exited_with(game, 0))
        fail(game, WRONG_EXIT_STATUS, game->exit_place,
             "the listener died before it had replied, and it ended with exit status 0");
}

static void talker_silent(struct game *game)
{
    if (await_nap(game) == OVER)
        leave_open(game, "it never waited: %s", ending_of(game));
    game->time_passes = true;
    if (game_to_end(game) == ENDED && exited_with(game, 0) && !printed(game, "listener said"))
        fail(game, WRONG_EXIT_STATUS, game->exit_place,
             "the listener did not reply, and it ended with exit status 0");
}

static void talker_alone(struct game *game)
{
    use_wire(game);
    game->arguments[0] = "2";
    game->arguments[1] = message;
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
    static char pid[24];
    open_segment(game);
    snprintf(pid, sizeof pid, "%d", (int)game->puppet);
    puppet_die(game);
    puppet_start(game);
    game->arguments[0] = pid;
    game->arguments[1] = message;
    game->time_passes = true;
    game_start(game);
    if (game_until(game, has_message, DEADLINE_MS) == REACHED)
        fail(game, STALE_SEGMENT, game->event.place,
             "the listener that created the segment was dead, and it wrote its message there");
    if (game->ended && exited_with(game, 0))
        fail(game, WRONG_EXIT_STATUS, game->exit_place,
             "the listener was dead, and it ended with exit status 0");
}

static const char foreign_text[] = "the data of another program, which is alive";

/* A living program has this key: its segment is no listener's. */
static int open_foreign(struct game *game)
{
    use_wire(game);
    int foreign = puppet_create(game, game_key(game), 2345, 0600);
    puppet_store(game, 0, foreign_text, sizeof foreign_text);
    game->time_passes = true;
    return foreign;
}

static void judge_foreign(struct game *game, int foreign)
{
    char text[sizeof foreign_text] = "";
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

static void talker_foreign(struct game *game)
{
    int foreign = open_foreign(game);
    game->arguments[0] = "2";
    game->arguments[1] = message;
    game_start(game);
    stand_of(game);
    judge_foreign(game, foreign);
}

/* The end of the page stops a copy that nothing else stops. */
static void store_endless(struct game *game)
{
    char text[PAGE];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    puppet_store(game, 0, text, sizeof text);
}

static void talker_hostile(struct game *game)
{
    use_sanitized(game);
    if (await_nap(game) != OVER) {
        store_endless(game);
        game_to_end(game);
    }
    judge_hostile_copy(game, SIZE);
}

static bool has_overrun(const struct game *game)
{
    char behind = 0;
    if (game->attached)
        game_read(game, SIZE, &behind, 1);
    return behind != 0;
}

static void talker_long(struct game *game)
{
    static char text[1500];
    memset(text, 'y', sizeof text - 1);
    game->arguments[1] = text;
    game->time_passes = true;
    start_talker(game);
    if (game_until(game, has_overrun, DEADLINE_MS) == REACHED)
        fail(game, COPY_UNBOUNDED, game->event.place,
             "a message of %zu bytes was written past the end of the text, which has %d",
             sizeof text - 1, SIZE);
    if (crashed(game))
        fail(game, COPY_UNBOUNDED, game->fault_place, "the message had %zu bytes, and then %s",
             sizeof text - 1, ending_of(game));
}

static void talker_removes(struct game *game)
{
    enum stand stand = await_nap(game);
    if (segment_was_removed(game, game->shmid))
        fail(game, REMOVES_TOO_EARLY, game->removed_place[0],
             "it removed the segment before the listener had read the message");
    if (stand == OVER)
        leave_open(game, "it never waited: %s", ending_of(game));
    answer(game);
    if (game_to_end(game) != ENDED)
        leave_open(game, "it did not end");
    if (segment_exists(game->shmid))
        fail(game, NEVER_REMOVES, game->exit_place,
             "it has read the reply, and the segment is still there: on this wire the talker "
             "removes it");
}

static void talker_flush(struct game *game)
{
    await_message(game);
    if (stand_of(game) != OVER && game->held && game->event.pending > 0)
        fail(game, NOT_FLUSHED, game->wait_place,
             "it waited, and %lu bytes that it had printed were still in the buffer of stdout",
             (unsigned long)game->event.pending);
}

static void judge_operand(struct game *game, const char *operand)
{
    game->arguments[0] = operand;
    game->time_passes = true;
    start_talker(game);
    stand_of(game);
    if (game->killed_wrong)
        fail(game, KILL_UNCHECKED_PID, game->killed_place,
             "it was given \"%s\" as a PID, and called kill(%lld, ...)", operand,
             (long long)game->killed_pid);
    if (exited_with(game, 0))
        fail(game, WRONG_EXIT_STATUS, game->exit_place,
             "it was given \"%s\" as a PID, and ended with exit status 0", operand);
}

static void talker_word(struct game *game)
{
    judge_operand(game, "abc");
}

static void talker_minus_one(struct game *game)
{
    judge_operand(game, "-1");
}

static void talker_ftok(struct game *game)
{
    open_segment(game);
    game->arguments[0] = "2";
    game->arguments[1] = message;
    judge_failed_ftok(game);
}

static void talker_shmat(struct game *game)
{
    static char pid[24];
    open_segment(game);
    snprintf(pid, sizeof pid, "%d", (int)game->puppet);
    game->arguments[0] = pid;
    game->arguments[1] = message;
    judge_failed_shmat(game);
}

static void talker_status(struct game *game)
{
    if (await_nap(game) == OVER)
        leave_open(game, "it never waited: %s", ending_of(game));
    answer(game);
    if (game_to_end(game) != ENDED)
        leave_open(game, "it did not end");
    if (!exited_with(game, 0))
        fail(game, WRONG_EXIT_STATUS, game->exit_place, "after a complete conversation %s",
             ending_of(game));
}

static const struct grade_case talker_cases[] = {
    {"conversation", "one message, one reply", 24, talker_conversation},
    {"order", "the text is there before SIGUSR1", 8, talker_order},
    {"text", "the message ends with a NUL", 4, talker_ends_text},
    {"slow", "a reply that takes a second is not missed", 8, talker_slow_answer},
    {"quick", "a reply that comes at once is soon printed", 8, talker_quick_answer},
    {"ctrl-c", "Ctrl-C ends it", 4, talker_ctrl_c},
    {"dead", "it notices that the listener has died", 6, talker_dead},
    {"silent", "without a reply it says so", 4, talker_silent},
    {"alone", "without a listener it says so", 3, talker_alone},
    {"stale", "a dead listener's segment is not used", 4, talker_stale},
    {"foreign", "another program's segment is left alone", 4, talker_foreign},
    {"hostile", "a reply without an end does no harm", 5, talker_hostile},
    {"long", "a message that is too long does no harm", 4, talker_long},
    {"removes", "the segment is removed after the reply", 4, talker_removes},
    {"flush", "what it prints is seen at once", 2, talker_flush},
    {"operand", "a word in place of a PID signals no process", 2, talker_word},
    {"minus-one", "PID -1 signals no process", 1, talker_minus_one},
    {"ftok", "a failed ftok is noticed", 2, talker_ftok},
    {"shmat", "a failed shmat is noticed", 1, talker_shmat},
    {"status", "exit status 0 after a conversation", 2, talker_status},
    {NULL, NULL, 0, NULL},
};

/* ---- a listener is graded: we are the talker ---- */

static bool is_attached(const struct game *game)
{
    return game->attached && game->created != -1 && game->held &&
           game->event.what == REPORT_AFTER && game->event.call == CALL_SHMAT;
}

static void await_segment(struct game *game)
{
    use_wire(game);
    game_start(game);
    if (game_until(game, is_attached, DEADLINE_MS) != REACHED)
        leave_open(game, "it created no segment");
}

static enum stand await_waiting(struct game *game)
{
    await_segment(game);
    enum stand stand = stand_of(game);
    if (stand == OVER)
        leave_open(game, "it never waited: %s", ending_of(game));
    return stand;
}

static bool has_replied(const struct game *game)
{
    char text[SIZE] = "";
    if (!game->attached || !at_store(game) != !game->stores)
        return false;
    game_read(game, 0, text, sizeof text);
    return text[0] != '\0' && strncmp(text, message, sizeof message - 1) != 0;
}

static void come_in(struct game *game)
{
    puppet_attach(game, game->created);
    if (game->shmid == -1)
        leave_open(game, "the checker's talker could not attach the segment");
}

static void say(struct game *game, const char *text)
{
    char line[SIZE + 2];
    snprintf(line, sizeof line, "%s\n", text);
    puppet_store(game, 0, line, strlen(line) + 1);
    puppet_ring(game);
}

/* Until it has replied, and naps or waits again. */
static enum outcome converse(struct game *game)
{
    await_waiting(game);
    game->early_removal = segment_was_removed(game, game->created);
    come_in(game);
    fall_asleep(game);
    say(game, message);
    enum outcome outcome = game_until(game, has_replied, DEADLINE_MS);
    if (outcome != REACHED)
        return outcome;
    if (stand_of(game) == OVER)
        return ENDED;
    begin_nap(game);
    return REACHED;
}

static void leave(struct game *game)
{
    puppet_detach(game);
    puppet_remove(game);
}

static void listener_conversation(struct game *game)
{
    struct shmid_ds about;
    use_wire(game);
    game_start(game);
    enum outcome outcome = game_until(game, is_attached, DEADLINE_MS);
    if (outcome == ENDED && crashed(game))
        fail(game, CRASHES, game->fault_place, "it attached no segment: %s", ending_of(game));
    if (outcome != REACHED)
        fail_conversation(game, game->created_place, "it created and attached no segment: %s",
                          state_of(game, outcome));
    if (game->created_key != game_key(game))
        fail_conversation(game, game->created_place,
                          "the key is %#llx, but ftok(\"shmfile\", 1) gives %#llx",
                          (unsigned long long)game->created_key & 0xffffffff,
                          (unsigned long long)game_key(game) & 0xffffffff);
    if (shmctl(game->created, IPC_STAT, &about) == 0 && about.shm_segsz != SIZE)
        fail_conversation(game, game->created_place,
                          "the segment has %lu bytes, and the wire has %d",
                          (unsigned long)about.shm_segsz, SIZE);
    if (stand_of(game) == OVER)
        fail_conversation(game, game->exit_place, "it did not wait for a talker: %s",
                          ending_of(game));
    come_in(game);
    fall_asleep(game);
    say(game, message);
    outcome = game_until(game, has_replied, DEADLINE_MS);
    if (outcome == ENDED && crashed(game))
        fail(game, CRASHES, game->fault_place, "a message came, and then %s", ending_of(game));
    if (outcome != REACHED)
        fail_conversation(game, game->wait_place,
                          "a message and SIGUSR1 came, and no reply came to the segment: %s",
                          state_of(game, outcome));
    if (stand_of(game) != OVER) {
        begin_nap(game);
        leave(game);
        outcome = game_to_end(game);
        if (outcome != ENDED)
            fail(game, NEVER_ENDS, game->wait_place,
                 "the talker has read the reply and removed the segment, and it did not end");
    }
    if (crashed(game))
        fail(game, CRASHES, game->fault_place, "it had replied, and then %s", ending_of(game));
    if (!printed(game, message))
        fail_conversation(game, 0, "the message was \"%s\", but it did not print it", message);
}

static void listener_ends_text(struct game *game)
{
    char text[SIZE];
    memset(text, '#', 600);
    text[600] = '\0';
    await_waiting(game);
    come_in(game);
    fall_asleep(game);
    say(game, text);
    stand_of(game);
    puppet_read(game, 0, text, sizeof text);
    if (text[0] != '#' && (!memchr(text, '\0', sizeof text) || strstr(text, "####")))
        fail(game, TEXT_NOT_ENDED, game->store_place,
             "behind the reply stood no NUL, but what was there before");
}

static void listener_early_signal(struct game *game)
{
    await_segment(game);
    uint64_t place = game->created_place;
    game_signal(game, SIGUSR1);
    stand_of(game);
    if (died_of(game, SIGUSR1))
        fail(game, HANDLER_TOO_LATE, place,
             "SIGUSR1 came when its segment was there, and killed it");
}

static void listener_window(struct game *game)
{
    need_wait(game, await_waiting(game));
    uint64_t place = game->wait_place;
    char name[24];
    snprintf(name, sizeof name, "%s", game->wait_name);
    come_in(game);
    say(game, message);
    if (game_until(game, has_replied, DEADLINE_MS) != REACHED)
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
        if (outcome == ENDED || outcome == POLLING || at_exit(game) || has_replied(game))
            fail(game, SIGNAL_IS_MESSAGE, game->wait_place,
                 "SIGUSR1 came without a message, and it did not wait on");
    }
    come_in(game);
    fall_asleep(game);
    say(game, message);
    if (game_until(game, has_replied, DEADLINE_MS) != REACHED)
        fail(game, SIGNAL_IS_MESSAGE, game->wait_place,
             "SIGUSR1 came twice without a message, then a message came: it did not reply");
}

static void listener_waits(struct game *game)
{
    await_segment(game);
    judge_wait(game);
}

static void listener_ctrl_c(struct game *game)
{
    await_segment(game);
    judge_ctrl_c(game);
    if (segment_exists(game->created))
        fail(game, NEVER_REMOVES, 0,
             "Ctrl-C ended it while it waited, and its segment is still there");
}

/* The talker is killed after the reply, and has not removed the segment. */
static void listener_dead(struct game *game)
{
    if (converse(game) != REACHED)
        leave_open(game, "it did not wait for the talker to read the reply");
    int shmid = game->created;
    long questions = game->questions;
    game->most_sleeps = 150;
    game->time_passes = true;
    puppet_die(game);
    if (game_to_end(game) != ENDED)
        fail(game, WAITS_FOR_THE_DEAD, game->wait_place,
             "the talker was killed after the reply, and it went on waiting");
    if (segment_exists(shmid))
        fail(game, NEVER_REMOVES, 0,
             "the talker was killed after the reply, and the segment is still there");
    if (exited_with(game, 0) && game->questions == questions)
        leave_open(game, "it did not wait for the talker, so it could not notice its death");
    if (exited_with(game, 0))
        fail(game, WRONG_EXIT_STATUS, game->exit_place,
             "the talker was killed after the reply, and it ended with exit status 0");
}

/* The talker needs a second to read the reply: the notes' listener naps for three. */
static void listener_slow_talker(struct game *game)
{
    enum outcome talked = converse(game);
    if (game->early_removal)
        leave_open(game, "it had removed the segment already");
    if (talked != REACHED)
        fail(game, SLEEPS_TOO_SHORT, game->exit_place,
             "it did not wait for the talker to read the reply");
    uint64_t place = game->wait_place;
    enum outcome outcome = game_until(game, has_slept_a_second, DEADLINE_MS);
    if (outcome == ENDED && !segment_exists(game->created))
        fail(game, SLEEPS_TOO_SHORT, place,
             "it gave the talker %ld ms to read the reply, and then removed the segment",
             game->slept_ms);
}

static void listener_mode(struct game *game)
{
    struct shmid_ds about;
    await_segment(game);
    if (shmctl(game->created, IPC_STAT, &about) == -1)
        leave_open(game, "the segment could not be looked at");
    if (about.shm_perm.mode & 0077)
        fail(game, MODE_TOO_WIDE, game->created_place, "the segment has mode %04o",
             about.shm_perm.mode & 0777);
}

static void listener_foreign(struct game *game)
{
    int foreign = open_foreign(game);
    game_start(game);
    stand_of(game);
    judge_foreign(game, foreign);
}

static void listener_stale(struct game *game)
{
    static const char old[] = "an old message\n";
    open_segment(game);
    int stale = game->shmid;
    puppet_store(game, 0, old, sizeof old);
    puppet_die(game);
    puppet_start(game);
    game_start(game);
    enum stand stand = stand_of(game);
    if (stand == OVER && !printed(game, "old message"))
        fail(game, STALE_SEGMENT, game->exit_place,
             "a killed listener had left its segment, and it did not start: %s", ending_of(game));
    char text[8] = "";
    if (game->attached)
        game_read(game, 0, text, sizeof text);
    if (printed(game, "old message") || text[0] != '\0')
        fail(game, STALE_SEGMENT, game->wait_place,
             "a killed listener had left its segment, and it took the old message for a new one");
    if (game->created != stale && segment_exists(stale))
        fail(game, STALE_SEGMENT, game->wait_place,
             "a killed listener had left its segment, and it is still there");
}

static void listener_hostile(struct game *game)
{
    use_sanitized(game);
    await_waiting(game);
    come_in(game);
    fall_asleep(game);
    store_endless(game);
    puppet_ring(game);
    stand_of(game);
    game->time_passes = true;
    if (!game->ended) {
        puppet_detach(game);
        puppet_remove(game);
        begin_nap(game);
        game_to_end(game);
    }
    judge_hostile_copy(game, SIZE);
}

static void listener_handler(struct game *game)
{
    need_wait(game, await_waiting(game));
    come_in(game);
    fall_asleep(game);
    say(game, message);
    stand_of(game);
    if (game->unsafe)
        fail(game, UNSAFE_IN_HANDLER, game->unsafe_place, "its signal handler called %s",
             game->unsafe_name);
}

static void listener_removes(struct game *game)
{
    await_waiting(game);
    if (segment_was_removed(game, game->created))
        fail(game, REMOVES_TOO_EARLY, game->removed_place[0],
             "it removed the segment before a talker could find it");
}

static void listener_flush(struct game *game)
{
    await_waiting(game);
    if (game->held && game->event.pending > 0)
        fail(game, NOT_FLUSHED, game->wait_place,
             "it waited, and %lu bytes that it had printed were still in the buffer of stdout",
             (unsigned long)game->event.pending);
}

static void listener_status(struct game *game)
{
    enum outcome outcome = converse(game);
    if (outcome == REACHED) {
        leave(game);
        outcome = game_to_end(game);
    }
    if (outcome != ENDED)
        leave_open(game, "it did not end");
    if (!exited_with(game, 0))
        fail(game, WRONG_EXIT_STATUS, game->exit_place, "after a complete conversation %s",
             ending_of(game));
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
    {"conversation", "one message, one reply", 24, listener_conversation},
    {"text", "the reply ends with a NUL", 4, listener_ends_text},
    {"early", "a signal that comes early does no harm", 8, listener_early_signal},
    {"window", "a message between check and sleep is not lost", 10, listener_window},
    {"stray", "a signal without a message is no message", 6, listener_stray},
    {"waits", "it sleeps while it waits", 6, listener_waits},
    {"ctrl-c", "Ctrl-C ends it and leaves no segment", 5, listener_ctrl_c},
    {"dead", "it notices that the talker has died", 5, listener_dead},
    {"slow", "the talker has time to read the reply", 4, listener_slow_talker},
    {"mode", "other users have no access", 2, listener_mode},
    {"foreign", "another program's segment is left alone", 4, listener_foreign},
    {"stale", "a killed listener's segment is no obstacle", 5, listener_stale},
    {"hostile", "a message without an end does no harm", 5, listener_hostile},
    {"handler", "the handler calls nothing unsafe", 3, listener_handler},
    {"removes", "the segment stays until the talker has come", 3, listener_removes},
    {"flush", "what it prints is seen at once", 2, listener_flush},
    {"ftok", "a failed ftok is noticed", 1, listener_ftok},
    {"shmat", "a failed shmat is noticed", 1, listener_shmat},
    {"status", "exit status 0 after a conversation", 2, listener_status},
    {NULL, NULL, 0, NULL},
};

const struct grade_case *textbook_cases(enum side side)
{
    return side == SIDE_OF_TALKER ? talker_cases : listener_cases;
}
