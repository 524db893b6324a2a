/* watch_look.c - what the kernel says about a segment and its processes; reads the words.
 *
 * Nothing here changes what the processes see. The words come from /proc/PID/mem of a process that
 * has the segment attached. Where the system does not permit that (Yama's ptrace_scope, see
 * ptrace(2)), we attach the segment for a moment, read-only, and hold its pages in a pipe: they are
 * the same pages, so each read of the pipe shows what is in them now. That moment sets shm_lpid,
 * shm_atime and shm_dtime. To stay attached would be worse: the survivor of a killed peer finds an
 * attachment that is left, and does not remove the segment.
 *
 * While we read a file of /proc/PID, the kernel keeps that process's memory. If it dies just then,
 * shm_nattch goes down some microseconds later; segment_remove_if_left waits for that.
 */
#if defined(__linux__)
#define _GNU_SOURCE /* vmsplice, tee, F_SETPIPE_SZ */
#endif
#include "watch.h"

#include "../common/layout/head.h"

#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/syscall.h>
#include <sys/uio.h>
#endif

#if defined(__linux__)

/* ---- segments ---- */

static bool parse_facts(const char *line, struct facts *facts)
{
    return sscanf(line, "%d %d %o %lu %d %d %lu %lu %*u %*u %*u %lld %lld", &facts->key,
                  &facts->shmid, &facts->mode, &facts->size, &facts->creator, &facts->last,
                  &facts->nattch, &facts->uid, &facts->attached, &facts->detached) == 10;
}

int facts_list(bool (*chosen)(const struct facts *), struct facts *list, int most)
{
    char line[256];
    int count = 0;
    FILE *all = fopen("/proc/sysvipc/shm", "re");
    if (!all)
        err(1, "/proc/sysvipc/shm");
    while (fgets(line, sizeof line, all)) {
        struct facts facts;
        if (!parse_facts(line, &facts) || !chosen(&facts))
            continue;
        if (count < most)
            list[count] = facts;
        count++;
    }
    fclose(all);
    return count;
}

static int wanted; /* by has_shmid */

static bool has_shmid(const struct facts *facts)
{
    return facts->shmid == wanted;
}

bool facts_of(int shmid, struct facts *facts)
{
    wanted = shmid;
    return facts_list(has_shmid, facts, 1) > 0;
}

/* ---- processes ---- */

static FILE *open_proc(pid_t pid, const char *name)
{
    char path[48];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    return fopen(path, "re");
}

/* A segment's mapping is named /SYSV and its key, and its inode number is the shmid. */
static int count_attachments(pid_t pid, int shmid, unsigned long long *address)
{
    char line[512];
    int count = 0;
    FILE *maps = open_proc(pid, "maps");
    while (maps && fgets(line, sizeof line, maps)) {
        unsigned long long start, offset;
        unsigned long inode;
        char name[16];
        if (sscanf(line, "%llx-%*x %*s %llx %*s %lu %15s", &start, &offset, &inode, name) != 4 ||
            inode != (unsigned long)shmid || strncmp(name, "/SYSV", 5) != 0 || offset != 0)
            continue;
        if (count++ == 0)
            *address = start;
    }
    if (maps)
        fclose(maps);
    return count;
}

/* The name of the program's file as it was started. The kernel's own name has 15 bytes at most. */
static void read_long_name(struct process *process)
{
    char path[256] = "";
    FILE *cmdline = open_proc(process->pid, "cmdline");
    if (!cmdline)
        return;
    size_t length = fread(path, 1, sizeof path - 1, cmdline);
    fclose(cmdline);
    path[length] = '\0';
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    if (strncmp(name, process->name, strlen(process->name)) == 0)
        snprintf(process->name, sizeof process->name, "%.63s", name);
}

