/* grade_preload.c - stands in a student's program, and reports what it does to scripts/grade.c.
 *
 * LD_PRELOAD loads it. It wraps the calls of the story, and reports each one with its arguments,
 * its result and the line that made it (grade_report.h). It also reports each store into the
 * segment, in order: the segment is write-protected, so a store raises SIGSEGV; the handler lifts
 * the protection and has the processor stop after that one instruction (SIGTRAP). This needs an
 * x86 processor. Elsewhere stores are not reported. FOR_SANITIZER: it leaves malloc alone.
 */
#define _GNU_SOURCE /* RTLD_NEXT, REG_EFL, ppoll */
#if !defined(__NO_INLINE__)
#define __NO_INLINE__ 1 /* the C library's headers define vprintf and putchar, as we do */
#endif
#include "grade_report.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#if (defined(__x86_64__) || defined(__i386__)) && defined(REG_EFL)
#define CAN_STEP 1
#if defined(__x86_64__)
#define REG_PC REG_RIP
#else
#define REG_PC REG_EIP
#endif
#else
#define CAN_STEP 0
#endif

enum { MOST_ATTACHED = 8, SIGNALS = 65, MASK_BYTES = 8, TRAP_FLAG = 0x100 };

static int channel = -1, owner, stepping, in_handler;
static uintptr_t program_base, program_end;
static long text_at, text_end;

static char *last_attached;

static struct sigaction handlers[SIGNALS]; /* as the program has set them */

/* ---- the real calls ---- */

