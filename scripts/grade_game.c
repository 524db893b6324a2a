/* grade_game.c - the student's program step by step, and what was seen of it. See grade_game.h. */
#define _GNU_SOURCE /* pipe2 */
#include "grade_game.h"
#include "grade_sandbox.h"

#include "../common/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    POLL_MS = 2,
    STUCK_MS = 300,
    BUSY_MS = 300,
    MOST_SLEEPS = 40,
    MOST_CALLS = 1000,
    LONG_SLEEP_MS = 10000
};

/* ---- judge ---- */

static _Noreturn void finish(struct game *game, enum verdict_state state)
{
    size_t keep = sizeof game->verdict->last_words - 1;
    size_t from = game->errors_length > keep ? game->errors_length - keep : 0;
    snprintf(game->verdict->last_words, sizeof game->verdict->last_words, "%s",
             game->errors + from);
    game->verdict->state = state;
    sandbox_leave(game);
}

void pass(struct game *game)
{
    finish(game, VERDICT_PASS);
}

void fail(struct game *game, enum pitfall pitfall, uint64_t place, const char *seen, ...)
{
    va_list list;
    va_start(list, seen);
    vsnprintf(game->verdict->seen, sizeof game->verdict->seen, seen, list);
    va_end(list);
    game->verdict->pitfall = pitfall;
    game->verdict->place = place;
    finish(game, VERDICT_FAIL);
}

void leave_open(struct game *game, const char *why, ...)
{
    va_list list;
    va_start(list, why);
    vsnprintf(game->verdict->seen, sizeof game->verdict->seen, why, list);
    va_end(list);
    finish(game, VERDICT_OPEN);
}

/* ---- the kernel's word on the student's program ---- */

/* The state as /proc has it, and the CPU time in milliseconds. */
static char process_state(pid_t pid, long *cpu_ms)
{
    char path[40], line[512], state = '?';
    unsigned long user = 0, system = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "re");
    if (file && fgets(line, sizeof line, file)) {
        const char *end = strrchr(line, ')');
        if (end)
            sscanf(end, ") %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %lu %lu", &state, &user,
                   &system);
    }
    if (file)
        fclose(file);
    *cpu_ms = (long)(user + system) * 1000 / sysconf(_SC_CLK_TCK);
    return state;
}

bool game_is_asleep(const struct game *game)
{
    long cpu;
    return !game->held && process_state(game->student, &cpu) == 'S';
}

static bool is_pending(const struct game *game, int signo)
{
    char path[40], line[256];
    unsigned long long pending = 0, some, blocked = 0;
    snprintf(path, sizeof path, "/proc/%d/status", (int)game->student);
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file)) {
        if (sscanf(line, "SigPnd: %llx", &some) == 1 || sscanf(line, "ShdPnd: %llx", &some) == 1)
            pending |= some;
        if (sscanf(line, "SigBlk: %llx", &some) == 1)
            blocked = some;
    }
    if (file)
        fclose(file);
    return (pending & ~blocked) >> (signo - 1) & 1;
}

void game_read(const struct game *game, long offset, void *data, size_t size)
{
    memset(data, 0, size);
    if (!game->attached || game->ended) {
        if (game->shmid != -1 && game->puppet > 0)
            puppet_read((struct game *)game, offset, data, size);
        return;
    }
    char path[40];
    snprintf(path, sizeof path, "/proc/%d/mem", (int)game->student);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd == -1)
        return;
    if (pread(fd, data, size, (off_t)(game->base + (uint64_t)offset)) == -1)
        memset(data, 0, size);
    close(fd);
}

int game_word(const struct game *game, long offset)
{
    int word;
    game_read(game, offset, &word, sizeof word);
    return word;
}

/* ---- reports ---- */

