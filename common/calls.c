/* calls.c - the calls, and their narration in strace's form; see calls.h.
 *
 * First come the spellers, which turn an argument into text; then the calls, of four steps each:
 * reach (spelled; --step and --hold stop there), call, tell, return. Where nothing is narrated,
 * kill and sigsuspend are the bare call: they make up a turn.
 */
#if defined(__linux__)
#define _GNU_SOURCE /* IPC_INFO, SHM_INFO, SHM_REMAP, SHM_HUGETLB */
#endif
#include "calls.h"
#include "signals.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SPELLED = 1024, SHOWN = 32 }; /* SHOWN: bytes of a string, as many as strace shows */

void (*calls_on_removal)(int shmid);

/* ---- the story of a call ---- */

/* The call that is made now, from its name to its closing parenthesis. */
static char spelled[SPELLED];

static __attribute__((format(printf, 1, 2))) void spell(const char *format, ...)
{
    int saved = errno;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(spelled, sizeof spelled, format, arguments);
    va_end(arguments);
    errno = saved;
}

/* A call is spelled before it is made, so that --step can show it. Where nothing is narrated, no
 * argument is spelled. Returns the time at which the call begins. */
#define REACH(...) (tracing() ? (spell(__VA_ARGS__), trace_reach(spelled)) : 0)

/* The same for a call that may sleep. A sleep that is taken up again began when it was first
 * reached, and --step does not stop again. */
#define REACH_SLEEP(...) (tracing() ? (spell(__VA_ARGS__), reach_sleep()) : 0)

static long long reach_sleep(void)
{
    static long long began;
    if (!trace_still_asleep(spelled))
        began = trace_reach(spelled);
    return began;
}

/* Spells it again after it has returned, with what it has filled in. */
#define SPELL_FILLED(...)                                                                          \
    do                                                                                             \
        if (tracing())                                                                             \
            spell(__VA_ARGS__);                                                                    \
    while (0)

/* Narrates the call. `result` NULL: it failed. */
static void tell(long long began, int error, const char *result, bool asleep)
{
    char text[SPELLED + SPELLED / 4] = "";
    text_append(text, sizeof text, "%s", spelled);
    if (result)
        text_append(text, sizeof text, " = %s", result);
    else
        text_append(text, sizeof text, " = -1 %s (%s)", calls_error_name(error), strerror(error));
    if (asleep)
        trace_sleep(began, text);
    else
        trace_call(began, text);
}

/* For a call that may sleep. `again`: a signal ended it, and it may be taken up again. */
#define TELL_SLEEP(began, result, again)                                                           \
    do                                                                                             \
        if (tracing()) {                                                                           \
            int saved = errno;                                                                     \
            tell(began, saved, result, again);                                                     \
            errno = saved;                                                                         \
        }                                                                                          \
    while (0)

#define TELL(began, result) TELL_SLEEP(began, result, false)

static bool was_interrupted(ssize_t result)
{
    return result == -1 && errno == EINTR;
}

/* ---- spellers: they return text that is valid until some more have been spelled ---- */

static char *room(void)
{
    enum { ROOMS = 8 };
    static char rooms[ROOMS][SPELLED];
    static unsigned next;
    char *text = rooms[next++ % ROOMS];
    *text = '\0';
    return text;
}

/* A number as result; NULL where it is -1. */
static const char *number(ssize_t result)
{
    if (result == -1)
        return NULL;
    char *text = room();
    text_append(text, SPELLED, "%zd", result);
    return text;
}

static const char *pointer(const void *address)
{
    if (!address)
        return "NULL";
    char *text = room();
    text_append(text, SPELLED, "%#jx", (uintmax_t)(uintptr_t)address);
    return text;
}

/* An address as result; NULL where it is (void *)-1. */
static const char *address_or_failure(const void *address)
{
    return address == (void *)-1 ? NULL : pointer(address);
}

static const char *key_text(key_t key)
{
    if (key == IPC_PRIVATE)
        return "IPC_PRIVATE";
    char *text = room();
    text_append(text, SPELLED, "%#x", (unsigned)key);
    return text;
}