/* A pointer to a function, from dlsym. */
#define REAL(result, name, ...)                                                                    \
    static result (*real_##name)(__VA_ARGS__);                                                     \
    if (!real_##name)                                                                              \
    *(void **)(&real_##name) = dlsym(RTLD_NEXT, #name)

static int kernel_sigaction(int signo, const struct sigaction *action, struct sigaction *old)
{
    REAL(int, sigaction, int, const struct sigaction *, struct sigaction *);
    return real_sigaction(signo, action, old);
}

/* ---- reports ---- */

static void set_mask(const uint64_t *mask, uint64_t *old)
{
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, mask, old, MASK_BYTES);
}

static int is_reporting(void)
{
    return channel != -1 && (int)syscall(SYS_getpid) == owner;
}

/* Sends the report and waits for the answer. The caller has all signals blocked. */
static struct grade_go exchange(struct grade_report *report)
{
    struct grade_go go = {GO_ON, 0};
    report->pid = owner;
    report->in_handler = in_handler;
    if (report->what != REPORT_AFTER || report->call != CALL_SHMAT)
        report->at = (uint64_t)(uintptr_t)last_attached;
    if (syscall(SYS_write, channel, report, sizeof *report) != (long)sizeof *report ||
        syscall(SYS_read, channel, &go, sizeof go) != (long)sizeof go) {
        channel = -1;
        go.action = GO_ON;
    }
    return go;
}

static struct grade_go send_report(struct grade_report *report)
{
    int saved = errno;
    uint64_t all = ~(uint64_t)0;
    struct grade_go go = {GO_ON, 0};
    if (!is_reporting())
        return go;
    set_mask(&all, &report->mask);
    report->pending = __fpending(stdout);
    go = exchange(report);
    set_mask(&report->mask, NULL);
    errno = saved;
    return go;
}

/* A place in the student's own program; 0 for one in a library. */
static uint64_t place_of(const void *address)
{
    uintptr_t at = (uintptr_t)address;
    return at > program_base && at < program_end ? at - program_base : 0;
}

#define PLACE place_of((const char *)__builtin_return_address(0) - 1)

static struct grade_report before(enum grade_call call, const char *name, uint64_t place)
{
    struct grade_report report = {.what = REPORT_BEFORE, .call = (int)call, .place = place};
    strncpy(report.name, name, sizeof report.name - 1);
    return report;
}

static void after(struct grade_report *report, int64_t result)
{
    report->what = REPORT_AFTER;
    report->result = result;
    report->error = errno;
    send_report(report);
}

static uint64_t bits_of(const sigset_t *set)
{
    uint64_t bits = 0;
    if (set)
        memcpy(&bits, set, sizeof bits < sizeof *set ? sizeof bits : sizeof *set);
    return bits;
}

/* ---- stores into the segment ---- */

#if CAN_STEP

static struct {
    char *base;
    size_t size;
} attached[MOST_ATTACHED];

static struct {
    char *address;
    uint64_t mask;
    uintptr_t place;
    int index;
} store;

static int find_attached(const char *address)
{
    for (int i = 0; i < MOST_ATTACHED; i++)
        if (attached[i].base && address >= attached[i].base &&
            address < attached[i].base + attached[i].size)
            return i;
    return -1;
}

static void protect(int index, int protection)
{
    syscall(SYS_mprotect, attached[index].base, attached[index].size, protection);
}

/* SIGSEGV outside the segment is the program's own. */
static void pass_on(int signo, siginfo_t *info, void *context)
{
    const struct sigaction *theirs = &handlers[signo];
    if (theirs->sa_flags & SA_SIGINFO) {
        theirs->sa_sigaction(signo, info, context);
        return;
    }
    if (theirs->sa_handler != SIG_DFL && theirs->sa_handler != SIG_IGN) {
        theirs->sa_handler(signo);
        return;
    }
    const ucontext_t *at = context;
    struct grade_report report = {
        .what = REPORT_FAULT,
        .place = place_of((const void *)(uintptr_t)at->uc_mcontext.gregs[REG_PC])};
    if (is_reporting())
        exchange(&report);
    struct sigaction usual = {.sa_handler = SIG_DFL};
    kernel_sigaction(signo, &usual, NULL); /* the instruction is repeated, and ends the program */
}

static void on_fault(int signo, siginfo_t *info, void *context)
{
    ucontext_t *at = context;
    int index = find_attached(info->si_addr);
    if (index == -1 || info->si_code != SEGV_ACCERR || store.index) {
        pass_on(signo, info, context);
        return;
    }
    store.index = index + 1;
    store.address = info->si_addr;
    store.place = (uintptr_t)at->uc_mcontext.gregs[REG_PC];
    memcpy(&store.mask, &at->uc_sigmask, sizeof store.mask);
    uint64_t all = ~((uint64_t)1 << (SIGSEGV - 1) | (uint64_t)1 << (SIGTRAP - 1));
    memcpy(&at->uc_sigmask, &all, sizeof all);
    long offset = store.address - attached[index].base;
    struct grade_report report = {.what = REPORT_STORING,
                                  .args = {offset},
                                  .mask = store.mask,
                                  .place = place_of((const void *)store.place)};
    if (offset < text_at && is_reporting())
        exchange(&report);
    protect(index, PROT_READ | PROT_WRITE);
    at->uc_mcontext.gregs[REG_EFL] |= TRAP_FLAG;
}

/* One long text is one report: of a run of neighbouring stores, the first is reported. */
static int is_news(long offset, int index)
{
    enum { NEAR = 64 };
    static long last = -1000000;
    static int last_index = -1;
    long moved = offset - last;
    int same = index == last_index && moved >= -NEAR && moved <= NEAR;
    int crosses = (last < text_end) != (offset < text_end);
    last = offset;
    last_index = index;
    return offset < text_at || !same || crosses;
}

static void on_step(int signo, siginfo_t *info, void *context)
{
    ucontext_t *at = context;
    int saved = errno, index = store.index - 1;
    if (index < 0) {
        pass_on(signo, info, context);
        return;
    }
    at->uc_mcontext.gregs[REG_EFL] &= ~(greg_t)TRAP_FLAG;
    memcpy(&at->uc_sigmask, &store.mask, sizeof store.mask);
    if (attached[index].base)
        protect(index, PROT_READ);
    store.index = 0;
    long offset = store.address - attached[index].base;
    if (is_reporting() && is_news(offset, index)) {
        struct grade_report report = {.what = REPORT_STORE,
                                      .args = {offset},
                                      .mask = store.mask,
                                      .place = place_of((const void *)store.place)};
        exchange(&report);
    }
    errno = saved;
}

/* So large a segment would take too long: each store costs some microseconds. */
enum { LARGEST_TRACED = 1 << 20 };

static void begin_stores(void)
{
    const char *wanted = getenv(GRADE_STORES);
    if (!wanted || *wanted != '1')
        return;
    struct sigaction fault = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    struct sigaction step = {.sa_sigaction = on_step, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigfillset(&fault.sa_mask);
    sigfillset(&step.sa_mask);
    stepping =
        kernel_sigaction(SIGSEGV, &fault, NULL) == 0 && kernel_sigaction(SIGTRAP, &step, NULL) == 0;
}

static void watch_stores(char *base, size_t size)
{
    if (!stepping || size > LARGEST_TRACED)
        return;
    for (int i = 0; i < MOST_ATTACHED; i++)
        if (!attached[i].base) {
            attached[i].base = base;
            attached[i].size = size;
            protect(i, PROT_READ);
            return;
        }
}

static void unwatch_stores(const char *base)
{
    for (int i = 0; i < MOST_ATTACHED; i++)
        if (attached[i].base == base)
            attached[i].base = NULL;
}

/* The kernel cannot write into a protected segment for read(2). */
static int lift(const char *buffer)
{
    int index = find_attached(buffer);
    if (index >= 0)
        protect(index, PROT_READ | PROT_WRITE);
    return index;
}

static void restore(int index)
{
    if (index >= 0)
        protect(index, PROT_READ);
}

#else

static void begin_stores(void)
{
}

static void watch_stores(char *base, size_t size)
{
    (void)base, (void)size;
}

static void unwatch_stores(const char *base)
{
    (void)base;
}

static int lift(const char *buffer)
{
    (void)buffer;
    return -1;
}

static void restore(int index)
{
    (void)index;
}

#endif

/* The program's masks leave us our own two signals. */
static sigset_t without_ours(const sigset_t *set)
{
    sigset_t ours = *set;
    if (stepping) {
        sigdelset(&ours, SIGSEGV);
        sigdelset(&ours, SIGTRAP);
    }
    return ours;
}

/* ---- start and end ---- */

static int find_program(struct dl_phdr_info *info, size_t size, void *unused)
{
    (void)size, (void)unused;
    program_base = info->dlpi_addr;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        uintptr_t last = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr + info->dlpi_phdr[i].p_memsz;
        if (info->dlpi_phdr[i].p_type == PT_LOAD && last > program_end)
            program_end = last;
    }
    return 1; /* the first one is the program */
}

static long number_of(const char *name)
{
    const char *value = getenv(name);
    return value ? strtol(value, NULL, 10) : 0;
}

__attribute__((constructor)) static void begin(void)
{
    if (!getenv(GRADE_FD))
        return;
    channel = (int)number_of(GRADE_FD);
    owner = (int)getpid();
    text_at = number_of(GRADE_TEXT_AT);
    text_end = number_of(GRADE_TEXT_END);
    dl_iterate_phdr(find_program, NULL);
    begin_stores();
    struct grade_report report = {.what = REPORT_START, .result = stepping};
    send_report(&report);
}

static void report_exit(const char *name, int status, size_t lost, uint64_t place)
{
    struct grade_report report = before(CALL_NONE, name, place);
    report.what = REPORT_EXIT;
    report.args[0] = status;
    report.args[1] = (int64_t)lost;
    send_report(&report);
}

__attribute__((destructor)) static void end(void)
{
    report_exit("exit", -1, 0, 0);
}

static _Noreturn void leave(int status)
{
    for (;;)
        syscall(SYS_exit_group, status);
}

_Noreturn void _exit(int status)
{
    report_exit("_exit", status, __fpending(stdout), PLACE);
    leave(status);
}

_Noreturn void _Exit(int status)
{
    report_exit("_Exit", status, __fpending(stdout), PLACE);
    leave(status);
}

/* ---- the segment ---- */

key_t ftok(const char *path, int project)
{
    REAL(key_t, ftok, const char *, int);
    struct grade_report report = before(CALL_FTOK, "ftok", PLACE);
    report.args[0] = project;
    struct grade_go go = send_report(&report);
    if (go.action == GO_FAIL)
        errno = go.error;
    key_t key = go.action == GO_FAIL ? -1 : real_ftok(path, project);
    after(&report, key);
    return key;
}

int shmget(key_t key, size_t size, int flags)
{
    REAL(int, shmget, key_t, size_t, int);
    struct grade_report report = before(CALL_SHMGET, "shmget", PLACE);
    report.args[0] = key;
    report.args[1] = (int64_t)size;
    report.args[2] = flags;
    struct grade_go go = send_report(&report);
    if (go.action == GO_FAIL)
        return errno = go.error, -1;
    int shmid = real_shmget(key, size, flags);
    after(&report, shmid);
    return shmid;
}

static size_t size_of(int shmid)
{
    struct shmid_ds about;
    return shmctl(shmid, IPC_STAT, &about) == 0 ? about.shm_segsz : 0;
}

void *shmat(int shmid, const void *address, int flags)
{
    REAL(void *, shmat, int, const void *, int);
    struct grade_report report = before(CALL_SHMAT, "shmat", PLACE);
    report.args[0] = shmid;
    report.args[2] = flags;
    struct grade_go go = send_report(&report);
    if (go.action == GO_FAIL)
        return errno = go.error, (void *)-1;
    void *base = real_shmat(shmid, address, flags);
    if (base != (void *)-1) {
        channel = is_reporting() ? channel : -1;
        int reporting = channel;
        channel = -1; /* our own question is no report */
        size_t size = size_of(shmid);
        channel = reporting;
        size = (size + 4095) & ~(size_t)4095;
        last_attached = base;
        if (!(flags & SHM_RDONLY))
            watch_stores(base, size);
    }
    report.at = (uint64_t)(uintptr_t)base;
    after(&report, base == (void *)-1 ? -1 : 0);
    return base;
}

int shmdt(const void *address)
{
    REAL(int, shmdt, const void *);
    struct grade_report report = before(CALL_SHMDT, "shmdt", PLACE);
    send_report(&report);
    int result = real_shmdt(address);
    if (result == 0)
        unwatch_stores(address);
    after(&report, result);
    return result;
}

int shmctl(int shmid, int command, struct shmid_ds *about)
{
    REAL(int, shmctl, int, int, struct shmid_ds *);
    struct grade_report report = before(CALL_SHMCTL, "shmctl", PLACE);
    report.args[0] = shmid;
    report.args[1] = command;
    send_report(&report);
    int result = real_shmctl(shmid, command, about);
    after(&report, result);
    return result;
}

/* ---- signals ---- */

static int signal_process(const char *name, pid_t pid, int signo, uint64_t place, int value)
{
    struct grade_report report = before(CALL_KILL, name, place);
    report.args[0] = pid;
    report.args[1] = signo;
    struct grade_go go = send_report(&report);
    if (go.action == GO_FAIL)
        return errno = go.error, -1;
    if (go.action == GO_SKIP)
        return 0;
    int result;
    if (strcmp(name, "sigqueue") == 0) {
        REAL(int, sigqueue, pid_t, int, union sigval);
        result = real_sigqueue(pid, signo, (union sigval){.sival_int = value});
    } else {
        REAL(int, kill, pid_t, int);
        result = real_kill(pid, signo);
    }
    after(&report, result);
    return result;
}

int kill(pid_t pid, int signo)
{
    return signal_process("kill", pid, signo, PLACE, 0);
}

int killpg(pid_t group, int signo)
{
    return signal_process("killpg", group > 1 ? -group : 0, signo, PLACE, 0);
}

int sigqueue(pid_t pid, int signo, const union sigval value)
{
    return signal_process("sigqueue", pid, signo, PLACE, value.sival_int);
}

static void on_signal(int signo, siginfo_t *info, void *context)
{
    struct grade_report report = {.what = REPORT_ENTER, .args = {signo, info->si_pid}};
    in_handler++;
    send_report(&report);
    const struct sigaction theirs = handlers[signo];
    if (theirs.sa_flags & SA_SIGINFO)
        theirs.sa_sigaction(signo, info, context);
    else
        theirs.sa_handler(signo);
    report.what = REPORT_LEAVE;
    send_report(&report);
    in_handler--;
}

static int is_handler(const struct sigaction *action)
{
    return action->sa_flags & SA_SIGINFO ||
           (action->sa_handler != SIG_DFL && action->sa_handler != SIG_IGN &&
            action->sa_handler != SIG_ERR);
}

static int set_handler(int signo, const struct sigaction *action, struct sigaction *old)
{
    if (signo <= 0 || signo >= SIGNALS)
        return kernel_sigaction(signo, action, old);
    struct sigaction ours, was = handlers[signo], kernel;
    if (action) {
        ours = *action;
        ours.sa_mask = without_ours(&action->sa_mask);
        if (is_handler(action)) {
            ours.sa_sigaction = on_signal;
            ours.sa_flags |= SA_SIGINFO;
        }
        handlers[signo] = *action; /* first: the signal may come at once */
    }
    int result = 0;
    if (!stepping || (signo != SIGSEGV && signo != SIGTRAP))
        result = kernel_sigaction(signo, action ? &ours : NULL, &kernel);
    else
        kernel = was;
    if (result == -1)
        handlers[signo] = was;
    else if (old)
        *old = is_handler(&kernel) ? was : kernel;
    return result;
}

static void report_handler(const char *name, int signo, const struct sigaction *action,
                           uint64_t place, int result)
{
    struct grade_report report = before(CALL_SIGACTION, name, place);
    report.args[0] = signo;
    report.args[1] = action && is_handler(action);
    report.args[2] = action && !is_handler(action) && action->sa_handler == SIG_IGN;
    if (action)
        after(&report, result);
}

int sigaction(int signo, const struct sigaction *restrict action, struct sigaction *restrict old)
{
    struct sigaction copy;
    if (action)
        copy = *action;
    int result = set_handler(signo, action, old);
    report_handler("sigaction", signo, action ? &copy : NULL, PLACE, result);
    return result;
}

/* As a program has it that is compiled without options: the handler stays. */
static void (*set_simple(int signo, void (*handler)(int), uint64_t place))(int)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART}, old;
    int result = set_handler(signo, &action, &old);
    report_handler("signal", signo, &action, place, result);
    return result == -1 ? SIG_ERR : old.sa_handler;
}

