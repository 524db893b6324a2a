/* pingpong.c (talker) - sends a message, gets one back, many times, and prints what that cost.
 *
 * The other half of listener/pingpong.c: read that first, and start it first.
 *
 *     $ build/listener-pingpong               $ build/talker-pingpong --method signal --cpu two
 *     listener: waiting for a talker ...      talker: signal: 10000 rounds of 32 bytes, ...
 *     listener: answered 10000 messages ...   talker: round trip: median 41.310 us, ...
 */
#include "../common/layout/pingpong.h"
#include "../common/clock.h"
#include "../common/cpu.h"
#include "../common/ending.h"
#include "../common/lesson.h"
#include "../common/methods.h"
#include "../common/rounds.h"
#include "../common/session.h"

#include <stdio.h>

static bool wait_for_listener;
static const char *method = "doorbell", *place = "any";
static long rounds = 10000, size = 32, spin = 50;

static const struct option_spec own_options[] = {
    {'m', "method", "METHOD", METHOD_NAMES " (default: doorbell)", OPTION_TEXT, &method, 0, 0},
    {'n', "rounds", "N", "timed rounds (default: 10000)", OPTION_NUMBER, &rounds, 1,
     PINGPONG_MOST_ROUNDS},
    {'s', "size", "BYTES", "of a message (default: 32)", OPTION_NUMBER, &size, 1, PINGPONG_MOST},
    {0, "cpu", "WHERE", "both on one CPU: same; on two: two; or any", OPTION_TEXT, &place, 0, 0},
    {0, "spin", "MICROSECONDS", "doorbell: spin for so long before sleeping (default: 50)",
     OPTION_NUMBER, &spin, 0, 1000000},
    {'w', "wait", NULL, "wait for a listener to appear", OPTION_FLAG, &wait_for_listener, 0, 0},
    {0, NULL, NULL, NULL, OPTION_FLAG, NULL, 0, 0},
};

static const char *const points[] = {"saying", "heard", NULL};

static const struct program program = {
    .name = "talker-pingpong",
    .about = "Sends messages to listener-pingpong, gets them back, and prints what a round cost.",
    .options = own_options,
    .points = points,
    .values = PINGPONG_VALUES,
};

struct talker {
    struct session session;
    struct pingpong *shared;
    struct channel channel;
    struct wait wait;            /* as it begins in each round */
    int warm_up, cpu, peers_cpu; /* CPU -1: any */
};

static void choose_cpus(struct talker *talker);
static void agree(struct talker *talker, int number, const struct options *options);
static void play(struct talker *talker, uint64_t first, uint64_t last, uint64_t *times);
static void say_cost(const struct talker *talker, struct rounds_cost ours);

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    int number = method_named(method);
    if (number == -1)
        errx(EXIT_USAGE, "--method: '%s' is none of %s", method, METHOD_NAMES);
    struct talker talker = {.warm_up = rounds < 10000 ? (int)(rounds + 9) / 10 : 1000};
    choose_cpus(&talker);

    if (wait_for_listener)
        session_await_listener(&options);
    talker.shared = session_join(&talker.session, &options, PINGPONG_LESSON, sizeof *talker.shared);
    uint64_t *times = rounds_times((size_t)rounds);
    agree(&talker, number, &options);

    uint64_t warm_up = (uint64_t)talker.warm_up;
    play(&talker, 1, warm_up, times); /* these times are overwritten */
    struct rounds_cost before = rounds_cost(talker.channel.bell.sent);
    play(&talker, warm_up + 1, warm_up + (uint64_t)rounds, times);
    struct rounds_cost after = rounds_cost(talker.channel.bell.sent);
    session_await(&talker.session, PINGPONG_COUNTED);
    rounds_say_times(times, (size_t)rounds);
    say_cost(&talker, rounds_cost_between(before, after));
    free(times);
    session_part(&talker.session);
    return program_end();
}

/* ---- the plan ---- */

static void choose_cpus(struct talker *talker)
{
    talker->cpu = talker->peers_cpu = -1;
    if (strcmp(place, "any") == 0)
        return;
    bool two = strcmp(place, "two") == 0;
    if (!two && strcmp(place, "same") != 0)
        errx(EXIT_USAGE, "--cpu: '%s' is none of same, two or any", place);
    talker->cpu = cpu_nth(0);
    talker->peers_cpu = cpu_nth(two ? 1 : 0);
    if (talker->cpu == -1 || talker->peers_cpu == -1)
        errx(EXIT_FAILED, "--cpu %s: there are not so many CPUs for this process", place);
}

/* The listener makes first what both need. */
static void agree(struct talker *talker, int number, const struct options *options)
{
    explain("Leave the plan in the segment, and wait until the listener is ready for it.");
    struct pingpong *shared = talker->shared;
    publish(&shared->plan.method, number);
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
    channel_open(&talker->channel, number, &talker->session, options);
    if (talker->cpu != -1 && cpu_pin(talker->cpu) == -1)
        err(EXIT_FAILED, "--cpu %s: sched_setaffinity to CPU %d", place, talker->cpu);
    char where[64] = "any CPU";
    if (talker->cpu != -1)
        snprintf(where, sizeof where, "CPU %d and CPU %d", talker->cpu, talker->peers_cpu);
    print_line("%s: %ld rounds of %ld bytes, after %d to warm up, on %s", method, rounds, size,
               talker->warm_up, where);
}

/* ---- the rounds ---- */

static void send_message(struct talker *talker, uint64_t round)
{
    explain("Write the message, then its count, then wake the listener: the order matters.");
    trace_point("saying");
    rounds_write(&talker->shared->ping, (size_t)size, round);
    publish(&talker->shared->ping.count, round);
    channel_wake(&talker->channel);
}

static void hear(struct talker *talker, uint64_t round)
{
    explain("Wait, in the way of this method, until the count is this round's.");
    struct pingpong_line *pong = &talker->shared->pong;
    enum wait_result why = channel_await(&talker->channel, &pong->count, round, &talker->wait);
    if (why != WAIT_LOOK)
        session_give_up(&talker->session, why);
    trace_point("heard");
    if (!rounds_check(pong, (size_t)size, round))
        errx(EXIT_FAILED, "round %llu: the answer is not this round's", (unsigned long long)round);
}

/* A round is timed from one message to the next. The clock is read while a message is on its way:
 * that costs the round nothing. A side that never sleeps has to look for ending signals here. */
static void play(struct talker *talker, uint64_t first, uint64_t last, uint64_t *times)
{
    enum { LOOK_FOR_SIGNALS = 1024 };
    uint64_t before = 0;
    for (uint64_t round = first; round <= last; round++) {
        send_message(talker, round);
        uint64_t sent = (uint64_t)clock_now();
        if (round > first)
            *times++ = sent - before;
        before = sent;
        hear(talker, round);
        if (round % LOOK_FOR_SIGNALS == 0)
            ending_obey();
    }
    *times = (uint64_t)clock_now() - before;
}

/* Both sides together. We cannot check what the listener says of itself: it is only printed. */
static void say_cost(const struct talker *talker, struct rounds_cost ours)
{
    explain("Add what the rounds cost the listener: a wakeup costs both sides.");
    struct pingpong_cost *theirs = &talker->shared->cost;
    double count = (double)rounds;
    double signals = (double)ours.signals + (double)observe(&theirs->signals);
    double switches = (double)ours.switches + (double)observe(&theirs->switches);
    double cpu = (double)ours.cpu + (double)observe(&theirs->cpu);
    print_line("a round: %.3f signals, %.3f context switches, %.3f us of CPU time", signals / count,
               switches / count, cpu / count);
}