static const char *quoted(const char *bytes, size_t length, size_t most)
{
    char *text = room();
    text_append_quoted(text, SPELLED, bytes, length, most);
    return text;
}

static const char *path_text(const char *path)
{
    return quoted(path, strlen(path), SPELLED / 8);
}

struct name {
    int value;
    const char *name;
};

#define NAMED(value)                                                                               \
    {                                                                                              \
        value, #value                                                                              \
    }

static const char *name_of(const struct name *names, int value)
{
    for (; names->name; names++)
        if (names->value == value)
            return names->name;
    return NULL;
}

const char *calls_error_name(int error)
{
    static const struct name names[] = {
        NAMED(EACCES),    NAMED(EAGAIN), NAMED(EBADF),  NAMED(EBUSY),  NAMED(EEXIST),
        NAMED(EFAULT),    NAMED(EFBIG),  NAMED(EIDRM),  NAMED(EINTR),  NAMED(EINVAL),
        NAMED(EIO),       NAMED(ELOOP),  NAMED(EMFILE), NAMED(ENFILE), NAMED(ENAMETOOLONG),
        NAMED(ENOENT),    NAMED(ENOMEM), NAMED(ENOSPC), NAMED(ENOSYS), NAMED(ENOTDIR),
        NAMED(EOVERFLOW), NAMED(EPERM),  NAMED(EPIPE),  NAMED(ESRCH),  {0, NULL}};
    const char *name = name_of(names, error);
    return name ? name : strerror(error);
}

/* The names of the bits that are set, then what is left in hexadecimal; `none` where no bit is. */
static const char *flags_text(const struct name *names, int flags, const char *none)
{
    char *text = room();
    const char *bar = "";
    for (; names->name; names++) {
        if ((flags & names->value) != names->value)
            continue;
        text_append(text, SPELLED, "%s%s", bar, names->name);
        flags &= ~names->value;
        bar = "|";
    }
    if (flags != 0)
        text_append(text, SPELLED, "%s%#x", bar, (unsigned)flags);
    else if (*bar == '\0')
        text_append(text, SPELLED, "%s", none);
    return text;
}

/* What shmget and semget take: flags, then the mode in octal. */
static const char *get_flags_text(int flags)
{
    static const struct name names[] = {NAMED(IPC_CREAT),
                                        NAMED(IPC_EXCL),
#ifdef SHM_HUGETLB
                                        NAMED(SHM_HUGETLB),
#endif
#ifdef SHM_NORESERVE
                                        NAMED(SHM_NORESERVE),
#endif
                                        {0, NULL}};
    char *text = room();
    if (flags & ~0777)
        text_append(text, SPELLED, "%s|", flags_text(names, flags & ~0777, ""));
    text_append(text, SPELLED, "%#03o", (unsigned)flags & 0777);
    return text;
}

static const char *attach_flags_text(int flags)
{
    static const struct name names[] = {NAMED(SHM_RDONLY),
                                        NAMED(SHM_RND),
#ifdef SHM_REMAP
                                        NAMED(SHM_REMAP),
#endif
#ifdef SHM_EXEC
                                        NAMED(SHM_EXEC),
#endif
                                        {0, NULL}};
    return flags_text(names, flags, "0");
}

static const char *command_text(int command)
{
    static const struct name names[] = {NAMED(IPC_STAT), NAMED(IPC_SET),    NAMED(IPC_RMID),
#ifdef IPC_INFO
                                        NAMED(IPC_INFO), NAMED(SHM_INFO),   NAMED(SHM_STAT),
                                        NAMED(SHM_LOCK), NAMED(SHM_UNLOCK),
#endif
                                        {-1, NULL}};
    const char *name = name_of(names, command);
    return name ? name : number(command);
}

static const char *signal_text(int signo)
{
    const char *name = signals_name(signo);
    return strncmp(name, "SIG", strlen("SIG")) == 0 ? name : number(signo);
}