#undef signal
void (*signal(int signo, void (*handler)(int)))(int);
void (*__sysv_signal(int signo, void (*handler)(int)))(int);
void (*bsd_signal(int signo, void (*handler)(int)))(int);

void (*signal(int signo, void (*handler)(int)))(int)
{
    return set_simple(signo, handler, PLACE);
}

void (*__sysv_signal(int signo, void (*handler)(int)))(int)
{
    return set_simple(signo, handler, PLACE);
}

void (*bsd_signal(int signo, void (*handler)(int)))(int)
{
    return set_simple(signo, handler, PLACE);
}

int sigprocmask(int how, const sigset_t *restrict set, sigset_t *restrict old)
{
    REAL(int, sigprocmask, int, const sigset_t *, sigset_t *);
    struct grade_report report = before(CALL_SIGPROCMASK, "sigprocmask", PLACE);
    sigset_t ours;
    if (set)
        ours = without_ours(set);
    report.args[0] = how;
    report.wait_mask = bits_of(set);
    int result = real_sigprocmask(how, set ? &ours : NULL, old);
    after(&report, result);
    return result;
}

int pthread_sigmask(int how, const sigset_t *restrict set, sigset_t *restrict old)
{
    return sigprocmask(how, set, old) == 0 ? 0 : errno;
}

