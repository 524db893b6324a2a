/* counter.c (talker) - counts, and leaves each number as text where anybody may look at it.
 *
 * The notes' counter, byte for byte on the wire; its other half is listener/counter.c, which tells
 * the story and is started first, or the notes' show_counter. With a listener of ours it waits
 * where that one looks, and then rings at each value. With anybody else it just counts, as the
 * notes' does, until nobody has the segment attached any more.
 *
 *     $ build/listener-counter                $ build/talker-counter
 */
#include "../common/layout/counter.h"
#include "../common/lesson.h"
#include "../common/session.h"
#include "../common/peer.h"
#include "../common/ending.h"

#include <limits.h>
#include <stdio.h>

enum { AT_A_TIME = 3 }; /* what is counted while nobody looks */

static long key = COUNTER_KEY, count;
static double interval = 0.1;
static bool create;

static const struct option_spec own_options[] = {
    {'k', "key", "KEY", "the segment's key (default: 9527, as in the notes)", OPTION_NUMBER, &key,
     1, INT_MAX},
    {'i', "interval", "SECONDS", "how long to wait after each value (default: 0.1; the notes: 1)",
     OPTION_SECONDS, &interval, 0, 0},
    {'n', "count", "N", "stop after N values that no listener of ours has asked for", OPTION_NUMBER,
     &count, 1, INT_MAX},
    {'c', "create", NULL,
     "come first, as in the notes: create the segment, and watched or not, count", OPTION_FLAG,
     &create, 0, 0},
    {0, NULL, NULL, NULL, OPTION_FLAG, NULL, 0, 0},
};

static const char *const points[] = {"tick", NULL};

static const struct program program = {
    .name = "talker-counter",
    .about =
        "Counts for a watcher; one that asks for it is rung at each value. The key is fixed, and\n"
        "no key file is used.",
    .options = own_options,
    .points = points,
};

static struct counter *find(int *shmid)
{
    struct shmid_ds about;
    bool created = false;
    if (create) {
        *shmid = sys_shmget((key_t)key, COUNTER_SIZE, IPC_CREAT | IPC_EXCL | 0600);
        if (*shmid == -1 && errno != EEXIST)
            err(1, "shmget(%#lx, %d, IPC_CREAT | IPC_EXCL | 0600)", key, COUNTER_SIZE);
        created = *shmid != -1;
    }
    if (created)
        segment_remove_at_exit(*shmid);
    else
        *shmid = sys_shmget((key_t)key, 0, 0);
    if (*shmid == -1 && errno == ENOENT)
        errx(3, "no segment has key %#lx: start listener-counter first, or give --create", key);
    if (*shmid == -1 || sys_shmctl(*shmid, IPC_STAT, &about) == -1)
        err(1, "key %#lx belongs to a foreign segment: choose another --key", key);
    struct counter *counter = counter_attach(*shmid, &about);
    if (!counter)
        counter_refuse(key, *shmid, &about);
    if (created)
        publish(&counter->meet.head.magic, SEGMENT_MAGIC);
    return counter;
}

static void introduce_us(struct counter *counter, int shmid)
{
    int other = observe(&counter->session.talker);
    if (peer_has_attached(other, shmid) ||
        !atomic_compare_exchange_strong(&counter->session.talker, &other, (int)getpid()))
        errx(4, "busy: PID %d is counting under key %#lx: choose another --key", other, key);
    trace_publish("talker", getpid());
    trace_stops_to(&counter->meet.head.stopped[SIDE_TALKER]);
}

/* Whether nobody can be watching: the segment's maker is dead, and nobody else has it attached. */
static bool nobody_watches(int shmid)
{
    struct shmid_ds about;
    return sys_shmctl(shmid, IPC_STAT, &about) == -1 ||
           (about.shm_nattch <= 1 && !peer_is_alive(about.shm_cpid));
}

static void leave(struct counter *counter, int number)
{
    char text[12];
    int length = snprintf(text, sizeof text, "%d", number);
    memcpy(counter->text, text, (size_t)length + 1);
    trace_publish_text("text", text, (size_t)length);
}

static void ring(const struct session *session)
{
    if (peer_signal(session->peer) == -1)
        err(3, "kill(%d, SIGUSR1) to the listener", (int)session->peer);
}

/* Counts from `number` on. Returns the next. */
static int count_some(struct counter *counter, const struct session *session, int number)
{
    for (int i = 0; i < AT_A_TIME; i++) {
        leave(counter, number++);
        session_nap(session, interval);
    }
    return number;
}

/* Returns the next number. */
static int count_without_a_bell(struct counter *counter, struct session *session, int number)
{
    explain("count before the listener looks, then wait, as if our next tick were still to come");
    ring(session);
    int first = number;
    number = count_some(counter, session, number);
    session_advance(session, COUNTER_MIDDLE);
    session_await(session, COUNTER_LOOKED);

    explain("count on while the listener does not look: nothing keeps these values for it");
    number = count_some(counter, session, number);
    session_advance(session, COUNTER_AHEAD);
    say("counted %d to %d, for whoever looks", first, number - 1);
    return number;
}

static void count_and_ring(struct counter *counter, struct session *session, int number)
{
    session_await(session, COUNTER_RING);
    explain("now ring at each value, and keep it there until the listener has seen it");
    int rung = number;
    for (int tick = observe(&counter->tick) + 1;; tick++) {
        leave(counter, number++);
        trace_point("tick");
        publish(&counter->tick, tick);
        ring(session);
        struct wait wait = session_wait(session);
        while (observe(&counter->seen) != tick)
            session_sleep(session, &wait);
        if (observe(&counter->watcher) != session->peer)
            break;
        session_nap(session, interval);
    }
    say("counted %d to %d, and rang at each", rung, number - 1);
}

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    wait_block_sigusr1();
    explain("find the segment under its fixed key; whoever knows the number knows the segment");
    struct session session = {.timeout = options.timeout};
    struct counter *counter = find(&session.segment.shmid);
    session.shared = &counter->session;
    introduce_us(counter, session.segment.shmid);

    for (int number = 0; count == 0 || number < count; number++) {
        int watcher = observe(&counter->watcher);
        if (peer_has_attached(watcher, session.segment.shmid)) {
            session.peer = watcher;
            counter_adopt(counter, session.segment.shmid);
            number = count_without_a_bell(counter, &session, number);
            count_and_ring(counter, &session, number);
            break;
        }
        if (!create && nobody_watches(session.segment.shmid))
            errx(3, "nobody watches key %#lx: start listener-counter first, or give --create", key);
        if (number == 0)
            explain("nobody has left a PID to ring: count, for whoever looks");
        leave(counter, number);
        session_nap(&session, interval);
    }
    publish(&counter->session.talker, 0);
    trace_stops_to(NULL);
    if (sys_shmdt(counter) == -1)
        err(1, "shmdt(%p)", (void *)counter);
    return program_end();
}