static void note_before(struct game *game)
{
    const struct grade_report *event = &game->event;
    if (event->call == CALL_ALARM)
        game->alarm_set = event->args[0] > 0;
    if ((event->call == CALL_KILL && event->args[1] == 0) ||
        (event->call == CALL_SHMCTL && event->args[1] == IPC_STAT))
        game->questions++;
    if (event->call == CALL_TIMER)
        game->timers = true;
    if (event->call == CALL_SHMGET && game->key_failed && event->args[0] == -1 &&
        !game->key_unchecked) {
        game->key_unchecked = true;
        game->key_place = event->place;
    }
    if (event->call == CALL_SHMCTL && event->args[1] == IPC_RMID &&
        game->removed_count < MOST_REMOVED) {
        game->removed[game->removed_count] = (int)event->args[0];
        game->removed_place[game->removed_count++] = event->place;
    }
    if (event->call == CALL_KILL && event->args[0] <= 1) {
        if (!game->killed_wrong) {
            game->killed_pid = event->args[0];
            game->killed_place = event->place;
        }
        game->killed_wrong = true;
        game->go.action = GO_SKIP; /* it would hit more than this program */
    }
    if (event->call >= CALL_PRINTF && event->in_handler && !game->unsafe) {
        game->unsafe = true;
        game->unsafe_place = event->place;
        snprintf(game->unsafe_name, sizeof game->unsafe_name, "%s", event->name);
    }
    if (event->call >= CALL_PAUSE && event->call <= CALL_SLEEP) {
        game->wait_place = event->place;
        snprintf(game->wait_name, sizeof game->wait_name, "%s", event->name);
        game->waits++;
    }
    if (event->call == CALL_SLEEP && at_sleep(game)) {
        game->sleeps++;
        game->slept_ms += (long)event->args[0];
        if (event->args[0] >= 20)
            game->go.action = GO_SKIP;
    }
    if (event->call >= CALL_SIGWAIT && event->call <= CALL_SELECT && event->timed &&
        game->time_passes && event->args[0] >= 100)
        game->go.action = GO_SKIP;
}

static void note_after(struct game *game)
{
    const struct grade_report *event = &game->event;
    if (event->call == CALL_FTOK && event->result == -1)
        game->key_failed = true;
    if (event->call == CALL_SHMGET && event->result >= 0 && event->args[2] & IPC_CREAT) {
        game->created = (int)event->result;
        game->created_key = event->args[0];
        game->created_size = event->args[1];
        game->created_flags = (int)event->args[2];
        game->created_place = event->place;
    }
    if (event->call == CALL_SHMAT && event->result == 0) {
        game->base = event->at;
        game->attached = true;
    }
    if (event->call == CALL_SHMDT && event->result == 0)
        game->attached = false;
    if (event->call == CALL_SIGACTION && event->args[0] == SIGUSR1)
        game->handler_set = event->args[1] != 0;
}

static void note(struct game *game)
{
    const struct grade_report *event = &game->event;
    game->go = (struct grade_go){GO_ON, 0};
    if (event->what == REPORT_START)
        game->stores = event->result != 0;
    if (event->what == REPORT_BEFORE)
        note_before(game);
    if (event->what == REPORT_BEFORE && event->call == game->fail_call && game->fail_call != 0) {
        game->go = (struct grade_go){GO_FAIL, game->fail_error};
        game->fail_call = 0;
    }
    if (event->what == REPORT_AFTER)
        note_after(game);
    if (event->what == REPORT_STORE)
        game->store_place = event->place;
    if (event->what == REPORT_FAULT)
        game->fault_place = event->place;
    if (event->what == REPORT_EXIT) {
        game->exit_place = event->place;
        game->exit_lost = (uint64_t)event->args[1];
        game->attached = false;
    }
}

static void release(struct game *game)
{
    if (!game->held)
        return;
    game->held = false;
    if (send(game->channel, &game->go, sizeof game->go, MSG_NOSIGNAL) == -1)
        return; /* it has ended: waitpid says how */
}

static void take_output(struct game *game, int *fd, char *kept, size_t *length)
{
    char data[4096];
    ssize_t got = read(*fd, data, sizeof data);
    if (got <= 0) {
        if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
            close(*fd);
            *fd = -1;
        }
        return;
    }
    game->output_total += (size_t)got;
    for (ssize_t i = 0; i < got && *length < OUTPUT_KEPT; i++)
        kept[(*length)++] = data[i] == '\0' ? '?' : data[i];
    kept[*length] = '\0';
    if (game->output_total > OUTPUT_LIMIT)
        fail(game, PRINTS_WITHOUT_END, 0, "it printed more than a megabyte, and was stopped");
}

static void take_endings(struct game *game)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0) {
        if (WIFSTOPPED(status)) {
            kill(pid, SIGCONT); /* it has stopped itself: nobody else would let it go on */
            continue;
        }
        if (pid == game->student) {
            game->ended = true;
            game->status = status;
        }
        if (pid == game->puppet)
            game->puppet = -1;
    }
}