/* Reads the state and the name from /proc/PID/stat: "4240 (listener) S ...". */
static bool read_stat(struct process *process)
{
    char line[512] = "";
    FILE *stat = open_proc(process->pid, "stat");
    if (!stat)
        return false;
    bool read = fgets(line, sizeof line, stat) != NULL;
    fclose(stat);
    const char *name = strchr(line, '('), *end = strrchr(line, ')');
    if (!read || !name || !end || end[1] != ' ')
        return false;
    process->state = end[2];
    if (strncmp(process->name, name + 1, (size_t)(end - name - 1)) != 0 || !process->name[0]) {
        snprintf(process->name, sizeof process->name, "%.*s", (int)(end - name - 1), name + 1);
        read_long_name(process);
    }
    return true;
}

static bool has_usr1(unsigned long long set)
{
    return set >> (SIGUSR1 - 1) & 1;
}

/* In /proc/PID/status a set of signals is a number in hexadecimal. */
static void read_signals(struct process *process)
{
    char line[256];
    FILE *status = open_proc(process->pid, "status");
    process->pending = false;
    while (status && fgets(line, sizeof line, status)) {
        unsigned long long set;
        if (sscanf(line, "SigPnd: %llx", &set) == 1 || sscanf(line, "ShdPnd: %llx", &set) == 1)
            process->pending = process->pending || has_usr1(set);
        else if (sscanf(line, "SigBlk: %llx", &set) == 1)
            process->blocks = has_usr1(set);
        else if (sscanf(line, "SigIgn: %llx", &set) == 1)
            process->ignores = has_usr1(set);
        else if (sscanf(line, "SigCgt: %llx", &set) == 1)
            process->catches = has_usr1(set);
    }
    if (status)
        fclose(status);
}

/* The fifth byte of the program's file: 1 for 32 bits, 2 for 64 (elf(5)). */
static void read_bits(struct process *process)
{
    char start[5] = "";
    FILE *exe = open_proc(process->pid, "exe");
    if (exe && fread(start, 1, sizeof start, exe) == sizeof start)
        process->is_32_bit = sizeof(long) == 8 && start[4] == 1;
    if (exe)
        fclose(exe);
}

/* ---- the call in which a process sleeps ---- */

/* Not every kernel and machine has all of them. */
static const struct {
    long number;
    const char *name;
} calls[] = {
#ifdef SYS_pause
    {SYS_pause, "pause"},
#endif
#ifdef SYS_poll
    {SYS_poll, "poll"},
#endif
#ifdef SYS_select
    {SYS_select, "select"},
#endif
#ifdef SYS_epoll_wait
    {SYS_epoll_wait, "epoll_wait"},
#endif
#ifdef SYS_nanosleep
    {SYS_nanosleep, "nanosleep"},
#endif
#ifdef SYS_clock_nanosleep
    {SYS_clock_nanosleep, "nanosleep"},
#endif
#ifdef SYS_ppoll
    {SYS_ppoll, "ppoll"},
#endif
#ifdef SYS_pselect6
    {SYS_pselect6, "pselect"},
#endif
#ifdef SYS_wait4
    {SYS_wait4, "waitpid"},
#endif
#ifdef SYS_waitid
    {SYS_waitid, "waitid"},
#endif
#ifdef SYS_futex
    {SYS_futex, "futex"},
#endif
#ifdef SYS_semop
    {SYS_semop, "semop"},
#endif
#ifdef SYS_semtimedop
    {SYS_semtimedop, "semop"},
#endif
#ifdef SYS_rt_sigsuspend
    {SYS_rt_sigsuspend, "sigsuspend"},
#endif
#ifdef SYS_rt_sigtimedwait
    {SYS_rt_sigtimedwait, "sigtimedwait"},
#endif
    {SYS_read, "read"},
    {SYS_write, "write"},
};

