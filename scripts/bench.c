/* bench.c - the same work without shmtalk, for scripts/bench to compare with; and a stopwatch.
 *
 *     build/bench cpus                 prints the CPUs that may be used, in one line
 *     build/bench pairs N ROUNDS same|two|any
 *                                      runs N pairs at once that only call kill and sigsuspend;
 *                                      prints their rounds a second, and CPU microseconds a round
 *     build/bench busy CPU             computes on that CPU until a signal ends it
 *     build/bench on CPU COMMAND...    runs COMMAND on that CPU only
 *     build/bench time FILE COMMAND... writes to FILE how many seconds COMMAND takes
 *     build/bench copy                 stdin to stdout: read and write, 256 KiB
 *     build/bench lockstep             the same by two processes in turn: a shared buffer of 1 MiB
 *                                      and two semaphores
 *     build/bench splice               the same over a pipe of 1 MiB: vmsplice and splice
 *     build/bench read                 the half of copy that reads
 *     build/bench write BYTES          the half of copy that writes
 */
#if defined(__linux__)
#define _GNU_SOURCE /* splice, vmsplice, F_SETPIPE_SZ */
#include <sys/uio.h>
#endif
#include "../common/clock.h"
#include "../common/cpu.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
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
#include <unistd.h>

static double now(void)
{
    return (double)clock_now() / 1e9;
}

static long number(const char *text, long least, long most)
{
    char *end;
    long value = strtol(text, &end, 10);
    if (end == text || *end != '\0' || value < least || value > most)
        errx(2, "'%s' is not a whole number from %ld to %ld", text, least, most);
    return value;
}

static void pin(int cpu)
{
    if (cpu_pin(cpu) == -1)
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

static void *map_shared(size_t size)
{
    void *mapped = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED)
        err(1, "mmap of %zu bytes", size);
    return mapped;
}

/* ---- children, which a signal that ends us ends as well ---- */

enum { MOST_GROUPS = 10000 };

static const int ends[] = {SIGINT, SIGTERM, SIGHUP};
static pid_t groups[MOST_GROUPS]; /* each child is the leader of a process group */
static long group_count;

static void end_groups(int signo)
{
    for (long i = 0; i < group_count; i++)
        kill(-groups[i], SIGTERM);
    signal(signo, SIG_DFL);
    raise(signo);
}

static void handle_ends(void (*handler)(int))
{
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        signal(ends[i], handler);
}

/* Forks a child that end_groups ends. Parent and child both put it in its group, because either may
 * run first. A signal stays blocked until the child is in the list. */
