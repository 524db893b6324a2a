/* bench.c - what scripts/bench measures against: the same work done without us, and a stopwatch.
 *
 *     build/bench cpus                       the CPUs that may be used, in one line
 *     build/bench pairs N ROUNDS same|two|any
 *                                            N pairs at once, bare kill and sigsuspend, and no
 * more: rounds a second of them all, CPU microseconds a round build/bench busy CPU computes on that
 * CPU, until it is ended build/bench on CPU COMMAND...          has COMMAND run on that CPU alone
 *     build/bench time COMMAND...            how many seconds COMMAND takes; its exit status is
 * ours build/bench copy                       stdin to stdout: read and write, 256 KiB build/bench
 * lockstep                   the same by two processes in turn: a shared buffer of 1 MiB, two
 * semaphores build/bench splice                     the same over a pipe of 1 MiB: vmsplice, splice
 */
#if defined(__linux__)
#define _GNU_SOURCE /* splice, vmsplice, F_SETPIPE_SZ */
#include <sys/uio.h>
#endif
#include "../common/placement.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static long number(const char *text, long least)
{
    char *end;
    long value = strtol(text, &end, 10);
    if (end == text || *end != '\0' || value < least)
        errx(2, "'%s' is not a whole number from %ld", text, least);
    return value;
}

static void pin(int cpu)
{
    if (placement_pin(cpu) == -1)
        err(1, "sched_setaffinity to CPU %d", cpu);
}

static pid_t fork_or_die(void)
{
    pid_t child = fork();
    if (child == -1)
        err(1, "fork");
    return child;
}

/* Returns whether it ended with 0. */
static bool ended_well(pid_t child)
{
    int status;
    while (waitpid(child, &status, 0) == -1)
        if (errno != EINTR)
            err(1, "waitpid(%d)", (int)child);
    return status == 0;
}

/* ---- bare pairs ---- */

struct effort {
    double seconds, cpu;
};

static struct effort charged(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (struct effort){now(),
                           (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                               (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6};
}

static void take(int signo)
{
    (void)signo;
}

/* One side: in each round it rings and sleeps, or sleeps and rings. A tenth of the rounds is to
 * warm up. Tells what the others took. */
static _Noreturn void play(bool first, pid_t peer, long rounds, int cpu, int gate, int results)
{
    struct effort effort = {0, 0};
    sigset_t none;
    sigemptyset(&none);
    char open;
    if (cpu != -1)
        pin(cpu);
    if (read(gate, &open, 1) == -1) /* its end: all are there */
        err(1, "read from the gate");
    for (long round = -rounds / 10; round < rounds; round++) {
        if (round == 0)
            effort = charged();
        if (first && kill(peer, SIGUSR1) == -1)
            err(1, "kill(%d, SIGUSR1)", (int)peer);
        sigsuspend(&none);
        if (!first && kill(peer, SIGUSR1) == -1)
            err(1, "kill(%d, SIGUSR1)", (int)peer);
    }
    struct effort after = charged();
    effort = (struct effort){after.seconds - effort.seconds, after.cpu - effort.cpu};
    _exit(write(results, &effort, sizeof effort) != sizeof effort);
}

/* The second side is the first's child, so each can know the other's PID before it begins. It dies
 * with the first, should that be ended. */
static _Noreturn void play_both(long rounds, int cpu, int others_cpu, int gate, int results)
{
    pid_t parent = getpid(), child = fork_or_die();
    if (child == 0)
        play(false, parent, rounds, others_cpu, gate, results);
    play(true, child, rounds, cpu, gate, results);
}

static pid_t children[10000];
static long count;

static void end_children(int signo)
{
    for (long i = 0; i < count; i++)
        kill(-children[i], SIGKILL); /* each pair is a process group of its own */
    signal(signo, SIG_DFL);
    raise(signo);
}

static void block(int signo)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, signo);
    sigprocmask(SIG_BLOCK, &set, NULL);
}