/* What wchan, the name of a function of the kernel, begins with. */
static const char *const functions[][2] = {
    {"sigsuspend", "sigsuspend"},
    {"__do_sys_rt_sigsuspend", "sigsuspend"},
    {"__x64_sys_rt_sigsuspend", "sigsuspend"},
    {"__do_sys_pause", "pause"},
    {"__x64_sys_pause", "pause"},
    {"do_sigtimedwait", "sigtimedwait"},
    {"do_nanosleep", "nanosleep"},
    {"hrtimer_nanosleep", "nanosleep"},
    {"do_sys_poll", "poll"},
    {"poll_schedule_timeout", "poll"},
    {"do_select", "select"},
    {"ep_poll", "epoll_wait"},
    {"do_wait", "waitpid"},
    {"futex_wait", "futex"},
    {"do_semtimedop", "semop"},
    {"pipe_read", "read"},
    {"anon_pipe_read", "read"},
    {"n_tty_read", "read"},
    {"pipe_write", "write"},
    {"anon_pipe_write", "write"},
    {"n_tty_write", "write"},
};

static bool read_line(pid_t pid, const char *name, char *line, int size)
{
    FILE *file = open_proc(pid, name);
    bool read = file && fgets(line, size, file) != NULL;
    if (file)
        fclose(file);
    return read;
}

/* A 32-bit program's calls have other numbers. */
static const char *call_by_number(const struct process *process)
{
    char line[256];
    long number;
    if (process->is_32_bit || !read_line(process->pid, "syscall", line, sizeof line) ||
        sscanf(line, "%ld", &number) != 1)
        return NULL;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (calls[i].number == number)
            return calls[i].name;
    return NULL;
}

/* Any process of the user may read wchan; /proc/PID/syscall only one that may trace the other. */
static const char *call_by_function(const struct process *process)
{
    char line[64];
    if (!read_line(process->pid, "wchan", line, sizeof line))
        return NULL;
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        if (strncmp(line, functions[i][0], strlen(functions[i][0])) == 0)
            return functions[i][1];
    return NULL;
}

static void read_call(struct process *process)
{
    const char *call = NULL;
    if (process->state == 'S')
        call = call_by_number(process);
    if (process->state == 'S' && !call)
        call = call_by_function(process);
    snprintf(process->call, sizeof process->call, "%s", call ? call : "");
}

bool sleeps_for_signal(const struct process *process)
{
    return process->state == 'S' &&
           (strcmp(process->call, "sigsuspend") == 0 || strcmp(process->call, "pause") == 0 ||
            strcmp(process->call, "sigtimedwait") == 0);
}

/* ---- all of them ---- */

static void look_at(struct process *process)
{
    if (!read_stat(process)) {
        process->state = 0;
        process->attachments = 0;
        return;
    }
    read_signals(process);
    read_call(process);
}

const struct process *process_of(const struct processes *processes, pid_t pid)
{
    for (int i = 0; i < processes->count; i++)
        if (processes->list[i].pid == pid)
            return &processes->list[i];
    return NULL;
}

/* A process that has ended makes room for another one. */
static struct process *room_for(struct processes *processes, pid_t pid)
{
    struct process *found = (struct process *)process_of(processes, pid);
    for (int i = 0; !found && processes->count == PROCESSES && i < PROCESSES; i++)
        if (processes->list[i].state == 0)
            found = &processes->list[i];
    if (!found && processes->count < PROCESSES)
        found = &processes->list[processes->count++];
    if (found && found->pid != pid)
        *found = (struct process){.pid = pid};
    return found;
}

static void consider(struct processes *processes, pid_t pid, const struct facts *facts)
{
    unsigned long long address = 0;
    int attachments = count_attachments(pid, facts->shmid, &address);
    bool known = process_of(processes, pid) != NULL;
    if (attachments == 0 && !known && pid != facts->creator && pid != facts->last)
        return;
    struct process *process = room_for(processes, pid);
    processes->more = processes->more || !process;
    if (!process)
        return;
    if (attachments != process->attachments || !known)
        read_bits(process);
    process->attachments = attachments;
    process->address = address;
    look_at(process);
}

static void scan(struct processes *processes, const struct facts *facts)
{
    DIR *proc = opendir("/proc");
    struct dirent *entry;
    processes->more = false;
    while (proc && (entry = readdir(proc))) {
        int pid = atoi(entry->d_name);
        if (pid > 0 && pid != getpid())
            consider(processes, pid, facts);
    }
    if (proc)
        closedir(proc);
}

