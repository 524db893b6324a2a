/* counter.c (listener) - a watcher that only looks sees some values twice, and misses others.
 *
 * This is show_counter of the notes. It shares the same bytes with their counter: a number as text,
 * under a fixed key. The counter does not know that we are here. We begin in the middle of its
 * count. We look twice at once and get the same number. Then we do not look for a while, and miss
 * the numbers of that time. Lesson "watching" shows the same number with a signal for each value.
 *
 *     listener                                talker
 *                                             0, 1, ...
 *     looks: 1, looks: 1                      2, 3, 4 ...
 *     looks: 5, looks: 5                      6, 7, 8 ...
 *     looks: 9, looks: 9
 *     removes the segment                     notices that
 *
 *     $ build/listener-counter                $ build/talker-counter
 *
 * Level: first steps; 3 minutes; after handshake
 * Question: Does a watcher that only looks now and then see every value of the counter?
 * Answer: no. It sees what stands there when it looks, and the writer does not wait for it.
 * Shown by: repeated 3, missed 6
 */
#include "../common/layout/counter.h"
#include "../common/lesson.h"
#include "../common/notes.h"
#include "../common/segment.h"
#include "../common/wait.h"

static long key = COUNTER_KEY, count = 6;
static double interval = 0.4;

static const struct option_spec own_options[] = {
    {'k', "key", "KEY", "the segment's key (default: 9527, as in the notes)", OPTION_NUMBER, &key,
     1, INT_MAX},
    {'i', "interval", "SECONDS", "how long not to look, after two looks (default: 0.4)",
     OPTION_SECONDS, &interval, 0, 0},
    {'n', "count", "N", "how many looks to take (default: 6)", OPTION_NUMBER, &count, 1, INT_MAX},
    {0, NULL, NULL, NULL, OPTION_FLAG, NULL, 0, 0},
};

static const struct program program = {
    .name = "listener-counter",
    .about =
        "Watches a counter by looking at it now and then. The key is fixed, and no key file is\n"
        "used.",
    .question = "Does a watcher that only looks now and then see every value of the counter?",
    .options = own_options,
};

static void await_counter(const struct counter *shared, double timeout);
static int look(const struct counter *shared);
static void exit_if_alone(const struct counter *shared, int shmid);

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    wait_block_sigusr1(); /* no program sends it here, but a stray one would kill us */

    explain("Open the segment, or create it: in the notes, either program may come first.");
    notes_recover((key_t)key, NOTES_NUMBER);
    int shmid = sys_shmget((key_t)key, COUNTER_SIZE, IPC_CREAT | 0600);
    if (shmid == -1)
        err(EXIT_FAILED, "shmget(%#lx, %d, IPC_CREAT)", key, COUNTER_SIZE);

    explain("Remove it at the end only if we created it. The notes' programs never remove theirs.");
    if (notes_creator(shmid, NOTES_NUMBER) == getpid())
        segment_remove_at_exit(shmid);
    struct counter *shared = sys_shmat(shmid, NULL, 0);
    if (shared == (void *)-1)
        err(EXIT_FAILED, "shmat(%d, NULL, 0)", shmid);
    print_line("waiting for a talker (pid %d, key %#lx, shmid %d)", (int)getpid(), key, shmid);

    explain("Begin in the middle of the count: the counter does not wait for a watcher.");
    await_counter(shared, options.timeout);
    int first = look(shared), last = first, repeated = 0;
    long missed = 0;

    explain("Look twice at once, then do not look for a while. No process signals us.");
    for (long i = 1; i < count; i++) {
        if (i % 2 == 0) {
            notes_nap(interval);
            exit_if_alone(shared, shmid);
        }
        int number = look(shared);
        repeated += number == last;
        missed += number > last ? number - last - 1 : 0;
        last = number;
    }
    print_line("only looked, %ld times: began at %d, repeated %d, missed %ld", count, first,
               repeated, missed);

    explain("Detach. A segment that we created is removed, and the counter notices that.");
    if (sys_shmdt(shared) == -1)
        err(EXIT_FAILED, "shmdt(%p)", (void *)shared);
    return program_end();
}

/* Returns when the number has changed and is not the first of a count. */
static void await_counter(const struct counter *shared, double timeout)
{
    struct wait wait = {.timeout = timeout};
    int before = notes_number(shared->text), number = before;
    while (number < 1 || number == before) {
        if (wait_tick(&wait) != WAIT_LOOK)
            errx(EXIT_NO_PEER, "no process counts within %g s: gave up, start talker-counter",
                 timeout);
        number = notes_number(shared->text);
    }
}

/* Nothing keeps the counter from storing while we load: where 9 becomes 10, we could get a mixture
 * of both. The wire of the notes forces that; lesson "torn" shows how to notice it. */
static int look(const struct counter *shared)
{
    int number = notes_number(shared->text);
    if (number < 0)
        errx(EXIT_FAILED, "the text in the segment is no number: another program has written it");
    print_line("looked: %d", number);
    return number;
}

/* A dead counter leaves its last number there. Only the kernel can say that it has gone. */
static void exit_if_alone(const struct counter *shared, int shmid)
{
    struct shmid_ds about;
    if (sys_shmctl(shmid, IPC_STAT, &about) == 0 && about.shm_nattch > 1)
        return;
    if (sys_shmdt(shared) == -1)
        err(EXIT_FAILED, "shmdt(%p)", (const void *)shared);
    notes_remove_if_left(shmid);
    errx(EXIT_NO_PEER, "no process counts any more: the counter went away");
}