static const char *set_text(const sigset_t *set)
{
    if (!set)
        return "NULL";
    char *text = room();
    const char *space = "";
    text_append(text, SPELLED, "[");
    for (int signo = 1; signo <= 64; signo++) {
        if (sigismember(set, signo) != 1)
            continue;
        const char *name = signals_name(signo);
        if (strncmp(name, "SIG", strlen("SIG")) == 0)
            text_append(text, SPELLED, "%s%s", space, name + strlen("SIG"));
        else
            text_append(text, SPELLED, "%s%d", space, signo);
        space = " ";
    }
    text_append(text, SPELLED, "]");
    return text;
}

static const char *handler_text(const struct sigaction *action)
{
    if (action->sa_flags & SA_SIGINFO) {
        const char *name = signals_handler_name(action->sa_sigaction);
        return name ? name : pointer((const void *)(uintptr_t)action->sa_sigaction);
    }
    if (action->sa_handler == SIG_DFL)
        return "SIG_DFL";
    if (action->sa_handler == SIG_IGN)
        return "SIG_IGN";
    return pointer((const void *)(uintptr_t)action->sa_handler);
}

static const char *action_text(const struct sigaction *action)
{
    static const struct name names[] = {
        NAMED(SA_SIGINFO), NAMED(SA_RESTART), NAMED(SA_NODEFER), {0, NULL}};
    if (!action)
        return "NULL";
    char *text = room();
    text_append(text, SPELLED, "{%s=%s, sa_mask=%s, sa_flags=%s}",
                action->sa_flags & SA_SIGINFO ? "sa_sigaction" : "sa_handler", handler_text(action),
                set_text(&action->sa_mask),
                flags_text(names, action->sa_flags & (SA_SIGINFO | SA_RESTART | SA_NODEFER), "0"));
    return text;
}

#if defined(__GLIBC__) || defined(__linux__)
#define KEY_OF(perm) ((perm).__key)
#elif defined(__APPLE__)
#define KEY_OF(perm) ((perm)._key)
#else
#define KEY_OF(perm) ((perm).key)
#endif

key_t calls_key_of(const struct shmid_ds *about)
{
    return KEY_OF(about->shm_perm);
}

static const char *about_text(int command, const struct shmid_ds *about)
{
    const struct ipc_perm *perm = &about->shm_perm;
    char *text = room();
    text_append(text, SPELLED, "{shm_perm={uid=%u, gid=%u, mode=0%o", (unsigned)perm->uid,
                (unsigned)perm->gid, (unsigned)perm->mode);
    if (command == IPC_SET)
        text_append(text, SPELLED, "}}");
    else
        text_append(text, SPELLED,
                    ", key=%u, cuid=%u, cgid=%u}, shm_segsz=%zu, shm_cpid=%d, shm_lpid=%d, "
                    "shm_nattch=%lu, shm_atime=%lld, shm_dtime=%lld, shm_ctime=%lld}",
                    (unsigned)calls_key_of(about), (unsigned)perm->cuid, (unsigned)perm->cgid,
                    (size_t)about->shm_segsz, (int)about->shm_cpid, (int)about->shm_lpid,
                    (unsigned long)about->shm_nattch, (long long)about->shm_atime,
                    (long long)about->shm_dtime, (long long)about->shm_ctime);
    return text;
}

/* strace shows shmctl's third argument by command, and what is filled in only after success. */
static const char *control_text(int command, bool failed, const struct shmid_ds *about)
{
    if (command == IPC_SET || (!failed && command == IPC_STAT && about))
        return about_text(command, about);
#ifdef IPC_INFO
    if (!failed && command == SHM_STAT)
        return about_text(command, about);
    char *text = room();
    if (!failed && command == IPC_INFO) {
        const struct shminfo *limits = (const void *)about;
        text_append(text, SPELLED, "{shmmax=%lu, shmmin=%lu, shmmni=%lu, shmseg=%lu, shmall=%lu}",
                    limits->shmmax, limits->shmmin, limits->shmmni, limits->shmseg, limits->shmall);
        return text;
    }
    if (!failed && command == SHM_INFO) {
        const struct shm_info *usage = (const void *)about;
        text_append(text, SPELLED,
                    "{used_ids=%d, shm_tot=%lu, shm_rss=%lu, shm_swp=%lu, swap_attempts=%lu, "
                    "swap_successes=%lu}",
                    usage->used_ids, usage->shm_tot, usage->shm_rss, usage->shm_swp,
                    usage->swap_attempts, usage->swap_successes);
        return text;
    }
#endif
    return pointer(about);
}