static int compare_pids(const void *left, const void *right)
{
    const struct process *a = left, *b = right;
    return (a->pid > b->pid) - (a->pid < b->pid);
}

/* Before the first picture nothing is known, not even the size. */
static bool has_changed(const struct facts *before, const struct facts *now)
{
    return before->size == 0 || before->nattch != now->nattch || before->last != now->last ||
           before->attached != now->attached || before->detached != now->detached;
}

static bool has_ended(const struct process *process)
{
    return process->state == 0 || process->state == 'Z' || process->state == 'X';
}

/* Each attach, detach, fork and exit changes the kernel's numbers, so only then it is worth the
 * time to look at every process of the machine. */
void processes_look(struct processes *processes, const struct facts *before,
                    const struct facts *now)
{
    bool scanning = has_changed(before, now);
    for (int i = 0; i < processes->count; i++) {
        struct process *process = &processes->list[i];
        bool ended = has_ended(process);
        if (process->state != 0)
            look_at(process);
        scanning = scanning || ended != has_ended(process);
    }
    if (scanning)
        scan(processes, now);
    qsort(processes->list, (size_t)processes->count, sizeof *processes->list, compare_pids);
}

/* ---- read the words ---- */

static void close_all(struct reader *reader)
{
    int *const fds[] = {&reader->memory, &reader->pages[0], &reader->pages[1], &reader->spare[0],
                        &reader->spare[1]};
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++) {
        if (*fds[i] != -1)
            close(*fds[i]);
        *fds[i] = -1;
    }
    reader->source = SOURCE_NONE;
}

static bool open_memory(struct reader *reader, const struct process *process)
{
    char path[48];
    snprintf(path, sizeof path, "/proc/%d/mem", (int)process->pid);
    reader->memory = open(path, O_RDONLY | O_CLOEXEC);
    if (reader->memory == -1)
        return false;
    reader->source = SOURCE_MEMORY;
    reader->pid = process->pid;
    reader->address = process->address;
    return true;
}

/* Returns whether the system forbids it for a process that is there. */
static bool is_forbidden(struct reader *reader, const struct processes *processes)
{
    bool forbidden = false;
    for (int i = 0; i < processes->count; i++) {
        if (processes->list[i].attachments == 0)
            continue;
        if (open_memory(reader, &processes->list[i]))
            return false;
        forbidden = forbidden || errno == EACCES || errno == EPERM;
    }
    return forbidden;
}

/* While we attach it, a peer may see one attachment more, and us in shm_lpid. Of `size` bytes at
 * least the first page is held. */
static bool hold_pages(struct reader *reader, int shmid, size_t length, size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    if (length < page)
        length = page < size ? page : size;
    void *attached = shmat(shmid, NULL, SHM_RDONLY);
    if (attached == (void *)-1) {
        snprintf(reader->why, sizeof reader->why, "shmat(%d, NULL, SHM_RDONLY): %s", shmid,
                 strerror(errno));
        return false;
    }
    ssize_t held = -1;
    int room = (int)((length / page + 2) * page);
    struct iovec all = {attached, length};
    if (pipe(reader->pages) == 0 && pipe(reader->spare) == 0 &&
        fcntl(reader->pages[1], F_SETPIPE_SZ, room) != -1 &&
        fcntl(reader->spare[1], F_SETPIPE_SZ, room) != -1)
        held = vmsplice(reader->pages[1], &all, 1, SPLICE_F_NONBLOCK);
    if (held == -1)
        snprintf(reader->why, sizeof reader->why, "vmsplice: %s", strerror(errno));
    shmdt(attached);
    if (held == -1) {
        close_all(reader);
        return false;
    }
    reader->source = SOURCE_PAGES;
    reader->held = (size_t)held;
    return true;
}

/* No process that we may look at has it attached. Between two pictures this may be so because a
 * process is ending, so we wait for one more. A new segment is not touched before its listener
 * has attached it. */