/* Waits for the next report, for `ms` at the most. Returns whether there is one. */
static bool next_report(struct game *game, int ms)
{
    struct pollfd fds[3] = {{.fd = game->channel, .events = POLLIN},
                            {.fd = game->out, .events = POLLIN},
                            {.fd = game->err, .events = POLLIN}};
    if (poll(fds, 3, ms) == -1)
        return false;
    if (fds[1].revents)
        take_output(game, &game->out, game->output, &game->output_length);
    if (fds[2].revents)
        take_output(game, &game->err, game->errors, &game->errors_length);
    if (!fds[0].revents)
        return false;
    if (recv(game->channel, &game->event, sizeof game->event, 0) == (ssize_t)sizeof game->event) {
        game->held = true;
        note(game);
        return true;
    }
    close(game->channel);
    game->channel = -1;
    return false;
}

static void drain_output(struct game *game)
{
    for (int quiet = 0; quiet < 3 && (game->out != -1 || game->err != -1);) {
        size_t had = game->output_total;
        next_report(game, 1);
        release(game);
        quiet = had == game->output_total ? quiet + 1 : 0;
    }
}

/* ---- go on until ... ---- */

static void ring_alarm(struct game *game)
{
    game->alarm_set = false;
    game_signal(game, SIGALRM);
}

/* What the silence of the student's program means. */
static bool is_silent(struct game *game, long long *since, long *cpu_then, enum outcome *outcome)
{
    long cpu;
    char state = process_state(game->student, &cpu);
    long long now = clock_now();
    if (*since == 0) {
        *since = now;
        *cpu_then = cpu;
    }
    if (cpu - *cpu_then >= BUSY_MS) {
        *outcome = BUSY;
        if (game->alarm_set && game->time_passes) {
            ring_alarm(game);
            *since = 0;
            return false;
        }
        return true;
    }
    if (state != 'S' && state != 'T')
        return false;
    if (cpu != *cpu_then) {
        return false;
    }
    if (now - *since < STUCK_MS * 1000000LL)
        return false;
    if (game->alarm_set && game->time_passes) {
        ring_alarm(game);
        *since = 0;
        return false;
    }
    bool is_timed = game->event.what == REPORT_BEFORE && game->event.timed &&
                    game->event.args[0] >= 0 && game->event.args[0] < LONG_SLEEP_MS;
    if (game->timers || is_timed || is_pending(game, SIGUSR1))
        return false;
    *outcome = STUCK;
    return true;
}

enum outcome game_until(struct game *game, reached *is_there, int ms)
{
    long long until = clock_now() + ms * 1000000LL, since = 0;
    long cpu = 0, sleeps = game->sleeps, waits = game->waits, calls = 0;
    enum outcome outcome;
    release(game);
    for (;;) {
        if (next_report(game, POLL_MS)) {
            since = 0;
            if (is_there && is_there(game))
                return REACHED;
            if (game->sleeps - sleeps > (game->most_sleeps > 0 ? game->most_sleeps : MOST_SLEEPS))
                return POLLING;
            calls = game->waits == waits ? calls + (game->event.what != REPORT_STORE &&
                                                    game->event.what != REPORT_STORING)
                                         : 0;
            waits = game->waits;
            if (calls > MOST_CALLS && game->alarm_set && game->time_passes)
                ring_alarm(game), calls = 0;
            else if (calls > MOST_CALLS)
                return BUSY;
            release(game);
            if (clock_now() > until)
                return LATE;
            continue;
        }
        take_endings(game);
        if (game->ended) {
            drain_output(game);
            return ENDED;
        }
        if (is_there && is_there(game))
            return REACHED;
        if (is_silent(game, &since, &cpu, &outcome))
            return outcome;
        if (clock_now() > until)
            return LATE;
    }
}

enum { DEADLINE_MS = 6000 };

enum outcome game_to_end(struct game *game)
{
    return game_until(game, NULL, DEADLINE_MS);
}

bool at_sleep(const struct game *game)
{
    const struct grade_report *event = &game->event;
    if (!game->held || event->what != REPORT_BEFORE || event->args[0] < 0)
        return false;
    if (event->call == CALL_SLEEP)
        return event->args[0] < LONG_SLEEP_MS;
    return event->call >= CALL_SIGWAIT && event->call <= CALL_SELECT && event->timed &&
           event->args[0] == 0;
}

bool at_wait(const struct game *game)
{
    return game->held && game->event.what == REPORT_BEFORE && game->event.call >= CALL_PAUSE &&
           game->event.call <= CALL_SLEEP && !at_sleep(game);
}

bool at_kill(const struct game *game)
{
    return game->held && game->event.what == REPORT_BEFORE && game->event.call == CALL_KILL &&
           game->event.args[1] != 0;
}