/* ---- System V shared memory ---- */

key_t sys_ftok(const char *path, int project)
{
    long long began = REACH("ftok(%s, %d)", path_text(path), project);
    key_t key = ftok(path, project);
    TELL(began, key == (key_t)-1 ? NULL : key_text(key));
    return key;
}

int sys_shmget(key_t key, size_t size, int flags)
{
    long long began = REACH("shmget(%s, %zu, %s)", key_text(key), size, get_flags_text(flags));
    int shmid = shmget(key, size, flags);
    TELL(began, number(shmid));
    return shmid;
}

void *sys_shmat(int shmid, const void *address, int flags)
{
    long long began = REACH("shmat(%d, %s, %s)", shmid, pointer(address), attach_flags_text(flags));
    void *attached = shmat(shmid, address, flags);
    TELL(began, address_or_failure(attached));
    return attached;
}

int sys_shmdt(const void *address)
{
    long long began = REACH("shmdt(%s)", pointer(address));
    int result = shmdt(address);
    TELL(began, number(result));
    return result;
}

int sys_shmctl(int shmid, int command, struct shmid_ds *about)
{
    long long began = REACH("shmctl(%d, %s, %s)", shmid, command_text(command),
                            command == IPC_STAT ? "..." : control_text(command, true, about));
    int result = shmctl(shmid, command, about);
    SPELL_FILLED("shmctl(%d, %s, %s)", shmid, command_text(command),
                 control_text(command, result == -1, about));
    TELL(began, number(result));
    if (command == IPC_RMID && result == 0 && calls_on_removal)
        calls_on_removal(shmid);
    return result;
}

/* ---- semaphores ---- */

int sys_semget(key_t key, int count, int flags)
{
    long long began = REACH("semget(%s, %d, %s)", key_text(key), count, get_flags_text(flags));
    int semid = semget(key, count, flags);
    TELL(began, number(semid));
    return semid;
}

static const char *operations_text(const struct sembuf *operations, size_t count)
{
    static const struct name names[] = {NAMED(IPC_NOWAIT), NAMED(SEM_UNDO), {0, NULL}};
    char *text = room();
    for (size_t i = 0; i < count; i++)
        text_append(text, SPELLED, "%s{%d, %d, %s}", i ? ", " : "", (int)operations[i].sem_num,
                    (int)operations[i].sem_op, flags_text(names, operations[i].sem_flg, "0"));
    return text;
}

int sys_semop(int semid, struct sembuf *operations, size_t count)
{
    long long began =
        REACH_SLEEP("semop(%d, [%s], %zu)", semid, operations_text(operations, count), count);
    int result = semop(semid, operations, count);
    TELL_SLEEP(began, number(result), was_interrupted(result));
    return result;
}

int sys_semctl(int semid, int semaphore, int command, union sys_semun argument)
{
    long long began = REACH("semctl(%d, %d, %s, %s)", semid, semaphore, command_text(command),
                            pointer(argument.buf));
    int result = semctl(semid, semaphore, command, argument);
    TELL(began, number(result));
    return result;
}

/* ---- POSIX shared memory, and descriptors ---- */

static const char *open_flags_text(int flags)
{
    static const struct name names[] = {NAMED(O_CREAT), NAMED(O_EXCL), {0, NULL}};
    char *text = room();
    text_append(text, SPELLED, (flags & O_ACCMODE) == O_RDWR ? "O_RDWR" : "O_RDONLY");
    if (flags & ~O_ACCMODE)
        text_append(text, SPELLED, "|%s", flags_text(names, flags & ~O_ACCMODE, ""));
    return text;
}

int sys_shm_open(const char *name, int flags, mode_t mode)
{
    long long began =
        REACH("shm_open(%s, %s, %#03o)", path_text(name), open_flags_text(flags), (unsigned)mode);
    int fd = shm_open(name, flags, mode);
    TELL(began, number(fd));
    return fd;
}

