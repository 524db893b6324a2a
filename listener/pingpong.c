/* pingpong.c (listener) - what a wakeup costs: one message forth and one back, in seven ways.
 *
 * The messages pass through the segment in all of them, and cost nearly nothing there. What differs
 * is how the other side comes to look (common/channel.h): whether it must be woken, by what, or
 * never sleeps. For a FIFO or a semaphore, too, only the wakeup goes that way.
 *
 * The talker decides on the method and the rest; we answer, and tell it at the end what the rounds
 * have cost us.
 *
 *     $ build/listener-pingpong               $ build/talker-pingpong --method doorbell --cpu two
 *     listener: waiting for a talker ...      talker: doorbell: 10000 rounds of 32 bytes, ...
 *     listener: answered 10000 messages ...   talker: round trip: median 0.110 us, ...
 *
 * Question: How many microseconds do one message and its answer take?
 *
 * demo: talker --rounds 1000
 */
#include "../common/layout/pingpong.h"
#include "../common/lesson.h"
#include "../common/session.h"
#include "../common/ending.h"
#include "../common/methods.h"
#include "../common/cpu.h"

#include <limits.h>

static const char *const points[] = {"heard", "answered", NULL};

static const struct program program = {
    .name = "listener-pingpong",
    .about = "Answers the messages of talker-pingpong, in the way that the talker chooses.",
    .points = points,
};

struct listener {
    struct session session;
    struct pingpong *shared;
    struct channel channel;
    struct wait wait; /* as it begins in each round */
    struct pingpong_cost cost;
    int method, cpu, spin, size, warm_up, rounds; /* the plan, once it was checked */
};

/* ---- the plan ---- */

static int checked(const struct listener *listener, const char *what, long long value,
                   long long least, long long most)
{
    if (value < least || value > most)
        errx(1, "shmid %d says that the %s is %lld, not %lld to %lld: it is broken",
             listener->session.segment.shmid, what, value, least, most);
    return (int)value;
}

static void read_plan(struct listener *listener)
{
    explain("copy what the talker plans, once, and check it: it comes from another process");
    struct pingpong_plan *plan = &listener->shared->plan;
    listener->method = checked(listener, "method", observe(&plan->method), 0, INT_MAX);
    listener->cpu = checked(listener, "CPU", observe(&plan->cpu), -1, INT_MAX);
    listener->spin = checked(listener, "spin", observe(&plan->spin), 0, 1000000);
    listener->size = checked(listener, "size", observe(&plan->size), 1, PINGPONG_MOST);
    listener->warm_up = checked(listener, "warm-up", observe(&plan->warm_up), 0, 1000);
    listener->rounds =
        checked(listener, "number of rounds", observe(&plan->rounds), 1, PINGPONG_MOST_ROUNDS);
    if (!method_name(listener->method))
        errx(1, "shmid %d says that the method is %d: it is broken", listener->session.segment.shmid,
             listener->method);
}

static void follow_plan(struct listener *listener, const struct options *options)
{
    explain("make what the method needs beside the segment, and go where the talker wants us");
    struct pingpong *shared = listener->shared;
    listener->wait = session_wait(&listener->session);
    listener->channel.bell = (struct doorbell_side){.mine = &shared->pong.bell,
                                                     .theirs = &shared->ping.bell,
                                                     .spin = doorbell_spin(listener->spin)};
    channel_open(&listener->channel, listener->method, &listener->session, options);
    if (listener->cpu != -1 && cpu_pin(listener->cpu) == -1)
        err(1, "sched_setaffinity to CPU %d, as the talker wants it", listener->cpu);
    session_advance(&listener->session, PINGPONG_READY);
}

/* ---- the rounds ---- */

static void hear(struct listener *listener, uint64_t round)
{
    explain("wait until the count is this round's, as the method has it");
    struct pingpong_line *ping = &listener->shared->ping;
    enum wait_result why = channel_await(&listener->channel, &ping->count, round, listener->wait);
    if (why != WAIT_LOOK)
        session_give_up(&listener->session, why);
    trace_point("heard");
    if (!pingpong_is(ping, (size_t)listener->size, round))
        errx(1, "round %llu: the message is not this round's", (unsigned long long)round);
}

static void answer(struct listener *listener, uint64_t round)
{
    explain("the message first, then its count (release): who sees the count sees the message");
    pingpong_write(&listener->shared->pong, (size_t)listener->size, round);
    publish(&listener->shared->pong.count, round);
    channel_wake(&listener->channel);
    trace_point("answered");
}

/* Where both find at once what they wait for, nobody sleeps: signals are looked for now and then.
 */
static void play(struct listener *listener, uint64_t first, uint64_t last)
{
    enum { LOOK_AROUND = 1024 };
    for (uint64_t round = first; round <= last; round++) {
        hear(listener, round);
        answer(listener, round);
        if (round % LOOK_AROUND == 0)
            ending_obey();
    }
}

static void play_all(struct listener *listener)
{
    uint64_t warm_up = (uint64_t)listener->warm_up;
    play(listener, 1, warm_up);
    pingpong_charge(&listener->cost, -1, listener->channel.bell.sent);
    play(listener, warm_up + 1, warm_up + (uint64_t)listener->rounds);
    pingpong_charge(&listener->cost, 1, listener->channel.bell.sent);
}

static void tell_cost(struct listener *listener)
{
    explain("tell the talker what our half of the rounds has cost: it cannot know");
    struct pingpong_cost *told = &listener->shared->cost;
    publish(&told->cpu, listener->cost.cpu);
    publish(&told->switches, listener->cost.switches);
    publish(&told->signals, listener->cost.signals);
    session_advance(&listener->session, PINGPONG_COUNTED);
}

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);

    explain("block SIGUSR1 before anyone can know our PID: an early one then waits");
    wait_block_sigusr1();
    struct listener listener = {0};
    session_open(&listener.session, &options, PINGPONG_LESSON, sizeof(struct pingpong));
    listener.shared = (struct pingpong *)listener.session.shared;
    session_await_talker(&listener.session);
    session_await(&listener.session, PINGPONG_PLANNED);
    read_plan(&listener);
    follow_plan(&listener, &options);

    play_all(&listener);
    tell_cost(&listener);
    say("answered %d messages of %d bytes by %s", listener.warm_up + listener.rounds,
                listener.size, method_name(listener.method));
    session_part(&listener.session);
    return program_end();
}