/* ---- timers ---- */

unsigned alarm(unsigned seconds)
{
    REAL(unsigned, alarm, unsigned);
    struct grade_report report = before(CALL_ALARM, "alarm", PLACE);
    report.args[0] = seconds;
    send_report(&report);
    return real_alarm(seconds);
}

static int64_t milliseconds(const struct timespec *time)
{
    return time->tv_sec * 1000 + time->tv_nsec / 1000000;
}

#if defined(__GLIBC__)
typedef __itimer_which_t which_timer;
#else
typedef int which_timer;
#endif

int setitimer(which_timer which, const struct itimerval *restrict new,
              struct itimerval *restrict old)
{
    REAL(int, setitimer, which_timer, const struct itimerval *, struct itimerval *);
    struct grade_report report = before(CALL_ALARM, "setitimer", PLACE);
    report.args[0] = new->it_value.tv_sec + (new->it_value.tv_usec != 0);
    if (new->it_interval.tv_sec > 0 || new->it_interval.tv_usec > 0)
        report.call = CALL_TIMER;
    if (which == ITIMER_REAL)
        send_report(&report);
    return real_setitimer(which, new, old);
}

int timer_settime(timer_t timer, int flags, const struct itimerspec *restrict new,
                  struct itimerspec *restrict old)
{
    REAL(int, timer_settime, timer_t, int, const struct itimerspec *, struct itimerspec *);
    struct grade_report report = before(CALL_TIMER, "timer_settime", PLACE);
    report.args[0] = milliseconds(&new->it_value);
    send_report(&report);
    return real_timer_settime(timer, flags, new, old);
}