int sys_shm_unlink(const char *name)
{
    long long began = REACH("shm_unlink(%s)", path_text(name));
    int result = shm_unlink(name);
    TELL(began, number(result));
    return result;
}

int sys_ftruncate(int fd, off_t size)
{
    long long began = REACH("ftruncate(%d, %lld)", fd, (long long)size);
    int result = ftruncate(fd, size);
    TELL(began, number(result));
    return result;
}

int sys_posix_fallocate(int fd, off_t offset, off_t size)
{
    long long began = REACH("fallocate(%d, 0, %lld, %lld)", fd, (long long)offset, (long long)size);
    int error = posix_fallocate(fd, offset, size);
    errno = error;
    TELL(began, number(error ? -1 : 0));
    return error;
}

static const char *stat_text(bool failed, const struct stat *about)
{
    if (failed)
        return pointer(about);
    char *text = room();
    text_append(text, SPELLED, "{st_mode=%s%#03o, st_size=%lld, ...}",
                S_ISREG(about->st_mode) ? "S_IFREG|" : "", (unsigned)about->st_mode & 07777,
                (long long)about->st_size);
    return text;
}

int sys_fstat(int fd, struct stat *about)
{
    long long began = REACH("fstat(%d, ...)", fd);
    int result = fstat(fd, about);
    SPELL_FILLED("fstat(%d, %s)", fd, stat_text(result == -1, about));
    TELL(began, number(result));
    return result;
}

static const char *protection_text(int protection)
{
    static const struct name names[] = {NAMED(PROT_READ), NAMED(PROT_WRITE), {0, NULL}};
    return flags_text(names, protection, "PROT_NONE");
}

static const char *map_flags_text(int flags)
{
    static const struct name names[] = {
        NAMED(MAP_SHARED), NAMED(MAP_PRIVATE), NAMED(MAP_FIXED), {0, NULL}};
    return flags_text(names, flags, "0");
}

void *sys_mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset)
{
    long long began =
        REACH("mmap(%s, %zu, %s, %s, %d, %#llx)", pointer(address), size,
              protection_text(protection), map_flags_text(flags), fd, (unsigned long long)offset);
    void *mapped = mmap(address, size, protection, flags, fd, offset);
    TELL(began, address_or_failure(mapped));
    return mapped;
}

int sys_munmap(void *address, size_t size)
{
    long long began = REACH("munmap(%s, %zu)", pointer(address), size);
    int result = munmap(address, size);
    TELL(began, number(result));
    return result;
}

int sys_close(int fd)
{
    long long began = REACH("close(%d)", fd);
    int result = close(fd);
    TELL(began, number(result));
    return result;
}

ssize_t sys_read(int fd, void *bytes, size_t size)
{
    long long began = REACH_SLEEP("read(%d, ..., %zu)", fd, size);
    ssize_t got = read(fd, bytes, size);
    SPELL_FILLED("read(%d, %s, %zu)", fd,
                 got == -1 ? pointer(bytes) : quoted(bytes, (size_t)got, SHOWN), size);
    TELL_SLEEP(began, number(got), was_interrupted(got));
    return got;
}

ssize_t sys_write(int fd, const void *bytes, size_t size)
{
    long long began = REACH_SLEEP("write(%d, %s, %zu)", fd, quoted(bytes, size, SHOWN), size);
    ssize_t written = write(fd, bytes, size);
    TELL_SLEEP(began, number(written), was_interrupted(written));
    return written;
}

/* ---- signals ---- */

int sys_sigprocmask(int how, const sigset_t *set, sigset_t *old)
{
    static const struct name names[] = {
        NAMED(SIG_BLOCK), NAMED(SIG_UNBLOCK), NAMED(SIG_SETMASK), {-1, NULL}};
    long long began =
        REACH("sigprocmask(%s, %s, %s)", name_of(names, how), set_text(set), old ? "..." : "NULL");
    int result = sigprocmask(how, set, old);
    SPELL_FILLED("sigprocmask(%s, %s, %s)", name_of(names, how), set_text(set), set_text(old));
    TELL(began, number(result));
    return result;
}

