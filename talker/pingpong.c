/* pingpong.c (talker) - sends a message forth and has one back, many times, and tells what that
 * cost. The other half of listener/pingpong.c.
 *
 *     $ build/listener-pingpong               $ build/talker-pingpong --method signal --cpu two
 *     listener: waiting for a talker ...      talker: signal: 10000 rounds of 32 bytes, ...
 *     listener: answered 10000 messages ...   talker: round trip: median 41.310 us, ...
 */
#include "../common/layout/pingpong.h"
#include "../common/lesson.h"
#include "../common/session.h"
#include "../common/ending.h"
#include "../common/methods.h"
#include "../common/clock.h"
#include "../common/cpu.h"

#include <stdio.h>

/* ---- the command line ---- */

static bool wait_for_listener;
static const char *method_name = "doorbell", *place = "any";
static long rounds = 10000, size = 32, spin = 50;

static const struct option_spec own_options[] = {
    {'m', "method", "METHOD", METHOD_NAMES " (default: doorbell)", OPTION_TEXT, &method_name, 0,
     0},
    {'n', "rounds", "N", "rounds that are timed (default: 10000)", OPTION_NUMBER, &rounds, 1,
     PINGPONG_MOST_ROUNDS},
    {'s', "size", "BYTES", "size of a message (default: 32)", OPTION_NUMBER, &size, 1,
     PINGPONG_MOST},
    {0, "cpu", "WHERE", "same: both on one CPU, two: on two, any (default)", OPTION_TEXT, &place, 0,
     0},
    {0, "spin", "MICROSECONDS", "doorbell: look so long before sleeping (default: 50)",
     OPTION_NUMBER, &spin, 0, 1000000},
    {'w', "wait", NULL, "wait for a listener to appear", OPTION_FLAG, &wait_for_listener, 0, 0},
    {0, NULL, NULL, NULL, OPTION_FLAG, NULL, 0, 0},
};

static const char *const points[] = {"saying", "heard", NULL};

static const struct program program = {
    .name = "talker-pingpong",
    .about = "Sends messages to listener-pingpong, has them back, and tells what a round cost.",
    .options = own_options,
    .points = points,
};

/* ---- the plan ---- */

struct talker {
    struct session session;
    struct pingpong *shared;
    struct channel channel;
    struct wait wait; /* as it begins in each round */
    struct pingpong_cost cost;
    int warm_up;
    int cpu, peers_cpu; /* -1: any */
    uint64_t *times;    /* of each round, in nanoseconds; those of the warm-up are overwritten */
};

static int parse_method(void)
{
    int method = method_named(method_name);
    if (method == -1)
        errx(2, "--method: '%s' is none of %s", method_name, METHOD_NAMES);
    return method;
}

static void choose_cpus(struct talker *talker)
{
    talker->cpu = talker->peers_cpu = -1;
    bool two = strcmp(place, "two") == 0;
    if (!two && strcmp(place, "same") != 0) {
        if (strcmp(place, "any") != 0)
            errx(2, "--cpu: '%s' is none of same, two or any", place);
        return;
    }
    talker->cpu = cpu_nth(0);
    talker->peers_cpu = cpu_nth(two ? 1 : 0);
    if (talker->cpu == -1 || talker->peers_cpu == -1)
        errx(1, "--cpu %s: there are not so many CPUs here that a process may choose", place);
}

/* Before the rounds, so that the kernel has given us its pages by then. */
static void make_room_for_times(struct talker *talker)
{
    talker->times = malloc((size_t)rounds * sizeof *talker->times);
    if (!talker->times)
        err(1, "malloc for the times of %ld rounds", rounds);
    memset(talker->times, -1, (size_t)rounds * sizeof *talker->times);
}

/* The listener makes first what both need. */
static void agree(struct talker *talker, int method, const struct options *options)
{
    explain("leave the plan in the segment, and wait until the listener follows it");
    struct pingpong *shared = talker->shared;
    publish(&shared->plan.method, method);
    publish(&shared->plan.cpu, talker->peers_cpu);
    publish(&shared->plan.spin, (int)spin);
    publish(&shared->plan.size, (int)size);
    publish(&shared->plan.warm_up, talker->warm_up);
    publish(&shared->plan.rounds, (int)rounds);
    session_advance(&talker->session, PINGPONG_PLANNED);
    session_await(&talker->session, PINGPONG_READY);

    talker->wait = session_wait(&talker->session);
    talker->channel.bell = (struct doorbell_side){
        .mine = &shared->ping.bell, .theirs = &shared->pong.bell, .spin = doorbell_spin(spin)};
    channel_open(&talker->channel, method, &talker->session, options);
    if (talker->cpu != -1 && cpu_pin(talker->cpu) == -1)
        err(1, "--cpu %s: sched_setaffinity to CPU %d", place, talker->cpu);
}

