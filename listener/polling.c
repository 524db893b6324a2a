/* polling.c (listener) - polling uses the CPU all the time; sleeping uses almost none.
 *
 * The reader of the notes looks into the segment again and again until a message is there: busy
 * waiting. We wait like that for a first message. For a second message, which comes after the same
 * time, we sleep in sigsuspend. We compare how often we looked, and how much CPU time the kernel
 * counted for us (clock_gettime(2), CLOCK_PROCESS_CPUTIME_ID).
 *
 *     listener                                talker
 *     looks, looks, ... LOOKED      ------->
 *     looks, looks, ...             <-------  text, said = 1
 *     SLEEPS                        ------->
 *     sleeps                                  lets the same time pass
 *                                   <-------  text, said = 2, kill
 *     HEARD                         ------->
 *
 *     $ build/listener-polling                $ build/talker-polling "Hello"
 *
 * Level: first steps; 3 minutes; after handshake
 * Question: How many times as much CPU time does polling use as sleeping?
 * Choices: fewer than 20 times | 20 times or more
 * Answer: 20 times or more. A process that looks all the time keeps a CPU busy; one that sleeps
 * needs none.
 * Shown by: and burned [2-9][0-9] times the CPU
 * Shown by: and burned [1-9][0-9][0-9]* times the CPU
 */
#include "../common/layout/polling.h"
#include "../common/ending.h"
#include "../common/lesson.h"
#include "../common/peer.h"
#include "../common/session.h"

#include <time.h>

enum { LOOKS_ENOUGH = 100000000 }; /* a time that can be measured: about a tenth of a second */

static const char *const points[] = {"heard", NULL};

static const struct program program = {
    .name = "listener-polling",
    .about = "Waits for one message by polling and for one by sleeping, and compares the effort.",
    .question = "How many times as much CPU time does polling use as sleeping?",
    .points = points,
    .values = POLLING_VALUES};

struct effort {
    unsigned long long looks;
    double seconds, cpu; /* how long it took, and how much CPU time of ours */
};

static struct effort busy_wait(struct session *session, const struct polling *shared);
static struct effort sleep_until_rung(struct session *session, const struct polling *shared);
static void hear(const struct polling *shared);
static void print(const char *how, struct effort effort);

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    struct polling *shared = session_open(&session, &options, POLLING_LESSON, sizeof *shared);
    session_await_talker(&session);

    explain("Poll: look again and again. The talker speaks when we have looked often enough.");
    struct effort polling = busy_wait(&session, shared);
    hear(shared);

    explain("Sleep: the talker lets the same time pass, speaks, and signals.");
    publish(&shared->waited, (int)(polling.seconds * 1e3) + 1);
    struct effort sleeping = sleep_until_rung(&session, shared);
    hear(shared);

    trace_point("heard");
    print("polling", polling);
    print("sleeping", sleeping);
    check(sleeping.seconds >= polling.seconds && sleeping.looks < polling.looks &&
              sleeping.cpu < polling.cpu,
          "polling looked %.0f times as often, and burned %.0f times the CPU time",
          (double)polling.looks / (double)sleeping.looks, polling.cpu / sleeping.cpu);
    session_advance(&session, POLLING_HEARD);
    session_part(&session);
    return program_end();
}

static double read_clock(clockid_t clock)
{
    struct timespec time;
    if (clock_gettime(clock, &time) == -1)
        err(EXIT_FAILED, "clock_gettime");
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static struct effort begin(void)
{
    double seconds = read_clock(CLOCK_MONOTONIC);
    return (struct effort){0, -seconds, -read_clock(CLOCK_PROCESS_CPUTIME_ID)};
}

static void end(struct effort *effort)
{
    effort->cpu += read_clock(CLOCK_PROCESS_CPUTIME_ID);
    effort->seconds += read_clock(CLOCK_MONOTONIC);
}

/* A process that never sleeps must check for itself now and then: was it asked to end, does the
 * talker live, is the time up? */
static struct effort busy_wait(struct session *session, const struct polling *shared)
{
    enum { CHECK_AFTER = 1 << 24 };
    struct effort effort = begin();
    while (atomic_load_explicit(&shared->said, memory_order_acquire) != 1) {
        if (++effort.looks == LOOKS_ENOUGH)
            session_advance(session, POLLING_LOOKED);
        if (effort.looks % CHECK_AFTER != 0)
            continue;
        ending_obey();
        if (peer_is_gone(session->peer, session->segment.shmid))
            session_give_up(session, WAIT_GONE);
        double seconds = effort.seconds + read_clock(CLOCK_MONOTONIC);
        if (session->timeout > 0 && seconds > session->timeout)
            session_give_up(session, WAIT_LATE);
    }
    end(&effort);
    trace_observe("said", &shared->said, 1);
    return effort;
}

static struct effort sleep_until_rung(struct session *session, const struct polling *shared)
{
    struct wait wait = session_wait(session);
    struct effort effort = begin();
    session_advance(session, POLLING_SLEEPS);
    for (effort.looks = 1; observe(&shared->said) != 2; effort.looks++)
        session_sleep(session, &wait);
    end(&effort);
    return effort;
}

static void hear(const struct polling *shared)
{
    char text[POLLING_TEXT];
    copy_text_out(text, shared->text, sizeof text);
    print_line("received: %s", text);
}

static void print(const char *how, struct effort effort)
{
    print_line("%s: looked %llu times in %.3f s, and burned %.6f s of CPU time", how, effort.looks,
               effort.seconds, effort.cpu);
}