bool at_store(const struct game *game)
{
    return game->held && game->event.what == REPORT_STORE;
}

bool at_exit(const struct game *game)
{
    return game->held && game->event.what == REPORT_EXIT;
}

static bool at_any_wait(const struct game *game)
{
    return at_wait(game) || at_sleep(game);
}

enum outcome game_to_wait(struct game *game)
{
    return game_until(game, at_any_wait, DEADLINE_MS);
}

void game_signal(const struct game *game, int signo)
{
    puppet_signal((struct game *)game, signo);
}

bool died_of(const struct game *game, int signo)
{
    return game->ended && WIFSIGNALED(game->status) && WTERMSIG(game->status) == signo;
}

bool exited_with(const struct game *game, int status)
{
    return game->ended && WIFEXITED(game->status) && WEXITSTATUS(game->status) == status;
}

const char *ending_of(const struct game *game)
{
    static char text[80];
    if (!game->ended)
        snprintf(text, sizeof text, "it did not end");
    else if (WIFSIGNALED(game->status))
        snprintf(text, sizeof text, "it was killed by signal %d (%s)", WTERMSIG(game->status),
                 strsignal(WTERMSIG(game->status)));
    else
        snprintf(text, sizeof text, "it ended with exit status %d", WEXITSTATUS(game->status));
    return text;
}

bool printed(const struct game *game, const char *text)
{
    return strstr(game->output, text) != NULL;
}

bool segment_exists(int shmid)
{
    struct shmid_ds about;
    return shmctl(shmid, IPC_STAT, &about) == 0 && !(about.shm_perm.mode & 01000);
}

bool segment_was_removed(const struct game *game, int shmid)
{
    for (int i = 0; i < game->removed_count; i++)
        if (game->removed[i] == shmid)
            return true;
    return false;
}

/* ---- the student's program ---- */

static void set_number(const char *name, long number)
{
    char value[24];
    snprintf(value, sizeof value, "%ld", number);
    setenv(name, value, 1);
}

static _Noreturn void become_student(struct game *game, int channel, int out, int err)
{
    enum { REPORT_FD = 200 };
    char *arguments[10] = {(char *)"./program"};
    for (int i = 0; i < 8; i++)
        arguments[i + 1] = (char *)game->arguments[i];
    int null = open("/dev/null", O_RDONLY);
    if (dup2(null, 0) == -1 || dup2(out, 1) == -1 || dup2(err, 2) == -1 ||
        dup2(channel, REPORT_FD) == -1)
        _exit(126);
    if (null > 2)
        close(null);
    setsid();
    for (int signo = 1; signo < 32; signo++)
        signal(signo, SIG_DFL); /* a shell may ignore SIGINT on behalf of us */
    set_number(GRADE_FD, REPORT_FD);
    set_number(GRADE_TEXT_AT, game->words);
    set_number(GRADE_TEXT_END, game->words + game->text_size);
    set_number(GRADE_STORES, !game->sanitized);
    setenv("LD_PRELOAD", game->sanitized ? "./preload-sanitized.so" : "./preload.so", 1);
    setenv("ASAN_OPTIONS",
           "verify_asan_link_order=0:detect_leaks=0:abort_on_error=0:exitcode=99:"
           "detect_stack_use_after_return=0:handle_segv=1",
           1);
    setenv("LC_ALL", "C", 1);
    sandbox_limit(game);
    sandbox_drop(game);
    execv(game->sanitized ? "./sanitized" : "./program", arguments);
    _exit(127);
}

static bool has_started(const struct game *game)
{
    return game->held && game->event.what == REPORT_START;
}

void game_start(struct game *game)
{
    int channel[2], out[2], err[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel) == -1 ||
        pipe2(out, O_CLOEXEC) == -1 || pipe2(err, O_CLOEXEC) == -1)
        leave_open(game, "no pipe could be made: %s", strerror(errno));
    game->student = fork();
    if (game->student == -1)
        leave_open(game, "no process could be started: %s", strerror(errno));
    if (game->student == 0)
        become_student(game, channel[1], out[1], err[1]);
    close(channel[1]);
    close(out[1]);
    close(err[1]);
    game->channel = channel[0];
    game->out = out[0];
    game->err = err[0];
    enum outcome outcome = game_until(game, has_started, DEADLINE_MS);
    if (outcome != REACHED)
        leave_open(game, "the program cannot be watched: it is linked statically or with another C "
                         "library, or it cannot run here");
}
