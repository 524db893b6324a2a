/* grade_cases.c - what the cases of all wires share. See grade_cases.h. */
#include "grade_cases.h"
#include "grade_sandbox.h"

#include "../common/clock.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SHORT_MS = 1000, DEADLINE_MS = 6000, LONG_NAP_MS = 200 };

void fail_conversation(struct game *game, uint64_t place, const char *seen, ...)
{
    char text[sizeof game->verdict->seen];
    va_list list;
    va_start(list, seen);
    vsnprintf(text, sizeof text, seen, list);
    va_end(list);
    if (game->killed_wrong)
        fail(game, KILL_UNCHECKED_PID, game->killed_place,
             "it called kill(%lld, ...), which was not carried out. %.300s",
             (long long)game->killed_pid, text);
    if (game->key_unchecked)
        fail(game, FTOK_UNCHECKED, game->key_place,
             "ftok returned -1, and -1 was then used as the key. %.300s", text);
    fail(game, NO_CONVERSATION, place, "%.390s", text);
}

enum stand stand_of(struct game *game)
{
    enum outcome outcome = game_to_wait(game);
    if (outcome == REACHED)
        return at_sleep(game) ? NAPS : WAITS;
    if (outcome == ENDED)
        return OVER;
    if (outcome == STUCK)
        return SLEEPS;
    return outcome == POLLING ? NAPS : SPINS;
}

void fall_asleep(struct game *game)
{
    if (game->held && !at_sleep(game))
        game_until(game, game_is_asleep, SHORT_MS);
}

const char *state_of(const struct game *game, enum outcome outcome)
{
    static char text[80];
    if (outcome == ENDED)
        return ending_of(game);
    if (outcome == BUSY)
        return "it computes all the time";
    if (game->waits == 0)
        return "it did not end";
    snprintf(text, sizeof text, "it waits in %s", game->wait_name);
    return text;
}

bool crashed(const struct game *game)
{
    return died_of(game, SIGSEGV) || died_of(game, SIGBUS) || died_of(game, SIGABRT) ||
           died_of(game, SIGILL) || died_of(game, SIGFPE);
}

void need_wait(struct game *game, enum stand stand)
{
    if (stand == NAPS)
        leave_open(game, "it sleeps for a time alone, so this could not be tried");
    if (stand == SPINS)
        leave_open(game, "it looks all the time and never waits, so this could not be tried");
    if (stand == OVER)
        leave_open(game, "it never waited: %s", ending_of(game));
}

void judge_wait(struct game *game)
{
    enum stand stand = stand_of(game);
    uint64_t place = game->wait_place;
    long nap = (long)game->event.args[0];
    if (stand == SPINS)
        fail(game, BUSY_WAITING, 0,
             "while it waited it looked at the memory all the time, and used a whole CPU");
    if (stand == OVER)
        leave_open(game, "it never waited: %s", ending_of(game));
    if (stand != NAPS)
        return;
    enum outcome outcome = game_until(game, at_wait, DEADLINE_MS);
    if (outcome == ENDED)
        fail(game, SLEEPS_TOO_SHORT, place,
             "it slept for %ld ms in %s, and went on although nothing had come", nap,
             game->wait_name);
    if (outcome == POLLING)
        fail(game, nap >= LONG_NAP_MS ? SLEEPS_TOO_LONG : SLEEPS_INSTEAD, place,
             "while it waited it slept again and again, %ld ms each time, in %s", nap,
             game->wait_name);
    if (outcome == BUSY)
        fail(game, BUSY_WAITING, 0, "while it waited it used a whole CPU");
}

void judge_ctrl_c(struct game *game)
{
    enum stand stand = stand_of(game);
    if (stand == OVER)
        leave_open(game, "it never waited: %s", ending_of(game));
    if (stand == WAITS && game->event.call == CALL_SIGSUSPEND && game->event.wait_mask >> 1 & 1)
        fail(game, MASK_SWALLOWS_CTRL_C, game->wait_place,
             "it waited in sigsuspend with a mask that blocks SIGINT: Ctrl-C does not wake it");
    fall_asleep(game);
    game_signal(game, SIGINT);
    if (game_to_end(game) != ENDED)
        fail(game, MASK_SWALLOWS_CTRL_C, game->wait_place,
             "it waited in %s, Ctrl-C (SIGINT) was sent, and it did not end",
             game->waits > 0 ? game->wait_name : "a loop");
}