/* ---- calls that wait ---- */

int pause(void)
{
    REAL(int, pause, void);
    struct grade_report report = before(CALL_PAUSE, "pause", PLACE);
    send_report(&report);
    int result = real_pause();
    after(&report, result);
    return result;
}

int sigsuspend(const sigset_t *mask)
{
    REAL(int, sigsuspend, const sigset_t *);
    struct grade_report report = before(CALL_SIGSUSPEND, "sigsuspend", PLACE);
    report.wait_mask = bits_of(mask);
    send_report(&report);
    sigset_t ours = without_ours(mask);
    int result = real_sigsuspend(&ours);
    after(&report, result);
    return result;
}

int sigwait(const sigset_t *restrict set, int *restrict signo)
{
    REAL(int, sigwait, const sigset_t *, int *);
    struct grade_report report = before(CALL_SIGWAIT, "sigwait", PLACE);
    report.wait_mask = ~bits_of(set);
    send_report(&report);
    int result = real_sigwait(set, signo);
    after(&report, result);
    return result;
}

int sigwaitinfo(const sigset_t *restrict set, siginfo_t *restrict info)
{
    REAL(int, sigwaitinfo, const sigset_t *, siginfo_t *);
    struct grade_report report = before(CALL_SIGWAIT, "sigwaitinfo", PLACE);
    report.wait_mask = ~bits_of(set);
    send_report(&report);
    int result = real_sigwaitinfo(set, info);
    after(&report, result);
    return result;
}

