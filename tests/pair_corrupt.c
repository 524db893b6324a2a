/* pair_corrupt.c - stores false values in the segment of the pair, for the tests.
 *
 *     pair_corrupt seat SHMID PID              puts PID, an uninvolved process, in a seat; signals
 *     pair_corrupt length SHMID LENGTH         is a talker whose message has a false LENGTH
 *     pair_corrupt stopped SHMID PID           marks PID, on both sides, as stopped on purpose
 *     pair_corrupt version SHMID VERSION       gives the segment another version
 *     pair_corrupt reply KEY CAPACITY LENGTH   is a listener with a false capacity and reply length
 *     pair_corrupt front KEY                   is a listener whose queue moves, but never to us
 *     pair_corrupt forge SHMID TEXT            writes TEXT and passes the turn in a talker's place
 */
#include "../common/layout/pair.h"

#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/shm.h>
#include <time.h>
#include <unistd.h>

/* The size is one mark of our segments: see segment_size. */
enum { SIZE = 4001 };

static struct pair *attach(int shmid)
{
    struct pair *pair = shmat(shmid, NULL, 0);
    if (pair == (void *)-1)
        err(1, "shmat(%d)", shmid);
    return pair;
}

static void ring(int pid)
{
    if (pid <= 0 || kill(pid, SIGUSR1) == -1)
        err(1, "kill(%d, SIGUSR1)", pid);
}

/* Polls until *where is no longer `value`, and returns the new value. */
static int await_change(const _Atomic int *where, int value)
{
    int now;
    while ((now = atomic_load(where)) == value)
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    return now;
}

static int creator_of(int shmid)
{
    struct shmid_ds about;
    if (shmctl(shmid, IPC_STAT, &about) == -1)
        err(1, "shmctl(%d, IPC_STAT)", shmid);
    return (int)about.shm_cpid;
}

static void take_seat(int shmid, int pid)
{
    atomic_store(&attach(shmid)->seat[0], pid);
    ring(creator_of(shmid));
}

static void be_talker(int shmid, uint32_t length)
{
    struct pair *pair = attach(shmid);
    int listener = creator_of(shmid);
    take_seat(shmid, (int)getpid());
    await_change(&pair->turn, listener);
    atomic_store(&pair->length, length);
    atomic_store(&pair->turn, listener);
    ring(listener);
    await_change(&pair->seat[0], (int)getpid());
}

/* All that memory alone can do. The signal is tried as well: it fails for another user's listener.
 */
static void forge(int shmid, const char *text)
{
    struct pair *pair = attach(shmid);
    int listener = creator_of(shmid), is_free = 0;
    memcpy(pair->text, text, strlen(text));
    atomic_store(&pair->length, (uint32_t)strlen(text));
    atomic_compare_exchange_strong(&pair->seat[1], &is_free, (int)getpid());
    atomic_store(&pair->turn, listener);
    if (kill(listener, SIGUSR1) == 0)
        errx(1, "the listener was signalled");
}

static void say_stopped(int shmid, int pid)
{
    struct segment_head *head = &attach(shmid)->head;
    atomic_store(&head->stopped[SIDE_TALKER], pid);
    atomic_store(&head->stopped[SIDE_LISTENER], pid);
}

static struct pair *create(key_t key, uint32_t capacity)
{
    int shmid = shmget(key, SIZE, IPC_CREAT | IPC_EXCL | 0600);
    if (shmid == -1)
        err(1, "shmget(%#x)", (unsigned)key);
    struct pair *pair = attach(shmid);
    pair->head.lesson = PAIR_LESSON;
    pair->head.version = PAIR_VERSION;
    pair->capacity = capacity;
    atomic_store(&pair->turn, (int)getpid());
    atomic_store(&pair->head.magic, SEGMENT_MAGIC);
    printf("%d\n", shmid);
    fflush(stdout);
    return pair;
}

static void run_in_circles(key_t key)
{
    struct pair *pair = create(key, 100);
    for (;; nanosleep(&(struct timespec){0, 1000000}, NULL))
        atomic_store(&pair->front, (atomic_load(&pair->front) + 1) % PAIR_SEATS);
}

static void be_listener(key_t key, uint32_t capacity, uint32_t length)
{
    struct pair *pair = create(key, capacity);
    int talker = await_change(&pair->seat[1], 0); /* the first seat after front, which is 0 */
    atomic_store(&pair->turn, talker);
    ring(talker);
    await_change(&pair->turn, talker);
    atomic_store(&pair->length, length);
    atomic_store(&pair->turn, talker);
    ring(talker);
    pause();
}

int main(int argc, char **argv)
{
    signal(SIGUSR1, SIG_IGN);
    alarm(10); /* a peer that crashed on the false values does not answer */
    const char *what = argc > 3 ? argv[1] : "";
    if (argc == 3 && strcmp(argv[1], "front") == 0)
        run_in_circles((key_t)strtoul(argv[2], NULL, 0));
    else if (strcmp(what, "seat") == 0)
        take_seat(atoi(argv[2]), atoi(argv[3]));
    else if (strcmp(what, "length") == 0)
        be_talker(atoi(argv[2]), (uint32_t)strtoul(argv[3], NULL, 10));
    else if (strcmp(what, "stopped") == 0)
        say_stopped(atoi(argv[2]), atoi(argv[3]));
    else if (strcmp(what, "version") == 0)
        attach(atoi(argv[2]))->head.version = (uint32_t)atoi(argv[3]);
    else if (strcmp(what, "forge") == 0)
        forge(atoi(argv[2]), argv[3]);
    else if (strcmp(what, "reply") == 0 && argc > 4)
        be_listener((key_t)strtoul(argv[2], NULL, 0), (uint32_t)strtoul(argv[3], NULL, 10),
                    (uint32_t)strtoul(argv[4], NULL, 10));
    else
        errx(2, "usage: pair_corrupt seat SHMID PID | length SHMID LENGTH | stopped SHMID PID | "
                "version SHMID VERSION | reply KEY CAPACITY LENGTH | front KEY | forge SHMID TEXT");
    return 0;
}
