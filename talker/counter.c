/* counter.c (talker) - counts, and stores each number as text, for any watcher that looks.
 *
 * This is the counter of the notes. Read and start listener/counter.c first, or the notes'
 * show_counter. No watcher is signalled or waited for: the wire of the notes has neither. So we
 * also cannot know whether a watcher has seen enough. We end when no process has the segment
 * attached any more, or when the watcher that created it has removed it.
 *
 *     $ build/listener-counter                $ build/talker-counter
 */
#include "../common/layout/counter.h"
#include "../common/lesson.h"
#include "../common/notes.h"
#include "../common/peer.h"
#include "../common/segment.h"
#include "../common/wait.h"

#include <stdio.h>

static long key = COUNTER_KEY, count = INT_MAX;
static double interval = 0.1;
static bool create;

static const struct option_spec own_options[] = {
    {'k', "key", "KEY", "the segment's key (default: 9527, as in the notes)", OPTION_NUMBER, &key,
     1, INT_MAX},
    {'i', "interval", "SECONDS", "how long to wait after each value (default: 0.1; the notes: 1)",
     OPTION_SECONDS, &interval, 0, 0},
    {'n', "count", "N", "stop after N values", OPTION_NUMBER, &count, 1, INT_MAX},
    {'c', "create", NULL, "come first: create the segment, and count also without a watcher",
     OPTION_FLAG, &create, 0, 0},
    {0, NULL, NULL, NULL, OPTION_FLAG, NULL, 0, 0},
};

static const char *const points[] = {"counted", NULL};

static const struct program program = {
    .name = "talker-counter",
    .about = "Counts for any watcher that looks. The key is fixed, and no key file is used.",
    .options = own_options,
    .points = points,
};

static int open_segment(void);
static void exit_if_unwatched(const struct counter *shared, int shmid, pid_t creator);

int main(int argc, char **argv)
{
    program_start(argc, argv, &program);
    wait_block_sigusr1(); /* no program sends it here, but a stray one would kill us */

    explain("Find the segment by its number: each program that knows the number can open it.");
    int shmid = open_segment();
    pid_t creator = notes_creator(shmid, NOTES_NUMBER);
    if (creator == getpid())
        segment_remove_at_exit(shmid);
    struct counter *shared = sys_shmat(shmid, NULL, 0);
    if (shared == (void *)-1)
        err(segment_is_gone() ? EXIT_NO_PEER : EXIT_FAILED, "shmat(%d, NULL, 0)", shmid);

    explain("Store the next number at each interval, whether or not a process looks.");
    int number = 0;
    while (number < count && !notes_is_removed(shmid)) {
        if (!create)
            exit_if_unwatched(shared, shmid, creator);
        char text[sizeof "2147483647"];
        snprintf(text, sizeof text, "%d", number++);
        notes_leave(shared->text, text);
        trace_point("counted");
        notes_nap(interval);
    }
    if (number > 0)
        print_line("counted 0 to %d%s", number - 1,
                   number < count ? ": the segment was removed, no watcher needs it" : "");

    explain("Detach. The segment is removed by the process that created it.");
    if (sys_shmdt(shared) == -1)
        err(EXIT_FAILED, "shmdt(%p)", (void *)shared);
    return program_end();
}

static int open_segment(void)
{
    if (create)
        notes_recover((key_t)key, NOTES_NUMBER);
    int shmid = create ? sys_shmget((key_t)key, COUNTER_SIZE, IPC_CREAT | 0600)
                       : sys_shmget((key_t)key, 0, 0);
    if (shmid == -1 && errno == ENOENT)
        errx(EXIT_NO_PEER,
             "no segment has key %#lx: start listener-counter first, or give --create", key);
    if (shmid == -1)
        err(EXIT_FAILED, "this key cannot be used, choose another --key: shmget(%#lx)", key);
    return shmid;
}

/* No process watches if the creator is dead and we alone have the segment attached. */
static void exit_if_unwatched(const struct counter *shared, int shmid, pid_t creator)
{
    struct shmid_ds about;
    if (sys_shmctl(shmid, IPC_STAT, &about) == -1 || about.shm_nattch > 1 || peer_is_alive(creator))
        return;
    if (sys_shmdt(shared) == -1)
        err(EXIT_FAILED, "shmdt(%p)", (const void *)shared);
    notes_remove_if_left(shmid);
    errx(EXIT_NO_PEER,
         "no process watches key %#lx: start listener-counter first, or give --create", key);
}