static const struct timespec at_once = {0, 0};

int sigtimedwait(const sigset_t *restrict set, siginfo_t *restrict info,
                 const struct timespec *restrict timeout)
{
    REAL(int, sigtimedwait, const sigset_t *, siginfo_t *, const struct timespec *);
    struct grade_report report = before(CALL_SIGWAIT, "sigtimedwait", PLACE);
    report.wait_mask = ~bits_of(set);
    report.timed = timeout != NULL;
    report.args[0] = timeout ? milliseconds(timeout) : -1;
    if (send_report(&report).action == GO_SKIP)
        timeout = &at_once;
    int result = real_sigtimedwait(set, info, timeout);
    after(&report, result);
    return result;
}

static struct grade_report before_poll(nfds_t count, const char *name, int64_t timeout,
                                       uint64_t place)
{
    struct grade_report report = before(count > 0 ? CALL_POLL : CALL_SLEEP, name, place);
    report.timed = timeout >= 0;
    report.args[0] = timeout;
    report.args[1] = (int64_t)count;
    return report;
}

int poll(struct pollfd *fds, nfds_t count, int timeout)
{
    REAL(int, poll, struct pollfd *, nfds_t, int);
    struct grade_report report = before_poll(count, "poll", timeout, PLACE);
    if (send_report(&report).action == GO_SKIP)
        timeout = 0;
    int result = real_poll(fds, count, timeout);
    after(&report, result);
    return result;
}

int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask)
{
    REAL(int, ppoll, struct pollfd *, nfds_t, const struct timespec *, const sigset_t *);
    struct grade_report report =
        before_poll(count, "ppoll", timeout ? milliseconds(timeout) : -1, PLACE);
    sigset_t ours;
    if (mask)
        ours = without_ours(mask);
    if (mask)
        report.call = CALL_POLL;
    report.wait_mask = bits_of(mask);
    report.args[2] = mask != NULL;
    if (send_report(&report).action == GO_SKIP)
        timeout = &at_once;
    int result = real_ppoll(fds, count, timeout, mask ? &ours : NULL);
    after(&report, result);
    return result;
}

