/* pingpong.c (listener) - a message through memory costs almost nothing; what costs time is to wake
 * the peer.
 *
 * One message and its answer go through the segment, in seven ways. What differs is how a side
 * comes to look (common/methods.h): what wakes it, or whether it sleeps at all. A FIFO or a
 * semaphore, too, carries only the wakeup.
 *
 * The talker chooses the method and all else. We answer, and report at the end what the rounds have
 * cost us.
 *
 *     $ build/listener-pingpong               $ build/talker-pingpong --method doorbell --cpu two
 *     listener: waiting for a talker ...      talker: doorbell: 10000 rounds of 32 bytes, ...
 *     listener: answered 10000 messages ...   talker: round trip: median 0.110 us, ...
 *
 * Level: beyond; 5 minutes; after polling, stream
 * Question: How many microseconds do one message and its answer take?
 * Choices: less than 1 | 1 to 100 | more than 100
 * Answer: less than 1. Each side ran on a CPU of its own, looked in time, and needed no signal.
 * Shown by: round trip: median 0.
 * Answer: 1 to 100. The copy costs almost nothing; the time is what it takes to wake the peer.
 * Shown by: round trip: median [1-9].
 * Shown by: round trip: median [1-9][0-9].
 * Answer: more than 100. To wake the peer took so long: other processes had the CPUs.
 * Shown by: round trip: median [1-9][0-9][0-9]
 *
 * demo: talker --rounds 1000
 */
#include "../common/layout/pingpong.h"
#include "../common/cpu.h"
#include "../common/ending.h"
#include "../common/lesson.h"
#include "../common/methods.h"
#include "../common/rounds.h"
#include "../common/session.h"

#include <limits.h>

static const char *const points[] = {"heard", "answered", NULL};

static const struct program program = {
    .name = "listener-pingpong",
    .about = "Answers the messages of talker-pingpong, in the way that the talker chooses.",
    .question = "How many microseconds do one message and its answer take?",
    .points = points,
    .values = PINGPONG_VALUES,
};

struct listener {
    struct session session;
    struct pingpong *shared;
    struct channel channel;
    struct wait wait;                             /* as it begins in each round */
    int method, cpu, spin, size, warm_up, rounds; /* the plan, copied and checked */
};

static void read_plan(struct listener *listener);
static int checked(const struct listener *listener, const char *what, int value, int least,
                   int most);
static void follow_plan(struct listener *listener, const struct options *options);
static void play(struct listener *listener, uint64_t first, uint64_t last);
static void report(struct listener *listener, struct rounds_cost cost);

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct listener listener = {0};
    listener.shared =
        session_open(&listener.session, &options, PINGPONG_LESSON, sizeof *listener.shared);
    session_await_talker(&listener.session);
    session_await(&listener.session, PINGPONG_PLANNED);
    read_plan(&listener);
    follow_plan(&listener, &options);

    uint64_t warm_up = (uint64_t)listener.warm_up, rounds = (uint64_t)listener.rounds;
    play(&listener, 1, warm_up);
    struct rounds_cost before = rounds_cost(listener.channel.bell.sent);
    play(&listener, warm_up + 1, warm_up + rounds);
    report(&listener, rounds_cost_between(before, rounds_cost(listener.channel.bell.sent)));
    session_part(&listener.session);
    return program_end();
}

/* ---- the plan ---- */

static void read_plan(struct listener *listener)
{
    explain("Copy the talker's plan once, and check the copy: another process wrote it.");
    struct pingpong_plan *plan = &listener->shared->plan;
    listener->method = checked(listener, "method", observe(&plan->method), 0, METHODS - 1);
    listener->cpu = checked(listener, "CPU", observe(&plan->cpu), -1, INT_MAX);
    listener->spin = checked(listener, "spin", observe(&plan->spin), 0, 1000000);
    listener->size = checked(listener, "size", observe(&plan->size), 1, PINGPONG_MOST);
    listener->warm_up = checked(listener, "warm-up", observe(&plan->warm_up), 0, 1000);
    listener->rounds =
        checked(listener, "number of rounds", observe(&plan->rounds), 1, PINGPONG_MOST_ROUNDS);
}

static int checked(const struct listener *listener, const char *what, int value, int least,
                   int most)
{
    if (value < least || value > most)
        errx(EXIT_FAILED, "segment %d says that the %s is %d: it has to be from %d to %d",
             listener->session.segment.shmid, what, value, least, most);
    return value;
}

static void follow_plan(struct listener *listener, const struct options *options)
{
    explain("Make what the method needs beside the segment, and go to the CPU of the plan.");
    struct pingpong *shared = listener->shared;
    listener->wait = session_wait(&listener->session);
    listener->channel.bell = (struct doorbell_side){.mine = &shared->pong.bell,
                                                    .theirs = &shared->ping.bell,
                                                    .spin = doorbell_spin(listener->spin)};
    channel_open(&listener->channel, listener->method, &listener->session, options);
    if (listener->cpu != -1 && cpu_pin(listener->cpu) == -1)
        err(EXIT_FAILED, "sched_setaffinity to CPU %d, as the talker's plan wants", listener->cpu);
    session_advance(&listener->session, PINGPONG_READY);
}

/* ---- the rounds ---- */

static void hear(struct listener *listener, uint64_t round)
{
    explain("Wait, in the way of this method, until the count is this round's.");
    struct pingpong_line *ping = &listener->shared->ping;
    enum wait_result why = channel_await(&listener->channel, &ping->count, round, &listener->wait);
    if (why != WAIT_LOOK)
        session_give_up(&listener->session, why);
    trace_point("heard");
    if (!rounds_check(ping, (size_t)listener->size, round))
        errx(EXIT_FAILED, "round %llu: the message is not this round's", (unsigned long long)round);
}

static void answer(struct listener *listener, uint64_t round)
{
    explain("Write the answer, then its count, then wake the talker: the order matters.");
    rounds_write(&listener->shared->pong, (size_t)listener->size, round);
    publish(&listener->shared->pong.count, round);
    channel_wake(&listener->channel);
    trace_point("answered");
}

/* A side that never sleeps has to look for ending signals here. */
static void play(struct listener *listener, uint64_t first, uint64_t last)
{
    enum { LOOK_FOR_SIGNALS = 1024 };
    for (uint64_t round = first; round <= last; round++) {
        hear(listener, round);
        answer(listener, round);
        if (round % LOOK_FOR_SIGNALS == 0)
            ending_obey();
    }
}

static void report(struct listener *listener, struct rounds_cost cost)
{
    explain("Leave our half of the cost in the segment: the talker cannot know it.");
    struct pingpong_cost *reported = &listener->shared->cost;
    publish(&reported->cpu, cost.cpu);
    publish(&reported->switches, cost.switches);
    publish(&reported->signals, cost.signals);
    print_line("answered %d messages of %d bytes by %s", listener->warm_up + listener->rounds,
               listener->size, method_name(listener->method));
    session_advance(&listener->session, PINGPONG_COUNTED);
}
