/* schedule.c - plays a talker and a listener, which both run with --step, in an order that a seed
 * or a schedule chooses. It is scripts/demo --step without a person, and much faster.
 *
 *     schedule [-n RUNS] [-s SEED] [-p SCHEDULE] [-i FILE] [-w SECONDS]
 *              LISTENER [WORD]... + TALKER [WORD]...
 *
 *     -n RUNS       so many runs, with the seeds SEED, SEED + 1, ... (default 1)
 *     -s SEED       the seed of the first run (default 1)
 *     -p SCHEDULE   play this, and no seed: "5l 3t" is five steps of the listener, then three of
 *                   the talker; then both go on in turns
 *     -i FILE       the stdin of the talker
 *     -w SECONDS    a run has lost something when neither has made a step for so long (default 5)
 *
 * Both must end with 0 and leave no segment. For each run that fails, prints its seed, why, and its
 * schedule; the file schedule.SEED then has what both have written. The last line is "RUNS runs, N
 * steps, FAILED failed". Exit status: 0 none failed; 1 some did; 2 usage, or the programs cannot be
 * run.
 *
 * A program that was sent on with SIGCONT runs until /proc says that it is stopped, asleep or gone.
 * The player does not wait for one that is asleep: the other one goes on. A child that a program
 * has forked stops as well, and counts as a process of that side.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WORDS = 16, MOST = 8 }; /* MOST processes of a side */

static struct side {
    char letter;
    char *command[WORDS + 8];
    pid_t pid;  /* 0: not started, or it has ended */
    int status; /* like the shell's; -1: it has not ended */
} listener = {.letter = 'l'}, talker = {.letter = 't'};

static long stuck = 5;
static const char *input = "/dev/null";
static const char *const key_file = "shmfile.schedule", *const lines_file = "schedule.lines";
static char lines[1 << 16];
static int shmid;
static char schedule[1 << 14]; /* as it was played: "5l 3t" */
static struct {
    char letter;
    long count;
} latest;
static long long steps;
static volatile sig_atomic_t ending;

static void on_ending(int signo)
{
    ending = signo;
}

/* ---- chance ---- */

static unsigned long long chance;
static unsigned longest_turn;

static unsigned below(unsigned most)
{
    chance ^= chance << 13;
    chance ^= chance >> 7;
    chance ^= chance << 17;
    return (unsigned)(chance >> 33) % most;
}

static void seed_chance(unsigned long long seed)
{
    chance = seed * 0x9e3779b97f4a7c15ULL + 1;
    for (int i = 0; i < 8; i++)
        below(2);
    longest_turn = 1u << below(6);
}

/* ---- the processes ---- */

static int open_lines(int flags)
{
    int fd = open(lines_file, flags | O_CLOEXEC, 0600);
    if (fd == -1)
        err(2, "%s", lines_file);
    return fd;
}

static void start(struct side *side)
{
    side->pid = fork();
    if (side->pid == -1)
        err(2, "fork");
    if (side->pid > 0)
        return;
    int in = open(side == &talker ? input : "/dev/null", O_RDONLY),
        out = open_lines(O_WRONLY | O_APPEND);
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(out, STDERR_FILENO);
    execv(side->command[0], side->command);
    err(127, "%s", side->command[0]);
}

/* 'T' stopped, 'S' asleep, 'Z' ended, 'R' or 'D' on its way. */
static char state_of(pid_t pid)
{
    char name[64], text[512];
    snprintf(name, sizeof name, "/proc/%d/stat", (int)pid);
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd == -1 ? -1 : read(fd, text, sizeof text - 1);
    if (fd != -1)
        close(fd);
    if (got <= 0)
        return 'Z';
    text[got] = '\0';
    const char *after = strrchr(text, ')');
    return after ? after[2] : 'Z';
}

/* The program's process and its children. */
static int processes_of(const struct side *side, pid_t pids[MOST])
{
    char name[64], text[512];
    int count = 0;
    if (side->pid == 0)
        return 0;
    pids[count++] = side->pid;
    snprintf(name, sizeof name, "/proc/%d/task/%d/children", (int)side->pid, (int)side->pid);
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd == -1 ? 0 : read(fd, text, sizeof text - 1);
    if (fd != -1)
        close(fd);
    text[got > 0 ? got : 0] = '\0';
    for (char *at = text, *end; count < MOST; at = end) {
        pid_t pid = (pid_t)strtol(at, &end, 10);
        if (end == at)
            break;
        pids[count++] = pid;
    }
    return count;
}