static pid_t fork_group(void)
{
    sigset_t all, before;
    sigfillset(&all);
    handle_ends(end_groups);
    sigprocmask(SIG_BLOCK, &all, &before);
    pid_t child = fork_or_die();
    if (child == 0)
        handle_ends(SIG_DFL);
    else
        groups[group_count++] = child;
    setpgid(child, 0);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return child;
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

/* One side: in each round it signals and sleeps, or sleeps and signals. It runs a tenth of the
 * rounds more, to warm up, and then writes what the rounds took to `results`. */
static _Noreturn void play(bool first, const pid_t *peer, long rounds, int cpu, int gate,
                           int results)
{
    struct effort effort = {0, 0};
    sigset_t none;
    sigemptyset(&none);
    char open;
    if (cpu != -1)
        pin(cpu);
    if (read(gate, &open, 1) == -1) /* end of file: all have been forked */
        err(1, "read from the gate");
    for (long round = -rounds / 10; round < rounds; round++) {
        if (round == 0)
            effort = charged();
        if (first && kill(*peer, SIGUSR1) == -1)
            err(1, "kill(%d, SIGUSR1)", (int)*peer);
        sigsuspend(&none);
        if (!first && kill(*peer, SIGUSR1) == -1)
            err(1, "kill(%d, SIGUSR1)", (int)*peer);
    }
    struct effort after = charged();
    effort = (struct effort){after.seconds - effort.seconds, after.cpu - effort.cpu};
    _exit(write(results, &effort, sizeof effort) != sizeof effort);
}

static void choose_cpus(const char *place, int cpu[2])
{
    bool any = strcmp(place, "any") == 0;
    cpu[0] = any ? -1 : cpu_nth(0);
    cpu[1] = strcmp(place, "two") == 0 ? cpu_nth(1) : cpu[0];
    if (!any && (cpu[0] == -1 || cpu[1] == -1))
        errx(1, "place '%s' needs more CPUs than we may use", place);
}

/* First forks one side of every pair, then the other side of every pair. So the scheduler sees the
 * two sides of a pair as unrelated processes. */
static int bare_pairs(long pairs, long rounds, const char *place)
{
    int gate[2], results[2], cpu[2];
    choose_cpus(place, cpu);
    if (pipe(gate) == -1 || pipe(results) == -1)
        err(1, "pipe");
    sigset_t usr1;
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    sigprocmask(SIG_BLOCK, &usr1, NULL);
    signal(SIGUSR1, take);
    pid_t *side = map_shared((size_t)pairs * 2 * sizeof *side);
    for (long i = 0; i < 2 * pairs; i++) {
        pid_t child = fork_group();
        if (child != 0) {
            side[i] = child;
            continue;
        }
        close(gate[1]);
        bool first = i >= pairs;
        play(first, &side[first ? i - pairs : i + pairs], rounds, cpu[first ? 0 : 1], gate[0],
             results[1]);
    }
    close(gate[0]);
    close(gate[1]);
    close(results[1]);

    struct effort effort, all = {0, 0};
    for (long i = 0; i < 2 * pairs; i++) {
        if (read(results[0], &effort, sizeof effort) != sizeof effort)
            errx(1, "a side of a bare pair failed");
        all.seconds = effort.seconds > all.seconds ? effort.seconds : all.seconds;
        all.cpu += effort.cpu;
    }
    while (group_count > 0)
        ended_well(groups[--group_count]);
    double played = (double)pairs * (double)rounds;
    printf("%.1f %.4f\n", played / all.seconds, all.cpu * 1e6 / played);
    return 0;
}

/* ---- a busy process, and a stopwatch ---- */

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

static int time_it(const char *file, char **command)
{
    double began = now();
    pid_t child = fork_group();
    if (child == 0)
        run(command);
    bool well = ended_well(child);
    double seconds = now() - began;
    FILE *output = fopen(file, "we");
    if (!output || fprintf(output, "%.6f\n", seconds) < 0 || fclose(output) == EOF)
        err(1, "write to \"%s\"", file);
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

enum { BUFFER = 256 * 1024 };

static int copy(void)
{
    char *buffer = map_shared(BUFFER);
    size_t got;
    while ((got = read_some(buffer, BUFFER)) > 0)
        write_all(buffer, got);
    return 0;
}

/* The two halves of copy, each alone. A program that calls read and write cannot be faster than the
 * slower half. */
static int only_read(void)
{
    char *buffer = map_shared(BUFFER);
    while (read_some(buffer, BUFFER) > 0)
        ;
    return 0;
}

static int only_write(long bytes)
{
    char *buffer = map_shared(BUFFER);
    memset(buffer, 'x', BUFFER);
    for (; bytes > 0; bytes -= BUFFER)
        write_all(buffer, bytes < BUFFER ? (size_t)bytes : BUFFER);
    return 0;
}

/* The textbook's way: the reader and the writer take turns, and never work at the same time. */
enum { LOCKSTEP = 1024 * 1024, MAY_READ = 0, MAY_WRITE = 1 };

struct lockstep {
    size_t length;
    alignas(4096) char bytes[LOCKSTEP];
};

static int semaphores;

static void change(int which, int by)
{
    struct sembuf operation = {(unsigned short)which, (short)by, 0};
    while (semop(semaphores, &operation, 1) == -1)
        if (errno != EINTR)
            err(1, "semop");
}

static void write_in_turn(struct lockstep *shared)
{
    for (;;) {
        change(MAY_WRITE, -1);
        if (shared->length == 0)
            return;
        write_all(shared->bytes, shared->length);
        change(MAY_READ, 1);
    }
}

/* Also runs when the child has ended: if it ended too early, we would wait for it forever. */
static void remove_semaphores(int signo)
{
    semctl(semaphores, 0, IPC_RMID);
    signal(signo, SIG_DFL);
    raise(signo);
}

static int lockstep(void)
{
    struct lockstep *shared = map_shared(sizeof *shared);
    semaphores = semget(IPC_PRIVATE, 2, 0600);
    if (semaphores == -1)
        err(1, "semget(IPC_PRIVATE, 2, 0600)");
    handle_ends(remove_semaphores);
    signal(SIGCHLD, remove_semaphores);
    pid_t child = fork_or_die();
    if (child == 0) {
        write_in_turn(shared);
        _exit(0);
    }
    do {
        shared->length = read_some(shared->bytes, LOCKSTEP);
        change(MAY_WRITE, 1);
        if (shared->length > 0)
            change(MAY_READ, -1);
    } while (shared->length > 0);
    return ended_well(child) ? 0 : 1;
}

#if defined(__linux__)

/* Pages given to vmsplice must not change until they were read from the pipe. So the buffers hold
 * twice as much as the pipe. */
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
    int way[2];
    if (pipe(way) == -1 || fcntl(way[1], F_SETPIPE_SZ, PIPE) == -1)
        err(1, "pipe of %d bytes", PIPE);
    pid_t child = fork_or_die();
    if (child == 0) {
        close(way[0]);
        give_pages(way[1]);
        _exit(0);
    }
    close(way[1]);
    ssize_t moved;
    while ((moved = splice(way[0], NULL, STDOUT_FILENO, NULL, PIPE, SPLICE_F_MOVE)) > 0)
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
        for (int nth = 0; cpu_nth(nth) != -1; nth++)
            printf("%s%d", nth ? " " : "", cpu_nth(nth));
        return puts("") == EOF;
    }
    if (strcmp(what, "pairs") == 0 && argc == 5)
        return bare_pairs(number(argv[2], 1, MOST_GROUPS / 2), number(argv[3], 1, 1000000000),
                          argv[4]);
    if (strcmp(what, "busy") == 0 && argc == 3)
        be_busy((int)number(argv[2], 0, INT_MAX));
    if (strcmp(what, "on") == 0 && argc > 3) {
        pin((int)number(argv[2], 0, INT_MAX));
        run(argv + 3);
    }
    if (strcmp(what, "time") == 0 && argc > 3)
        return time_it(argv[2], argv + 3);
    if (strcmp(what, "copy") == 0 && argc == 2)
        return copy();
    if (strcmp(what, "lockstep") == 0 && argc == 2)
        return lockstep();
    if (strcmp(what, "splice") == 0 && argc == 2)
        return splice_over_a_pipe();
    if (strcmp(what, "read") == 0 && argc == 2)
        return only_read();
    if (strcmp(what, "write") == 0 && argc == 3)
        return only_write(number(argv[2], 0, LONG_MAX));
    errx(2, "usage: bench cpus | pairs N ROUNDS same|two|any | busy CPU | on CPU COMMAND... | "
            "time FILE COMMAND... | copy | lockstep | splice | read | write BYTES");
}