int select(int count, fd_set *restrict in, fd_set *restrict out, fd_set *restrict other,
           struct timeval *restrict timeout)
{
    REAL(int, select, int, fd_set *, fd_set *, fd_set *, struct timeval *);
    struct grade_report report = before_poll(
        (nfds_t)count, "select",
        timeout ? (int64_t)timeout->tv_sec * 1000 + (int64_t)timeout->tv_usec / 1000 : -1, PLACE);
    if (report.call == CALL_POLL)
        report.call = CALL_SELECT;
    struct timeval none = {0, 0};
    if (send_report(&report).action == GO_SKIP)
        timeout = &none;
    int result = real_select(count, in, out, other, timeout);
    after(&report, result);
    return result;
}

int pselect(int count, fd_set *restrict in, fd_set *restrict out, fd_set *restrict other,
            const struct timespec *restrict timeout, const sigset_t *restrict mask)
{
    REAL(int, pselect, int, fd_set *, fd_set *, fd_set *, const struct timespec *,
         const sigset_t *);
    struct grade_report report =
        before_poll((nfds_t)count, "pselect", timeout ? milliseconds(timeout) : -1, PLACE);
    sigset_t ours;
    if (mask)
        ours = without_ours(mask);
    if (mask)
        report.call = CALL_SELECT;
    report.wait_mask = bits_of(mask);
    report.args[2] = mask != NULL;
    if (send_report(&report).action == GO_SKIP)
        timeout = &at_once;
    int result = real_pselect(count, in, out, other, timeout, mask ? &ours : NULL);
    after(&report, result);
    return result;
}

/* From a pipe or a signalfd, read is a call that waits; a file never keeps it waiting. */
ssize_t read(int fd, void *buffer, size_t size)
{
    REAL(ssize_t, read, int, void *, size_t);
    struct stat about;
    int waits = is_reporting() && fstat(fd, &about) == 0 && !S_ISREG(about.st_mode) &&
                !S_ISCHR(about.st_mode);
    struct grade_report report = before(CALL_READ, "read", PLACE);
    report.args[0] = fd;
    if (waits)
        send_report(&report);
    int lifted = lift(buffer);
    ssize_t result = real_read(fd, buffer, size);
    restore(lifted);
    if (waits)
        after(&report, result);
    return result;
}

/* ---- calls that sleep ---- */

static struct grade_go begin_sleep(struct grade_report *report, const char *name, int64_t ms,
                                   uint64_t place)
{
    *report = before(CALL_SLEEP, name, place);
    report->timed = 1;
    report->args[0] = ms;
    return send_report(report);
}

unsigned sleep(unsigned seconds)
{
    REAL(unsigned, sleep, unsigned);
    struct grade_report report;
    struct grade_go go = begin_sleep(&report, "sleep", (int64_t)seconds * 1000, PLACE);
    unsigned result = go.action == GO_SKIP ? 0 : real_sleep(seconds);
    after(&report, result);
    return result;
}

int usleep(unsigned microseconds)
{
    REAL(int, usleep, unsigned);
    struct grade_report report;
    struct grade_go go = begin_sleep(&report, "usleep", microseconds / 1000, PLACE);
    int result = go.action == GO_SKIP ? 0 : real_usleep(microseconds);
    after(&report, result);
    return result;
}

int nanosleep(const struct timespec *time, struct timespec *left)
{
    REAL(int, nanosleep, const struct timespec *, struct timespec *);
    struct grade_report report;
    struct grade_go go = begin_sleep(&report, "nanosleep", milliseconds(time), PLACE);
    int result = go.action == GO_SKIP ? 0 : real_nanosleep(time, left);
    after(&report, result);
    return result;
}

int clock_nanosleep(clockid_t clock, int flags, const struct timespec *time, struct timespec *left)
{
    REAL(int, clock_nanosleep, clockid_t, int, const struct timespec *, struct timespec *);
    struct grade_report report;
    struct grade_go go = begin_sleep(&report, "clock_nanosleep", milliseconds(time), PLACE);
    int result = go.action == GO_SKIP ? 0 : real_clock_nanosleep(clock, flags, time, left);
    after(&report, result);
    return result;
}