static void note_end(struct side *side)
{
    int status;
    if (waitpid(side->pid, &status, WNOHANG) != side->pid)
        return;
    side->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    side->pid = 0;
}

/* Waits until no process of this side is on its way. Returns one that is stopped, or 0. */
static pid_t settle(struct side *side)
{
    pid_t pids[MOST], stopped = 0;
    for (bool moves = true; moves && !ending;) {
        moves = false;
        stopped = 0;
        int count = processes_of(side, pids);
        for (int i = 0; i < count; i++) {
            char state = state_of(pids[i]);
            if (state == 'T' && stopped == 0)
                stopped = pids[i];
            if (state == 'R' || state == 'D')
                moves = true;
            if (state == 'Z' && pids[i] == side->pid)
                note_end(side);
        }
        if (moves)
            sched_yield();
    }
    return stopped;
}

static void read_lines(void)
{
    int fd = open_lines(O_RDONLY);
    ssize_t got = read(fd, lines, sizeof lines - 1);
    close(fd);
    lines[got > 0 ? got : 0] = '\0';
}

static void start_talker_if_awaited(void)
{
    if (talker.pid != 0 || talker.status != -1 || listener.status != -1)
        return;
    read_lines();
    const char *ready = strstr(lines, "waiting for a talker"), *id;
    if (!ready)
        return;
    if ((id = strstr(ready, "shmid ")))
        shmid = atoi(id + strlen("shmid "));
    start(&talker);
}

/* ---- a run ---- */

static void flush_latest(void)
{
    size_t length = strlen(schedule);
    if (latest.count > 0)
        snprintf(schedule + length, sizeof schedule - length, "%ld%c ", latest.count,
                 latest.letter);
    latest.count = 0;
}

static void make_step(const struct side *side, pid_t stopped)
{
    if (latest.letter != side->letter)
        flush_latest();
    latest.letter = side->letter;
    latest.count++;
    steps++;
    kill(stopped, SIGCONT);
}

static struct side *other(const struct side *side)
{
    return side == &listener ? &talker : &listener;
}

/* Whose turn it is, and for how many steps. */
struct turn {
    struct side *side;
    long left;
};

/* The next turn of a schedule that is given; then turns of one step. */
static struct turn next_given(const char **given, const struct side *last)
{
    char *end;
    long count = strtol(*given, &end, 10);
    while (end == *given && *end == ' ')
        count = strtol(++*given, &end, 10);
    if (end == *given)
        count = 1;
    if (*end != 'l' && *end != 't')
        return (struct turn){other(last), 1};
    *given = end + 1;
    return (struct turn){*end == 'l' ? &listener : &talker, count};
}

/* In some runs each turn is one step, in others a side goes a long way alone. */
static struct turn next_by_chance(void)
{
    struct side *side = below(2) ? &listener : &talker;
    return (struct turn){side, 1 + (long)below(longest_turn)};
}

static bool is_over(void)
{
    return ending || (listener.pid == 0 && talker.pid == 0 && listener.status != -1);
}

static bool is_late(const struct timespec *since)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec - since->tv_sec >= stuck;
}

/* Returns whether both came to their end. */
static bool play(const char *given)
{
    static const struct timespec moment = {0, 200000};
    const char *rest = given;
    struct turn turn = {&talker, 0};
    struct timespec last_step;
    clock_gettime(CLOCK_MONOTONIC, &last_step);
    while (!is_over()) {
        settle(turn.side); /* what it has just done may wake the other one */
        pid_t stopped_listener = settle(&listener);
        start_talker_if_awaited();
        pid_t stopped_talker = settle(&talker);
        if (stopped_listener == 0 && stopped_talker == 0) {
            if (!is_over() && is_late(&last_step))
                return false;
            nanosleep(&moment, NULL); /* both sleep: a timer, or nothing, wakes them */
            continue;
        }
        if (turn.left <= 0)
            turn = given ? next_given(&rest, turn.side) : next_by_chance();
        turn.left--;
        pid_t stopped = turn.side == &listener ? stopped_listener : stopped_talker;
        if (stopped == 0) { /* it cannot go on: the other one does */
            turn.left = 0;
            if (given)
                continue;
            turn.side = other(turn.side);
            stopped = turn.side == &listener ? stopped_listener : stopped_talker;
        }
        make_step(turn.side, stopped);
        clock_gettime(CLOCK_MONOTONIC, &last_step);
    }
    return true;
}

