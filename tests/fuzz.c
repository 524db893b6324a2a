/* fuzz.c - overwrites a segment while two processes converse through it, for tests/torture/hostile.
 *
 *     fuzz overwrite SHMID LESSON SEED COUNT [FIELD]
 *     fuzz tame SHMID LESSON SEED COUNT [FIELD]
 *     fuzz poke SHMID magic|lesson|version|owner VALUE
 *
 * LESSON is pair, handshake or stream, whose fields have names here, or any other. Tame writes only
 * the PIDs of bystanders.
 *
 * It prints each overwrite: the word, its old and new value, and whether it was taken back or left.
 * One that is taken back changes only between two reads of the word. After each overwrite the two
 * processes get SIGUSR1, so that they look at the word. The same seed gives the same words and
 * values; the moments depend on the scheduler.
 *
 * Beside the PIDs of the two processes it writes those of bystanders: children of its own, which
 * must never get a SIGUSR1. One has attached nothing of ours, one another segment. As root, a third
 * has attached the segment itself, but belongs to another user. It runs until all other processes
 * have detached. Exit status: 1 if a bystander got a signal, 3 if a process stays attached for
 * longer than a deadline.
 */
#include "../common/layout/handshake.h"
#include "../common/layout/pair.h"
#include "../common/layout/stream.h"

#include <err.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---- the fields ---- */

struct field {
    const char *name;
    size_t offset, size, count; /* of one element, and how many there are */
};

#define FIELD(type, member)                                                                        \
    {                                                                                              \
#member, offsetof(struct type, member), sizeof(((struct type *)0)->member), 1              \
    }
#define ARRAY(type, member, element, count)                                                        \
    {                                                                                              \
#member, offsetof(struct type, member), sizeof(element), count                             \
    }
#define HEAD(type, head)                                                                           \
    FIELD(type, head.magic), FIELD(type, head.lesson), FIELD(type, head.version),                  \
        ARRAY(type, head.stopped, int, 2)

static const struct field pair_fields[] = {
    HEAD(pair, head),
    FIELD(pair, capacity),
    FIELD(pair, turn),
    FIELD(pair, front),
    FIELD(pair, length),
    ARRAY(pair, seat, int, PAIR_SEATS),
    {"text", sizeof(struct pair), 1, 1024},
};

static const struct field handshake_fields[] = {
    HEAD(handshake, head),
    FIELD(handshake, talker),
    FIELD(handshake, state),
    ARRAY(handshake, text, char, HANDSHAKE_TEXT),
};

static const struct field stream_fields[] = {
    HEAD(stream, session.head),     FIELD(stream, session.talker),
    FIELD(stream, session.step),    FIELD(stream, slots),
    FIELD(stream, slot_size),       FIELD(stream, head),
    FIELD(stream, talker.asleep),   FIELD(stream, talker.cpu),
    FIELD(stream, expected),        FIELD(stream, tail),
    FIELD(stream, listener.asleep), FIELD(stream, listener.cpu),
    FIELD(stream, refused),         ARRAY(stream, length, uint64_t, STREAM_MOST_SLOTS),
};

/* Any other lesson: what comes before its own fields, and then those, as words of 4 bytes (twice as
 * often) and of 8. All lie below byte 4000. */
static const struct field other_fields[] = {
    HEAD(session_head, head),
    FIELD(session_head, talker),
    FIELD(session_head, step),
    {"own", sizeof(struct session_head), 4, 64},
    {"own", sizeof(struct session_head), 4, 64},
    {"own", (sizeof(struct session_head) + 7) / 8 * 8, 8, 32},
};

#define FIELDS(fields) fields, sizeof(fields) / sizeof *(fields)

static const struct lesson {
    const char *name;
    const struct field *fields;
    size_t count;
} lessons[] = {
    {"pair", FIELDS(pair_fields)},
    {"handshake", FIELDS(handshake_fields)},
    {"stream", FIELDS(stream_fields)},
    {NULL, FIELDS(other_fields)},
};

static const struct lesson *find_lesson(const char *name)
{
    const struct lesson *lesson = lessons;
    while (lesson->name && strcmp(lesson->name, name) != 0)
        lesson++;
    return lesson;
}

/* ---- random numbers ---- */

static uint64_t dice;