/* ---- calls that a handler must not make ---- */

static void note_unsafe(enum grade_call call, const char *name, uint64_t place)
{
    if (in_handler == 0 || place == 0)
        return;
    struct grade_report report = before(call, name, place);
    send_report(&report);
}

int vprintf(const char *format, va_list list)
{
    note_unsafe(CALL_PRINTF, "vprintf", PLACE);
    return vfprintf(stdout, format, list);
}

int printf(const char *format, ...)
{
    REAL(int, vfprintf, FILE *, const char *, va_list);
    note_unsafe(CALL_PRINTF, "printf", PLACE);
    va_list list;
    va_start(list, format);
    int result = real_vfprintf(stdout, format, list);
    va_end(list);
    return result;
}

int fprintf(FILE *file, const char *format, ...)
{
    REAL(int, vfprintf, FILE *, const char *, va_list);
    note_unsafe(CALL_PRINTF, "fprintf", PLACE);
    va_list list;
    va_start(list, format);
    int result = real_vfprintf(file, format, list);
    va_end(list);
    return result;
}

int puts(const char *text)
{
    REAL(int, puts, const char *);
    note_unsafe(CALL_PRINTF, "puts", PLACE);
    return real_puts(text);
}

int fputs(const char *restrict text, FILE *restrict file)
{
    REAL(int, fputs, const char *, FILE *);
    note_unsafe(CALL_PRINTF, "fputs", PLACE);
    return real_fputs(text, file);
}

#undef putchar
int putchar(int byte)
{
    REAL(int, putchar, int);
    note_unsafe(CALL_PRINTF, "putchar", PLACE);
    return real_putchar(byte);
}

size_t fwrite(const void *restrict data, size_t size, size_t count, FILE *restrict file)
{
    REAL(size_t, fwrite, const void *, size_t, size_t, FILE *);
    note_unsafe(CALL_PRINTF, "fwrite", PLACE);
    return real_fwrite(data, size, count, file);
}

void perror(const char *text)
{
    REAL(void, perror, const char *);
    note_unsafe(CALL_PRINTF, "perror", PLACE);
    real_perror(text);
}

int fflush(FILE *file)
{
    REAL(int, fflush, FILE *);
    note_unsafe(CALL_PRINTF, "fflush", PLACE);
    return real_fflush(file);
}

_Noreturn void exit(int status)
{
    REAL(void, exit, int);
    note_unsafe(CALL_LIBRARY, "exit", PLACE);
    real_exit(status);
    leave(status);
}

#if defined(__GLIBC__) && !defined(FOR_SANITIZER)
/* The sanitizer has a malloc of its own. dlsym itself may call malloc, so these take glibc's names.
 */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void __libc_free(void *memory);

void *malloc(size_t size)
{
    note_unsafe(CALL_MALLOC, "malloc", PLACE);
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    note_unsafe(CALL_MALLOC, "calloc", PLACE);
    return __libc_calloc(count, size);
}

void free(void *memory)
{
    note_unsafe(CALL_MALLOC, "free", PLACE);
    __libc_free(memory);
}

int __printf_chk(int flag, const char *format, ...);
int __fprintf_chk(FILE *file, int flag, const char *format, ...);

int __printf_chk(int flag, const char *format, ...)
{
    REAL(int, vfprintf, FILE *, const char *, va_list);
    (void)flag;
    note_unsafe(CALL_PRINTF, "printf", PLACE);
    va_list list;
    va_start(list, format);
    int result = real_vfprintf(stdout, format, list);
    va_end(list);
    return result;
}

int __fprintf_chk(FILE *file, int flag, const char *format, ...)
{
    REAL(int, vfprintf, FILE *, const char *, va_list);
    (void)flag;
    note_unsafe(CALL_PRINTF, "fprintf", PLACE);
    va_list list;
    va_start(list, format);
    int result = real_vfprintf(file, format, list);
    va_end(list);
    return result;
}
#endif
