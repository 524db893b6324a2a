/* counter.c (listener) - whoever only looks at a counter repeats and misses; a bell tells each
 * value once.
 *
 * The notes' show_counter, byte for byte on the wire (common/layout/counter.h): it looks at a number
 * that another process counts, at its own pace. It comes in the middle, sees some values twice and
 * others never. Each of the three happens here every time, because the counter waits where we look
 * twice, and goes on where we do not look. Then the counter rings at each value, and waits until we
 * have seen it. With the notes' counter on the other side, we can only look.
 *
 *     listener                                talker
 *                                             counts 0, 1, 2, MIDDLE, and waits
 *     looks, looks again, LOOKED    ------->
 *     does not look                 <-------  counts 3, 4, 5, AHEAD, and waits
 *     looks, RING                   ------->
 *     sees 6, 7, 8, 9, 10           <------>  counts on, and rings at each
 *
 *     $ build/listener-counter                $ build/talker-counter
 *
 * Question: Does a reader that only looks now and then see every value of the counter?
 */
#include "../common/layout/counter.h"
#include "../common/lesson.h"
#include "../common/session.h"
#include "../common/peer.h"
#include "../common/ending.h"

#include <limits.h>

static long key = COUNTER_KEY, count = 5;
static double interval = 0.1;

static const struct option_spec own_options[] = {
    {'k', "key", "KEY", "the segment's key (default: 9527, as in the notes)", OPTION_NUMBER, &key,
     1, INT_MAX},
    {'i', "interval", "SECONDS", "how long to wait between two looks (default: 0.1)",
     OPTION_SECONDS, &interval, 0, 0},
    {'n', "count", "N", "how many values to see when rung, or looks to take (default: 5)",
     OPTION_NUMBER, &count, 1, INT_MAX},
    {0, NULL, NULL, NULL, OPTION_FLAG, NULL, 0, 0},
};

static const struct program program = {
    .name = "listener-counter",
    .about =
        "Watches a counter: first only looking, then rung at each value. The key is fixed, and\n"
        "no key file is used.",
    .options = own_options,
};

/* Attaches what has the key already, be it the notes'. Returns NULL where it has gone meanwhile. */
static struct counter *join(int *shmid)
{
    struct shmid_ds about;
    *shmid = sys_shmget((key_t)key, 0, 0);
    if (*shmid == -1 || sys_shmctl(*shmid, IPC_STAT, &about) == -1) {
        if (errno == ENOENT || errno == EINVAL || errno == EIDRM)
            return NULL;
        err(1, "key %#lx belongs to a foreign segment, left as it is: choose another --key", key);
    }
    struct counter *counter = counter_attach(*shmid, &about);
    if (!counter)
        counter_refuse(key, *shmid, &about);
    return counter;
}

/* Makes the segment, or joins whoever has made it: of the notes' programs, the first makes it, too.
 */
static struct counter *make_or_join(int *shmid)
{
    struct counter *counter;
    while ((*shmid = sys_shmget((key_t)key, COUNTER_SIZE, IPC_CREAT | IPC_EXCL | 0600)) == -1) {
        if (errno != EEXIST)
            err(1, "shmget(%#lx, %d, IPC_CREAT | IPC_EXCL | 0600)", key, COUNTER_SIZE);
        if ((counter = join(shmid)))
            return counter;
    }
    segment_remove_at_exit(*shmid);
    counter = sys_shmat(*shmid, NULL, 0);
    if (counter == (void *)-1)
        err(1, "shmat(%d, NULL, 0)", *shmid);
    counter->meet.head.lesson = COUNTER_LESSON;
    publish(&counter->meet.head.magic, SEGMENT_MAGIC);
    return counter;
}

/* The PID in the bell's word, where it stands inverted while its watcher takes the bell. */
static int pid_in(int word)
{
    return word < 0 ? ~word : word;
}

/* While we take it, our PID stands there inverted: nobody rings that. Of two who come together both
 * may have read the PID of a watcher that has died; only the one who has it resets the steps. */
static void take_the_bell(struct counter *counter, int shmid)
{
    int found = observe(&counter->watcher);
    if (peer_has_attached(pid_in(found), shmid) ||
        !atomic_compare_exchange_strong(&counter->watcher, &found, ~(int)getpid())) {
        segment_forget(shmid); /* even if we have made it: it is the other's now */
        errx(4, "busy: PID %d is watching key %#lx: choose another --key", pid_in(found), key);
    }
    publish(&counter->session.step, 0);
    publish(&counter->watcher, (int)getpid());
    trace_stops_to(&counter->meet.head.stopped[SIDE_LISTENER]);
}