static bool is_left_alone(struct reader *reader, const struct facts *facts,
                          const struct processes *processes)
{
    int found = 0;
    for (int i = 0; i < processes->count; i++)
        found += processes->list[i].attachments;
    reader->alone = found == 0 ? reader->alone + 1 : 0;
    return reader->alone > (reader->began ? 1 : 0) && facts->attached != 0;
}

static bool choose_source(struct reader *reader, const struct facts *facts,
                          const struct processes *processes, size_t length)
{
    reader->why[0] = '\0';
    bool alone = is_left_alone(reader, facts, processes);
    bool forbidden = reader->only_pages || is_forbidden(reader, processes);
    reader->began = true;
    if (reader->source == SOURCE_NONE && (forbidden || alone))
        return hold_pages(reader, facts->shmid, length, facts->size);
    return reader->source != SOURCE_NONE;
}

static size_t read_memory(const struct reader *reader, unsigned char *bytes, size_t length)
{
    ssize_t got = pread(reader->memory, bytes, length, (off_t)reader->address);
    return got > 0 ? (size_t)got : 0;
}

/* tee(2) leaves the pages in the first pipe; what the second one shows is copied now. */
static size_t read_pages(const struct reader *reader, unsigned char *bytes, size_t length)
{
    size_t got = 0;
    ssize_t teed = tee(reader->pages[0], reader->spare[1], length, SPLICE_F_NONBLOCK);
    while (teed > 0 && got < (size_t)teed) {
        ssize_t more = read(reader->spare[0], bytes + got, (size_t)teed - got);
        if (more <= 0)
            break;
        got += (size_t)more;
    }
    return got;
}

static size_t read_source(const struct reader *reader, unsigned char *bytes, size_t length)
{
    switch (reader->source) {
    case SOURCE_MEMORY:
        return read_memory(reader, bytes, length);
    case SOURCE_PAGES:
        return reader->held >= length ? read_pages(reader, bytes, length) : 0;
    case SOURCE_NONE:
        break;
    }
    return 0;
}

/* The process may have detached, and something else may be at that address by now. */
static bool is_still_there(const struct reader *reader, int shmid)
{
    unsigned long long address = 0;
    return reader->source == SOURCE_PAGES ||
           (count_attachments(reader->pid, shmid, &address) > 0 && address == reader->address);
}

bool reader_copy(struct reader *reader, const struct facts *facts,
                 const struct processes *processes, size_t length, struct copy *copy)
{
    if (length > facts->size)
        length = facts->size;
    for (int attempt = 0; attempt < 2; attempt++) {
        if (reader->source == SOURCE_NONE && !choose_source(reader, facts, processes, length))
            return false;
        unsigned char *bytes = realloc(copy->bytes, length);
        if (!bytes)
            return false;
        copy->bytes = bytes;
        copy->length = read_source(reader, bytes, length);
        if (copy->length >= length && is_still_there(reader, facts->shmid))
            return true;
        close_all(reader);
    }
    return false;
}

#else

/* The first question that watch asks. */
int facts_list(bool (*chosen)(const struct facts *), struct facts *list, int most)
{
    (void)chosen, (void)list, (void)most;
    errx(1, "this system has no /proc/PID as Linux has it: watch cannot look at processes");
}

bool facts_of(int shmid, struct facts *facts)
{
    (void)shmid;
    return facts_list(NULL, facts, 0) > 0;
}

void processes_look(struct processes *processes, const struct facts *before,
                    const struct facts *now)
{
    (void)processes, (void)before, (void)now;
}

const struct process *process_of(const struct processes *processes, pid_t pid)
{
    (void)processes, (void)pid;
    return NULL;
}

bool sleeps_for_signal(const struct process *process)
{
    (void)process;
    return false;
}

bool reader_copy(struct reader *reader, const struct facts *facts,
                 const struct processes *processes, size_t length, struct copy *copy)
{
    (void)reader, (void)facts, (void)processes, (void)length, (void)copy;
    return false;
}

#endif