void judge_dead(struct game *game)
{
    enum stand stand = stand_of(game);
    if (stand == OVER)
        leave_open(game, "it never waited: %s", ending_of(game));
    game->time_passes = true;
    puppet_die(game);
    enum outcome outcome = game_to_end(game);
    if (outcome != ENDED)
        fail(game, WAITS_FOR_THE_DEAD, game->wait_place,
             "the peer was killed while it waited, and it went on waiting%s%s",
             game->waits > 0 ? " in " : "", game->waits > 0 ? game->wait_name : "");
    if (crashed(game))
        fail(game, CRASHES, game->fault_place, "the peer was killed, and then %s", ending_of(game));
    if (stand == NAPS && exited_with(game, 0))
        leave_open(game, "it did not wait for the peer, so it could not notice its death");
    if (exited_with(game, 0))
        fail(game, WRONG_EXIT_STATUS, game->exit_place,
             "the peer died before it had answered, and it ended with exit status 0");
}

bool has_slept_a_second(const struct game *game)
{
    return game->slept_ms + (clock_now() - game->began) / 1000000 >= 1000;
}

void begin_nap(struct game *game)
{
    game->began = clock_now();
    game->slept_ms = 0;
    game->most_sleeps = 1000;
}

static long longest_run(const char *text, char byte)
{
    long longest = 0, run = 0;
    for (; *text; text++) {
        run = *text == byte ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    return longest;
}

void judge_hostile_copy(struct game *game, long most)
{
    bool sanitizer = strstr(game->errors, "AddressSanitizer") != NULL;
    if (sanitizer && strstr(game->errors, "WRITE of size"))
        fail(game, COPY_UNBOUNDED, 0,
             "the text had no end, and the copy wrote past the end of its buffer");
    if (sanitizer && strstr(game->errors, "READ of size"))
        fail(game, TEXT_NOT_ENDED, 0,
             "the text had no NUL at its end, and the program read on behind its buffer");
    if (crashed(game) || sanitizer)
        fail(game, COPY_UNBOUNDED, 0, "the text had no end, and then %s", ending_of(game));
    long run = longest_run(game->output, 'x');
    if (run > most)
        fail(game, TEXT_NOT_ENDED, 0,
             "the text had %ld bytes and no NUL at its end; the program printed %ld of them", most,
             run);
    if (strstr(game->errors, "runtime error:"))
        fail(game, CRASHES, 0, "the sanitizer found an error: %.200s", game->errors);
}

void judge_failed_ftok(struct game *game)
{
    game->fail_call = CALL_FTOK;
    game->fail_error = ENOENT;
    game->time_passes = true;
    game_start(game);
    enum outcome outcome = stand_of(game) == OVER ? ENDED : LATE;
    if (game->key_unchecked)
        fail(game, FTOK_UNCHECKED, game->key_place,
             "ftok failed and returned -1, and -1 was then used as the key");
    if (outcome == ENDED && crashed(game))
        fail(game, CRASHES, 0, "ftok failed, and then %s", ending_of(game));
    if (exited_with(game, 0))
        fail(game, WRONG_EXIT_STATUS, game->exit_place,
             "ftok failed, and it ended with exit status 0");
}

void judge_failed_shmat(struct game *game)
{
    game->fail_call = CALL_SHMAT;
    game->fail_error = ENOMEM;
    game->time_passes = true;
    game_start(game);
    enum stand stand = stand_of(game);
    if (crashed(game))
        fail(game, SHMAT_NULL, game->fault_place, "shmat failed with ENOMEM, and then %s",
             ending_of(game));
    if (stand == OVER && exited_with(game, 0))
        fail(game, WRONG_EXIT_STATUS, game->exit_place,
             "shmat failed, and it ended with exit status 0");
}

void use_sanitized(struct game *game)
{
    game->sanitized = game->subject->sanitized != NULL;
}

pid_t bystander_start(struct game *game)
{
    pid_t pid = fork();
    if (pid == 0) {
        setsid();
        sandbox_drop(game);
        for (;;)
            pause();
    }
    return pid;
}