/* Who has the bell removes the segment, also where one of us left it behind when it was killed. */
static void take_over(const struct counter *counter, int shmid)
{
    struct shmid_ds about;
    if (!counter_adopt(counter, shmid))
        return;
    if (sys_shmctl(shmid, IPC_STAT, &about) == 0 && !peer_is_alive(about.shm_cpid))
        warnx("recovered: took over segment %d, which PID %d left behind", shmid,
              (int)about.shm_cpid);
}

/* Sleeps until somebody counts. Returns the PID of a talker of ours, or 0: it is another's. */
static int await_counter(const struct counter *counter, const struct session *session)
{
    struct wait wait = {.timeout = session->timeout};
    int before = counter_number(counter->text);
    do {
        bool counted = counter_number(counter->text) != before;
        atomic_thread_fence(memory_order_acquire); /* one of us says who it is before it counts */
        int talker = observe(&counter->session.talker);
        if (peer_has_attached(talker, session->segment.shmid))
            return talker;
        if (counted)
            return 0;
    } while (wait_sleep(&wait) != WAIT_LATE);
    errx(3, "nobody counts within %g seconds: gave up", session->timeout);
}

static int look(const struct counter *counter, const char *how)
{
    char text[COUNTER_DIGITS + 1] = "";
    memcpy(text, counter->text, COUNTER_DIGITS);
    int number = counter_number(text);
    if (number < 0)
        errx(1, "what lies there is no number: not a counter's (any more)");
    trace_observe_text("text", text, strlen(text));
    say("%s: %d", how, number);
    return number;
}

/* With a counter that knows of no bell. */
static void only_look(const struct counter *counter, const struct session *session)
{
    explain("this counter does not wait for us, and rings nobody: look, as often as we were told");
    int repeated = 0, missed = 0, last = look(counter, "looked");
    for (long i = 1; i < count; i++) {
        session_nap(session, interval);
        int number = look(counter, "looked");
        repeated += number == last;
        missed += number > last ? number - last - 1 : 0;
        last = number;
    }
    say("only looked, %ld times: repeated %d, missed %d", count, repeated, missed);
}

static void look_without_a_bell(const struct counter *counter, struct session *session)
{
    session_await(session, COUNTER_MIDDLE);
    explain("look, and look again, at our own pace: the counter goes at its own");
    int first = look(counter, "looked");
    session_nap(session, interval);
    int second = look(counter, "looked");
    session_advance(session, COUNTER_LOOKED);

    explain("then do not look for a while: nobody waits for us");
    session_await(session, COUNTER_AHEAD);
    int third = look(counter, "looked");
    check(first > 0 && second == first && third > second + 1,
          "only looking: began at %d, saw %d twice, missed %d of %d", first, second,
          third - second - 1, third - first);
}

static void look_when_rung(struct counter *counter, struct session *session)
{
    explain("ask to be rung: from now on each value is told, and the next waits until it is seen");
    int first = counter_number(counter->text), last = first, in_order = 0;
    int tick = observe(&counter->tick);
    session_advance(session, COUNTER_RING);
    for (long i = 1; i <= count; i++) {
        struct wait wait = session_wait(session);
        while (observe(&counter->tick) == tick)
            session_sleep(session, &wait);
        tick = observe(&counter->tick);
        int number = look(counter, "rung");
        in_order += number == last + 1;
        last = number;
        if (i == count)
            publish(&counter->watcher, 0);
        publish(&counter->seen, tick);
        if (peer_signal(session->peer) == -1 && errno != ESRCH)
            err(1, "kill(%d, SIGUSR1) to the talker", (int)session->peer);
    }
    check(in_order == count, "rung %ld times: saw %d to %d, each once: %d of %d", count, first + 1,
          last, in_order, last - first);
}

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    wait_block_sigusr1();
    explain(
        "make the segment under its fixed key, or join the one that is there: no file is asked");
    struct session session = {.timeout = options.timeout};
    struct counter *counter = make_or_join(&session.segment.shmid);
    session.shared = &counter->session;
    take_the_bell(counter, session.segment.shmid);
    take_over(counter, session.segment.shmid);
    say("waiting for a talker (pid %d, key %#lx, shmid %d)", (int)getpid(), key,
                session.segment.shmid);

    session.peer = await_counter(counter, &session);
    if (session.peer) {
        counter_adopt(counter, session.segment.shmid);
        look_without_a_bell(counter, &session);
        look_when_rung(counter, &session);
    } else {
        only_look(counter, &session);
    }
    explain(
        "leave, and remove a segment that one of us made: the notes' programs never remove theirs");
    publish(&counter->watcher, 0);
    trace_stops_to(NULL);
    if (sys_shmdt(counter) == -1)
        err(1, "shmdt(%p)", (void *)counter);
    return program_end();
}