static int bare_pairs(long pairs, long rounds, const char *place)
{
    int gate[2], results[2];
    bool pinned = strcmp(place, "any") != 0;
    int cpu = pinned ? placement_nth(0) : -1;
    int others_cpu = strcmp(place, "two") == 0 ? placement_nth(1) : cpu;
    if (pinned && (cpu == -1 || others_cpu == -1))
        errx(1, "there are not so many CPUs here");
    if (pipe(gate) == -1 || pipe(results) == -1)
        err(1, "pipe");

    block(SIGUSR1);
    signal(SIGUSR1, take);
    for (int i = 0; i < 3; i++)
        signal((int[]){SIGINT, SIGTERM, SIGHUP}[i], end_children);
    for (; count < pairs; count++) {
        children[count] = fork_or_die();
        if (children[count] == 0) {
            for (int i = 0; i < 3; i++)
                signal((int[]){SIGINT, SIGTERM, SIGHUP}[i], SIG_DFL);
            setpgid(0, 0);
            close(gate[1]);
            play_both(rounds, cpu, others_cpu, gate[0], results[1]);
        }
        setpgid(children[count], children[count]);
    }
    close(gate[0]);
    close(gate[1]);
    close(results[1]);

    struct effort effort;
    double longest = 0, cpu_seconds = 0;
    for (long i = 0; i < 2 * pairs; i++) {
        if (read(results[0], &effort, sizeof effort) != sizeof effort)
            errx(1, "a bare pair has failed");
        longest = effort.seconds > longest ? effort.seconds : longest;
        cpu_seconds += effort.cpu;
    }
    for (; count > 0; count--)
        ended_well(children[count - 1]);
    double all = (double)pairs * (double)rounds;
    printf("%.1f %.4f\n", all / longest, cpu_seconds * 1e6 / all);
    return 0;
}

/* ---- a process in the way, a stopwatch ---- */

static _Noreturn void be_busy(int cpu)
{
    pin(cpu);
    for (volatile unsigned long n = 0;; n++)
        ;
}

static _Noreturn void run(char **command)
{
    execvp(command[0], command);
    err(1, "execvp(\"%s\")", command[0]);
}

static int time_it(char **command)
{
    double began = now();
    pid_t child = fork_or_die();
    if (child == 0)
        run(command);
    bool well = ended_well(child);
    printf("%.6f\n", now() - began);
    return well ? 0 : 1;
}

/* ---- stdin to stdout ---- */

static void write_all(const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t written = write(STDOUT_FILENO, bytes, size);
        if (written == -1)
            err(1, "write");
        bytes += written;
        size -= (size_t)written;
    }
}

static size_t read_some(char *bytes, size_t size)
{
    ssize_t got = read(STDIN_FILENO, bytes, size);
    if (got == -1)
        err(1, "read");
    return (size_t)got;
}

static void *map_shared(size_t size)
{
    void *mapped = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED)
        err(1, "mmap of %zu bytes", size);
    return mapped;
}

static int copy(void)
{
    enum { BUFFER = 256 * 1024 };
    char *buffer = map_shared(BUFFER);
    size_t got;
    while ((got = read_some(buffer, BUFFER)) > 0)
        write_all(buffer, got);
    return 0;
}

/* As a book shows it: who reads and who writes take turns, and never work at the same time. */
enum { LOCKSTEP = 1024 * 1024, MAY_READ = 0, MAY_WRITE = 1 };

struct lockstep {
    size_t length;
    alignas(4096) char bytes[LOCKSTEP];
};

static void change(int semaphores, int which, int by)
{
    struct sembuf operation = {(unsigned short)which, (short)by, 0};
    while (semop(semaphores, &operation, 1) == -1)
        if (errno != EINTR)
            err(1, "semop");
}

static void write_in_turn(int semaphores, struct lockstep *shared)
{
    size_t length;
    do {
        change(semaphores, MAY_WRITE, -1);
        write_all(shared->bytes, length = shared->length);
        change(semaphores, MAY_READ, 1);
    } while (length > 0);
}

static int semaphores_to_remove;