/* ---- the rounds ---- */

static void say(struct talker *talker, uint64_t round)
{
    explain("the message first, then its count (release): who sees the count sees the message");
    trace_point("saying");
    pingpong_write(&talker->shared->ping, (size_t)size, round);
    publish(&talker->shared->ping.count, round);
    channel_wake(&talker->channel);
}

static void hear(struct talker *talker, uint64_t round)
{
    explain("wait until the count is this round's, as the method has it");
    struct pingpong_line *pong = &talker->shared->pong;
    enum wait_result why = channel_await(&talker->channel, &pong->count, round, talker->wait);
    if (why != WAIT_LOOK)
        session_give_up(&talker->session, why);
    trace_point("heard");
    if (!pingpong_is(pong, (size_t)size, round))
        errx(1, "round %llu: the answer is not this round's", (unsigned long long)round);
}

/* A round is timed from one message to the next; the clock is read while a message is on its way,
 * and costs the round nothing. Where both find at once what they wait for, nobody sleeps: signals
 * are looked for now and then. */
static void play(struct talker *talker, uint64_t first, uint64_t last, uint64_t *times)
{
    enum { LOOK_AROUND = 1024 };
    uint64_t before = 0;
    for (uint64_t round = first; round <= last; round++) {
        say(talker, round);
        uint64_t said = (uint64_t)clock_now();
        if (round > first)
            *times++ = said - before;
        before = said;
        hear(talker, round);
        if (round % LOOK_AROUND == 0)
            ending_obey();
    }
    *times = (uint64_t)clock_now() - before;
}

static void play_all(struct talker *talker)
{
    uint64_t warm_up = (uint64_t)talker->warm_up;
    play(talker, 1, warm_up, talker->times);
    pingpong_charge(&talker->cost, -1, talker->channel.bell.sent);
    play(talker, warm_up + 1, warm_up + (uint64_t)rounds, talker->times);
    pingpong_charge(&talker->cost, 1, talker->channel.bell.sent);
}

/* ---- what it cost ---- */

static int compare(const void *a, const void *b)
{
    uint64_t one = *(const uint64_t *)a, other = *(const uint64_t *)b;
    return (one > other) - (one < other);
}

static void tell_times(uint64_t *times)
{
    double sum = 0;
    for (long i = 0; i < rounds; i++)
        sum += (double)times[i];
    qsort(times, (size_t)rounds, sizeof *times, compare);
    say("round trip: median %.3f us, 99th percentile %.3f us, minimum %.3f us",
                (double)times[rounds / 2] / 1e3, (double)times[rounds * 99 / 100] / 1e3,
                (double)times[0] / 1e3);
    say("%.0f rounds a second", (double)rounds / sum * 1e9);
}

/* Both sides together; what the listener says of itself is for show. */
static void tell_cost(struct talker *talker)
{
    explain("add what the kernel has charged the listener for: a wakeup costs both");
    struct pingpong_cost *cost = &talker->cost, *peers = &talker->shared->cost;
    double count = (double)rounds;
    say("a round: %.3f signals, %.3f context switches, %.3f us of CPU time",
                (double)(cost->signals + observe(&peers->signals)) / count,
                (double)(cost->switches + observe(&peers->switches)) / count,
                (double)(cost->cpu + observe(&peers->cpu)) / count);
}

static void introduce(const struct talker *talker)
{
    char where[64] = "any CPU";
    if (talker->cpu != -1)
        snprintf(where, sizeof where, "CPU %d and CPU %d", talker->cpu, talker->peers_cpu);
    say("%s: %ld rounds of %ld bytes, after %d to warm up, on %s", method_name, rounds,
                size, talker->warm_up, where);
}

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    int method = parse_method();
    struct talker talker = {.warm_up = rounds < 10000 ? (int)(rounds + 9) / 10 : 1000};
    choose_cpus(&talker);

    explain("block SIGUSR1 before we are known: it may come before we sleep");
    wait_block_sigusr1();
    if (wait_for_listener)
        session_await_listener(&options);
    session_join(&talker.session, &options, PINGPONG_LESSON, sizeof(struct pingpong));
    talker.shared = (struct pingpong *)talker.session.shared;
    make_room_for_times(&talker);
    agree(&talker, method, &options);
    introduce(&talker);

    play_all(&talker);
    session_await(&talker.session, PINGPONG_COUNTED);
    tell_times(talker.times);
    tell_cost(&talker);
    free(talker.times);
    session_part(&talker.session);
    return program_end();
}