static void end_side(struct side *side)
{
    pid_t pids[MOST];
    for (int count = processes_of(side, pids); count > 0; count--) {
        kill(pids[count - 1], SIGKILL);
        if (pids[count - 1] == side->pid)
            waitpid(side->pid, NULL, 0);
    }
    side->pid = 0;
}

static bool segment_stays(void)
{
    struct shmid_ds about;
    return shmid != -1 && shmctl(shmid, IPC_STAT, &about) == 0;
}

static void report(unsigned long long seed, const char *why)
{
    char kept[64];
    snprintf(kept, sizeof kept, "schedule.%llu", seed);
    rename(lines_file, kept);
    printf("seed %llu: %s, listener %d, talker %d: %s\n", seed, why, listener.status, talker.status,
           schedule);
}

/* Returns whether all went well. */
static bool run(unsigned long long seed, const char *given)
{
    close(open_lines(O_WRONLY | O_CREAT | O_TRUNC));
    unlink(key_file);
    listener.status = talker.status = shmid = -1;
    schedule[0] = '\0';
    latest.count = 0;
    seed_chance(seed);
    start(&listener);
    bool ended = play(given);
    flush_latest();
    bool stays = segment_stays(), good = ended && !stays;
    end_side(&talker);
    end_side(&listener);
    if (segment_stays())
        shmctl(shmid, IPC_RMID, NULL);
    unlink(key_file);
    if (ending)
        return true;
    if (!ended)
        report(seed, "neither makes a step any more");
    else if (stays)
        report(seed, "a segment stays");
    else if (listener.status != 0 || talker.status != 0)
        report(seed, "they failed");
    return good && listener.status == 0 && talker.status == 0;
}

/* ---- the command line ---- */

static _Noreturn void usage(void)
{
    errx(2, "usage: schedule [-n RUNS] [-s SEED] [-p SCHEDULE] [-i FILE] [-w SECONDS] "
            "LISTENER [WORD]... + TALKER [WORD]...");
}

/* Takes the words up to a "+", and adds what each side gets. */
static char **take_command(struct side *side, char **words)
{
    static const char *const ours[] = {"--step", "-v", "-f", "shmfile.schedule", "-t", "20"};
    int count = 0;
    for (; *words && strcmp(*words, "+") != 0; words++) {
        if (count == WORDS)
            usage();
        side->command[count++] = *words;
        for (size_t i = 0; count == 1 + (int)i && i < sizeof ours / sizeof *ours; i++)
            side->command[count++] = (char *)ours[i];
    }
    if (count == 0)
        usage();
    return words;
}

int main(int argc, char **argv)
{
    long runs = 1, failed = 0;
    unsigned long long seed = 1;
    const char *given = NULL;
    for (int option; (option = getopt(argc, argv, "+n:s:p:i:w:")) != -1;)
        switch (option) {
        case 'n':
            runs = strtol(optarg, NULL, 10);
            break;
        case 's':
            seed = strtoull(optarg, NULL, 10);
            break;
        case 'p':
            given = optarg;
            break;
        case 'i':
            input = optarg;
            break;
        case 'w':
            stuck = strtol(optarg, NULL, 10);
            break;
        default:
            usage();
        }
    char **words = take_command(&listener, argv + optind);
    if (!*words)
        usage();
    take_command(&talker, words + 1);
    struct sigaction action = {.sa_handler = on_ending};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);

    long done = 0;
    for (; done < runs && !ending; done++)
        failed += !run(seed + (unsigned long long)done, given);
    unlink(lines_file);
    if (ending) {
        signal(ending, SIG_DFL);
        raise(ending);
    }
    printf("%ld runs, %lld steps, %ld failed\n", done, steps, failed);
    return failed > 0;
}