static void remove_semaphores(int signo)
{
    semctl(semaphores_to_remove, 0, IPC_RMID);
    signal(signo, SIG_DFL);
    raise(signo);
}

static int lockstep(void)
{
    struct lockstep *shared = map_shared(sizeof *shared);
    int semaphores = semaphores_to_remove = semget(IPC_PRIVATE, 2, 0600);
    if (semaphores == -1)
        err(1, "semget(IPC_PRIVATE, 2, 0600)");
    pid_t child = fork_or_die();
    if (child == 0) {
        write_in_turn(semaphores, shared);
        _exit(0);
    }
    for (int i = 0; i < 3; i++)
        signal((int[]){SIGINT, SIGTERM, SIGHUP}[i], remove_semaphores);
    do {
        shared->length = read_some(shared->bytes, LOCKSTEP);
        change(semaphores, MAY_WRITE, 1);
        change(semaphores, MAY_READ, -1);
    } while (shared->length > 0);
    bool well = ended_well(child);
    semctl(semaphores, 0, IPC_RMID);
    return well ? 0 : 1;
}

#if defined(__linux__)

/* What was given to vmsplice must stay as it is until it was read from the pipe: the buffers hold
 * twice as much as the pipe takes. */
static void give_pages(int to)
{
    enum { CHUNK = 256 * 1024, CHUNKS = 8 };
    char *buffers = map_shared(CHUNK * CHUNKS);
    for (int i = 0;; i = (i + 1) % CHUNKS) {
        struct iovec chunk = {buffers + i * CHUNK, 0};
        if ((chunk.iov_len = read_some(chunk.iov_base, CHUNK)) == 0)
            return;
        while (chunk.iov_len > 0) {
            ssize_t given = vmsplice(to, &chunk, 1, 0);
            if (given == -1)
                err(1, "vmsplice");
            chunk.iov_base = (char *)chunk.iov_base + given;
            chunk.iov_len -= (size_t)given;
        }
    }
}

static int splice_over_a_pipe(void)
{
    enum { PIPE = 1024 * 1024 };
    int ends[2];
    if (pipe(ends) == -1 || fcntl(ends[1], F_SETPIPE_SZ, PIPE) == -1)
        err(1, "pipe of %d bytes", PIPE);
    pid_t child = fork_or_die();
    if (child == 0) {
        close(ends[0]);
        give_pages(ends[1]);
        _exit(0);
    }
    close(ends[1]);
    ssize_t moved;
    while ((moved = splice(ends[0], NULL, STDOUT_FILENO, NULL, PIPE, SPLICE_F_MOVE)) > 0)
        ;
    if (moved == -1)
        err(1, "splice");
    return ended_well(child) ? 0 : 1;
}

#else

static int splice_over_a_pipe(void)
{
    errx(1, "this system has no splice");
}

#endif

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    if (strcmp(what, "cpus") == 0 && argc == 2) {
        for (int nth = 0; placement_nth(nth) != -1; nth++)
            printf("%s%d", nth ? " " : "", placement_nth(nth));
        return puts("") == EOF;
    }
    if (strcmp(what, "pairs") == 0 && argc == 5)
        return bare_pairs(number(argv[2], 1) % 10000, number(argv[3], 1), argv[4]);
    if (strcmp(what, "busy") == 0 && argc == 3)
        be_busy((int)number(argv[2], 0));
    if (strcmp(what, "on") == 0 && argc > 3) {
        pin((int)number(argv[2], 0));
        run(argv + 3);
    }
    if (strcmp(what, "time") == 0 && argc > 2)
        return time_it(argv + 2);
    if (strcmp(what, "copy") == 0 && argc == 2)
        return copy();
    if (strcmp(what, "lockstep") == 0 && argc == 2)
        return lockstep();
    if (strcmp(what, "splice") == 0 && argc == 2)
        return splice_over_a_pipe();
    errx(2, "usage: bench cpus | pairs N ROUNDS same|two|any | busy CPU | on CPU COMMAND... | "
            "time COMMAND... | copy | lockstep | splice");
}