int sys_sigaction(int signo, const struct sigaction *action, struct sigaction *old)
{
    long long began = REACH("sigaction(%s, %s, %s)", signal_text(signo), action_text(action),
                            old ? "..." : "NULL");
    int result = sigaction(signo, action, old);
    SPELL_FILLED("sigaction(%s, %s, %s)", signal_text(signo), action_text(action),
                 action_text(old));
    TELL(began, number(result));
    return result;
}

int sys_sigsuspend(const sigset_t *mask)
{
    if (!tracing())
        return sigsuspend(mask);
    long long began = REACH_SLEEP("sigsuspend(%s)", set_text(mask));
    int result = sigsuspend(mask);
    TELL_SLEEP(began, number(result), was_interrupted(result));
    return result;
}

static const char *info_text(int signo, const siginfo_t *info)
{
    if (signo == -1)
        return pointer(info);
    char *text = room();
    text_append(text, SPELLED, "{si_signo=%s, si_pid=%d}", signal_text(signo), (int)info->si_pid);
    return text;
}

/* The timer ends this sleep with success, and it is taken up again all the same. */
int sys_sigwaitinfo(const sigset_t *set, siginfo_t *info)
{
    long long began = REACH_SLEEP("sigwaitinfo(%s, %s)", set_text(set), info ? "..." : "NULL");
    int signo = sigwaitinfo(set, info);
    SPELL_FILLED("sigwaitinfo(%s, %s)", set_text(set), info_text(signo, info));
    TELL_SLEEP(began, number(signo), signo == SIGALRM || was_interrupted(signo));
    return signo;
}

int sys_pause(void)
{
    long long began = REACH_SLEEP("pause()");
    int result = pause();
    TELL_SLEEP(began, number(result), was_interrupted(result));
    return result;
}

int sys_sigqueue(pid_t pid, int signo, union sigval value)
{
    long long began =
        REACH("sigqueue(%d, %s, {sival_int=%d})", (int)pid, signal_text(signo), value.sival_int);
    int result = sigqueue(pid, signo, value);
    TELL(began, number(result));
    return result;
}

int sys_kill(pid_t pid, int signo)
{
    if (!tracing())
        return kill(pid, signo);
    long long began = REACH("kill(%d, %s)", (int)pid, signal_text(signo));
    int result = kill(pid, signo);
    TELL(began, number(result));
    return result;
}

int sys_setitimer(const struct itimerval *value)
{
    long long began = REACH("setitimer(ITIMER_REAL, {it_interval={tv_sec=%ld, tv_usec=%ld}, "
                            "it_value={tv_sec=%ld, tv_usec=%ld}}, NULL)",
                            (long)value->it_interval.tv_sec, (long)value->it_interval.tv_usec,
                            (long)value->it_value.tv_sec, (long)value->it_value.tv_usec);
    int result = setitimer(ITIMER_REAL, value, NULL);
    TELL(began, number(result));
    return result;
}

/* ---- processes ---- */

pid_t sys_fork(void)
{
    long long began = REACH("fork()");
    pid_t child = fork();
    if (child != 0) /* the child has nothing to tell yet */
        TELL(began, number(child));
    return child;
}

/* It returns only where it fails. So it is narrated before it is made, with the "?" that strace
 * shows for a result that never comes. */
int sys_execvp(const char *file, char *const arguments[])
{
    char list[SPELLED / 2] = "";
    for (int i = 0; arguments[i]; i++)
        text_append(list, sizeof list, "%s\"%s\"", i ? ", " : "", arguments[i]);
    long long began = REACH("execvp(\"%s\", [%s])", file, list);
    TELL(began, "?");
    return execvp(file, arguments);
}

bool calls_has(const char *name)
{
    static const char *const calls[] = {
        "ftok",   "shmget",      "shmat",    "shmdt",      "shmctl",     "semget",    "semop",
        "semctl", "sigwaitinfo", "shm_open", "shm_unlink", "ftruncate",  "fallocate", "fstat",
        "mmap",   "munmap",      "close",    "read",       "write",      "kill",      "fork",
        "execvp", "sigprocmask", "sigqueue", "sigaction",  "sigsuspend", "pause",     "setitimer"};
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (strcmp(name, calls[i]) == 0)
            return true;
    return false;
}