/* splitmix64 */
static uint64_t roll(void)
{
    uint64_t z = dice += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static uint64_t below(uint64_t most)
{
    return roll() % most;
}

/* ---- bystanders ---- */

enum { MOST_PIDS = 8, DEADLINE = 30 };

static pid_t pids[MOST_PIDS], bystanders[3];
static size_t pid_count, bystander_count;

/* A bystander reports SIGUSR1; SIGTERM ends it. Both were blocked before the fork. */
static _Noreturn void stand_by(const char *kind, const sigset_t *both)
{
    siginfo_t info;
    int signalled = 0;
    alarm(6 * DEADLINE); /* in case our parent dies first */
    while (sigwaitinfo(both, &info) != SIGTERM) {
        fprintf(stderr, "fuzz: PID %d sent SIGUSR1 to PID %d, %s\n", (int)info.si_pid,
                (int)getpid(), kind);
        signalled = 1;
    }
    _exit(signalled);
}

enum attached { NOTHING_ATTACHED, ANOTHER_SEGMENT, THE_SEGMENT };

static void add_bystander(const char *kind, enum attached what, const void *segment, uid_t uid)
{
    sigset_t both;
    sigemptyset(&both);
    sigaddset(&both, SIGUSR1);
    sigaddset(&both, SIGTERM);
    sigprocmask(SIG_BLOCK, &both, NULL);
    fflush(NULL);
    int ready[2];
    if (pipe(ready) == -1)
        err(2, "pipe");
    pid_t pid = fork();
    if (pid == -1)
        err(2, "fork");
    if (pid == 0) {
        int another = what == ANOTHER_SEGMENT ? shmget(IPC_PRIVATE, 4096, 0600) : -1;
        if (what != THE_SEGMENT && shmdt(segment) == -1)
            err(2, "shmdt");
        if (another != -1 &&
            (shmat(another, NULL, 0) == (void *)-1 || shmctl(another, IPC_RMID, NULL) == -1))
            err(2, "shmat(%d)", another);
        if (setuid(uid) == -1)
            err(2, "setuid(%d)", (int)uid);
        if (write(ready[1], "", 1) != 1)
            err(2, "write");
        close(ready[0]);
        close(ready[1]);
        stand_by(kind, &both);
    }
    close(ready[1]);
    char nothing;
    if (read(ready[0], &nothing, 1) != 1)
        errx(2, "the bystander %s is not ready", kind);
    close(ready[0]);
    pids[pid_count++] = bystanders[bystander_count++] = pid;
}

/* Ends the bystanders. Returns how many got a signal. */
static int end_bystanders(void)
{
    int signalled = 0;
    for (size_t i = 0; i < bystander_count; i++) {
        int status;
        kill(bystanders[i], SIGTERM);
        if (waitpid(bystanders[i], &status, 0) == -1)
            err(2, "waitpid(%d)", (int)bystanders[i]);
        signalled += !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    }
    return signalled;
}

/* ---- the values ---- */

static bool tame;
static const char *only; /* the field to be overwritten; NULL: any */

static uint64_t hostile_pid(void)
{
    uint64_t pid = (uint64_t)pids[below(pid_count)];
    switch (below(6)) {
    case 0:
        return -pid; /* to kill(2): a process group */
    case 1:
        return pid | 1ull << 32; /* cut to 32 bits it is the PID */
    default:
        return pid;
    }
}

/* `here` is the value of the word, `other` that of another word. */
static uint64_t hostile_value(uint64_t here, uint64_t other, size_t size)
{
    static const uint64_t chosen[] = {
        0,
        1,
        2,
        3,
        (uint64_t)-1,
        (uint64_t)-2,
        INT_MAX,
        1ull << 31,
        UINT32_MAX,
        INT64_MAX,
        UINT64_MAX,
        1ull << 63,
        1023,
        1024,
        1025,
        PAIR_SEATS,
        255,
        257,
        4000,
        4095,
        4096,
        4097,
        SEGMENT_MAGIC,
        PAIR_LESSON,
        HANDSHAKE_LESSON,
        STREAM_LESSON,
        1 << 20,
    };
    if (tame)
        return (uint64_t)bystanders[below(bystander_count)];
    switch (below(9)) {
    case 0:
        return roll();
    case 1:
    case 2:
        return hostile_pid();
    case 3:
        return here + (below(2) ? 1 : (uint64_t)-1);
    case 4:
        return size - 1 + below(3);
    case 5:
        return below(64) * 4096 - 1 + below(3);
    case 6:
        return 1ull << below(64);
    case 7:
        return other;
    default:
        return chosen[below(sizeof chosen / sizeof *chosen)];
    }
}

struct word {
    const char *name;
    size_t offset, size;
};

/* Mostly a field of the lesson (of an array an early element), otherwise any word of the segment.
 */
static struct word choose_word(const struct lesson *lesson, size_t size)
{
    if (!only && !tame && below(12) == 0) {
        size_t width = (size_t)1 << below(4);
        return (struct word){"anywhere", below(size / width) * width, width};
    }
    const struct field *field;
    do
        field = &lesson->fields[below(lesson->count)];
    while (only && strcmp(field->name, only) != 0);
    size_t most = field->count > 8 && below(4) ? 8 : field->count;
    size_t offset = field->offset + below(most) * field->size;
    if (offset + field->size > size)
        return (struct word){"anywhere", 0, 4};
    return (struct word){field->name, offset, field->size};
}

#define EXCHANGE(type, where, value)                                                               \
    atomic_exchange_explicit((_Atomic type *)(where), (type)(value), memory_order_relaxed)

static uint64_t overwrite(void *where, size_t size, uint64_t value)
{
    switch (size) {
    case 1:
        return EXCHANGE(uint8_t, where, value);
    case 2:
        return EXCHANGE(uint16_t, where, value);
    case 4:
        return EXCHANGE(uint32_t, where, value);
    default:
        return EXCHANGE(uint64_t, where, value);
    }
}

/* From 0 to a third of a millisecond. */
static void pause_a_little(void)
{
    static volatile unsigned spent;
    uint64_t how = below(8);
    if (how < 2)
        nanosleep(&(struct timespec){0, (long)below(300000)}, NULL);
    else if (how < 6)
        for (uint64_t i = below(20000); i > 0; i--)
            spent++;
}

static size_t of_pair; /* pids[] from here on: the segment's creator, and its last visitor */

/* Returns the number of attachments. Keeps the creator and the last user as PIDs to write. */
static unsigned long attachments(int shmid)
{
    struct shmid_ds about;
    if (shmctl(shmid, IPC_STAT, &about) == -1)
        return 0;
    pid_t last = about.shm_lpid;
    pids[of_pair] = about.shm_cpid;
    if (last != about.shm_cpid && last != getpid() && last != bystanders[0] &&
        last != bystanders[1])
        pids[of_pair + 1] = last;
    return about.shm_nattch;
}

/* A process that sleeps looks at the memory when it gets SIGUSR1. So the two sides get one, as from
 * a peer. Each has blocked it before it attaches the segment. */
static void ring(void)
{
    for (size_t i = of_pair; i < of_pair + 2; i++)
        if (pids[i] > 0)
            kill(pids[i], SIGUSR1);
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void sleep_a_millisecond(void)
{
    nanosleep(&(struct timespec){0, 1000000}, NULL);
}

/* A talker attaches the segment to look whose it is, and once more to stay: three looks in a row
 * must find it. It may not come at all, or be gone already. */
static void await_conversation(int shmid, unsigned long attached)
{
    double late = now() + 0.4;
    for (int looks = 0; looks < 3 && now() < late; sleep_a_millisecond())
        looks = attachments(shmid) < attached ? 0 : looks + 1;
}

/* Returns false if another process still has the segment attached at the deadline. */
static bool await_end(int shmid, unsigned long ours)
{
    double late = now() + DEADLINE;
    while (attachments(shmid) > ours && now() < late)
        sleep_a_millisecond();
    return attachments(shmid) <= ours;
}

static long overwritten, in_conversation; /* while one other was attached, while two were */

/* Overwrites up to `count` words while another process has the segment attached. */
static void attack(int shmid, char *segment, size_t size, const struct lesson *lesson, long count,
                   unsigned long ours)
{
    uint64_t left_of_8 = below(3); /* of eight overwrites, 0 to 2 are left and not taken back */
    unsigned long attached;
    for (; count > 0 && (attached = attachments(shmid)) > ours; count--) {
        struct word word = choose_word(lesson, size), another = choose_word(lesson, size);
        char *where = segment + word.offset;
        uint64_t here = 0, other = 0;
        memcpy(&here, where, word.size);
        memcpy(&other, segment + another.offset, another.size);
        uint64_t value = hostile_value(here, other, size) & UINT64_MAX >> (64 - 8 * word.size);
        uint64_t was = overwrite(where, word.size, value);
        bool left = below(8) < left_of_8 || tame;
        ring();
        pause_a_little();
        if (!left)
            overwrite(where, word.size, was);
        printf("%s at %zu: %#llx, was %#llx, %s\n", word.name, word.offset,
               (unsigned long long)value, (unsigned long long)was, left ? "left" : "taken back");
        pause_a_little();
        overwritten++;
        in_conversation += attached > ours + 1;
    }
}

static void *attach(int shmid, size_t *size)
{
    struct shmid_ds about;
    if (shmctl(shmid, IPC_STAT, &about) == -1)
        err(2, "shmctl(%d, IPC_STAT)", shmid);
    void *segment = shmat(shmid, NULL, 0);
    if (segment == (void *)-1)
        err(2, "shmat(%d)", shmid);
    *size = about.shm_segsz;
    return segment;
}

static int fuzz(char **argv)
{
    int shmid = atoi(argv[0]);
    size_t size;
    of_pair = MOST_PIDS - 2; /* until the bystanders have started */
    if (attachments(shmid) == 0) {
        printf("overwritten: 0, the listener is gone already\n");
        return 0;
    }
    char *segment = attach(shmid, &size);
    unsigned long ours = 1;
    dice = strtoull(argv[2], NULL, 10);
    signal(SIGUSR1, SIG_IGN); /* we have attached the segment, so we may be taken for a talker */

    add_bystander("who has nothing attached", NOTHING_ATTACHED, segment, getuid());
    add_bystander("who has another segment attached", ANOTHER_SEGMENT, segment, getuid());
    if (getuid() == 0) {
        add_bystander("who belongs to another user", THE_SEGMENT, segment, 65534);
        ours++;
    }
    pids[pid_count++] = getpid();
    pids[pid_count++] = getppid();
    pids[pid_count++] = 1;
    of_pair = pid_count;
    pid_count += 2;

    const struct lesson *lesson = find_lesson(argv[1]);
    long count = strtol(argv[3], NULL, 10), early = below(3) == 0 ? count / 4 : 0;
    attack(shmid, segment, size, lesson, early, ours);
    await_conversation(shmid, ours + 2);
    attack(shmid, segment, size, lesson, count - early, ours);
    bool stay = !await_end(shmid, ours);
    int signalled = end_bystanders();
    printf("overwritten: %ld, %ld of them in a conversation\n", overwritten, in_conversation);
    return signalled ? 1 : stay ? 3 : 0;
}

/* ---- poke: one chosen word ---- */

static void poke(int shmid, const char *what, const char *text)
{
    size_t size;
    struct segment_head *head = attach(shmid, &size);
    uint32_t value = (uint32_t)strtoul(text, NULL, 0);
    struct shmid_ds about;
    if (strcmp(what, "magic") == 0) {
        atomic_store(&head->magic, value);
    } else if (strcmp(what, "lesson") == 0) {
        head->lesson = value;
    } else if (strcmp(what, "version") == 0) {
        head->version = value;
    } else if (strcmp(what, "owner") == 0) {
        if (shmctl(shmid, IPC_STAT, &about) == -1)
            err(2, "shmctl(%d, IPC_STAT)", shmid);
        about.shm_perm.uid = value;
        if (shmctl(shmid, IPC_SET, &about) == -1)
            err(2, "shmctl(%d, IPC_SET) to uid %s", shmid, text);
    } else {
        errx(2, "poke: there is no '%s'", what);
    }
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    tame = strcmp(what, "tame") == 0;
    if (argc > 5 && (tame || strcmp(what, "overwrite") == 0)) {
        only = argv[6];
        return fuzz(argv + 2);
    }
    if (argc == 5 && strcmp(what, "poke") == 0)
        poke(atoi(argv[2]), argv[3], argv[4]);
    else
        errx(2, "usage: fuzz overwrite|tame SHMID LESSON SEED COUNT [FIELD], or fuzz poke SHMID "
                "WORD VALUE");
    return 0;
}
