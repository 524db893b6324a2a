/* sys.c - the calls, and their narration in strace's form; see sys.h.
 *
 * Each wrapper has the same four steps: reach (where --step and --hold stop), call, tell, return.
 * kill and sigsuspend make up a turn, so where nobody listens they are the bare call, of which the
 * compiler makes a jump: a turn is shorter by a hundredth.
 * The functions at the top only spell arguments and results.
 */
#if defined(__linux__)
#define _GNU_SOURCE /* IPC_INFO, SHM_INFO, SHM_REMAP, SHM_HUGETLB */
#endif
#define IN_COMMON
#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SPELLED = 1024, SHOWN = 32 }; /* SHOWN: of a string, as many as strace shows */

/* ---- spelling, after strace ---- */

struct name {
    int value;
    const char *name;
};

static const struct name error_names[] = {
    {EACCES, "EACCES"},
    {EAGAIN, "EAGAIN"},
    {EBADF, "EBADF"},
    {EEXIST, "EEXIST"},
    {EFAULT, "EFAULT"},
    {EIDRM, "EIDRM"},
    {EINTR, "EINTR"},
    {EINVAL, "EINVAL"},
    {EIO, "EIO"},
    {ELOOP, "ELOOP"},
    {EMFILE, "EMFILE"},
    {ENAMETOOLONG, "ENAMETOOLONG"},
    {ENFILE, "ENFILE"},
    {ENOENT, "ENOENT"},
    {ENOMEM, "ENOMEM"},
    {ENOSPC, "ENOSPC"},
    {ENOSYS, "ENOSYS"},
    {ENOTDIR, "ENOTDIR"},
    {EOVERFLOW, "EOVERFLOW"},
    {EPERM, "EPERM"},
    {ESRCH, "ESRCH"},
    {0, NULL},
};

static const struct name signal_names[] = {
    {SIGHUP, "SIGHUP"},   {SIGINT, "SIGINT"},     {SIGQUIT, "SIGQUIT"},
    {SIGABRT, "SIGABRT"}, {SIGBUS, "SIGBUS"},     {SIGKILL, "SIGKILL"},
    {SIGUSR1, "SIGUSR1"}, {SIGSEGV, "SIGSEGV"},   {SIGUSR2, "SIGUSR2"},
    {SIGPIPE, "SIGPIPE"}, {SIGALRM, "SIGALRM"},   {SIGTERM, "SIGTERM"},
    {SIGCHLD, "SIGCHLD"}, {SIGCONT, "SIGCONT"},   {SIGSTOP, "SIGSTOP"},
    {SIGTSTP, "SIGTSTP"}, {SIGWINCH, "SIGWINCH"}, {0, NULL},
};

static const struct name get_flags[] = {
    {IPC_CREAT, "IPC_CREAT"},
    {IPC_EXCL, "IPC_EXCL"},
#ifdef SHM_HUGETLB
    {SHM_HUGETLB, "SHM_HUGETLB"},
#endif
#ifdef SHM_NORESERVE
    {SHM_NORESERVE, "SHM_NORESERVE"},
#endif
    {0, NULL},
};

static const struct name attach_flags[] = {
    {SHM_RDONLY, "SHM_RDONLY"},
    {SHM_RND, "SHM_RND"},
#ifdef SHM_REMAP
    {SHM_REMAP, "SHM_REMAP"},
#endif
#ifdef SHM_EXEC
    {SHM_EXEC, "SHM_EXEC"},
#endif
    {0, NULL},
};

static const struct name commands[] = {
    {IPC_STAT, "IPC_STAT"},
    {IPC_SET, "IPC_SET"},
    {IPC_RMID, "IPC_RMID"},
#ifdef IPC_INFO
    {IPC_INFO, "IPC_INFO"},
    {SHM_INFO, "SHM_INFO"},
    {SHM_STAT, "SHM_STAT"},
    {SHM_LOCK, "SHM_LOCK"},
    {SHM_UNLOCK, "SHM_UNLOCK"},
#endif
    {-1, NULL},
};

static const struct name operation_flags[] = {
    {IPC_NOWAIT, "IPC_NOWAIT"},
    {SEM_UNDO, "SEM_UNDO"},
    {0, NULL},
};

static const struct name open_flags[] = {
    {O_CREAT, "O_CREAT"},
    {O_EXCL, "O_EXCL"},
    {0, NULL},
};

static const struct name protections[] = {
    {PROT_READ, "PROT_READ"},
    {PROT_WRITE, "PROT_WRITE"},
    {0, NULL},
};

static const struct name map_flags[] = {
    {MAP_SHARED, "MAP_SHARED"},
    {MAP_PRIVATE, "MAP_PRIVATE"},
    {MAP_FIXED, "MAP_FIXED"},
    {0, NULL},
};

static const struct name mask_changes[] = {
    {SIG_BLOCK, "SIG_BLOCK"},
    {SIG_UNBLOCK, "SIG_UNBLOCK"},
    {SIG_SETMASK, "SIG_SETMASK"},
    {-1, NULL},
};

static const struct name action_flags[] = {
    {SA_SIGINFO, "SA_SIGINFO"},
    {SA_RESTART, "SA_RESTART"},
    {SA_NODEFER, "SA_NODEFER"},
    {0, NULL},
};

static const char *name_of(const struct name *names, int value)
{
    for (; names->name; names++)
        if (names->value == value)
            return names->name;
    return NULL;
}

const char *sys_error_name(int error)
{
    const char *name = name_of(error_names, error);
    return name ? name : strerror(error);
}

const char *sys_signal_name(int signo)
{
    const char *name = name_of(signal_names, signo);
    return name ? name : strsignal(signo);
}

/* The names of the bits that are set, then what is left, in hexadecimal; `none` where no bit is. */
static void append_flags(char *text, const struct name *names, int flags, const char *none)
{
    const char *bar = "";
    for (; names->name; names++) {
        if ((flags & names->value) != names->value)
            continue;
        narrate_append(text, SPELLED, "%s%s", bar, names->name);
        flags &= ~names->value;
        bar = "|";
    }
    if (flags != 0)
        narrate_append(text, SPELLED, "%s%#x", bar, (unsigned)flags);
    else if (*bar == '\0')
        narrate_append(text, SPELLED, "%s", none);
}

static void append_pointer(char *text, const void *pointer)
{
    if (pointer)
        narrate_append(text, SPELLED, "%#jx", (uintmax_t)(uintptr_t)pointer);
    else
        narrate_append(text, SPELLED, "NULL");
}

static void append_signal(char *text, int signo)
{
    const char *name = name_of(signal_names, signo);
    if (name)
        narrate_append(text, SPELLED, "%s", name);
    else
        narrate_append(text, SPELLED, "%d", signo);
}

static void append_set(char *text, const sigset_t *set)
{
    if (!set) {
        narrate_append(text, SPELLED, "NULL");
        return;
    }
    const char *space = "";
    narrate_append(text, SPELLED, "[");
    for (int signo = 1; signo <= 64; signo++) {
        if (sigismember(set, signo) != 1)
            continue;
        const char *name = name_of(signal_names, signo);
        if (name)
            narrate_append(text, SPELLED, "%s%s", space, name + strlen("SIG"));
        else
            narrate_append(text, SPELLED, "%s%d", space, signo);
        space = " ";
    }
    narrate_append(text, SPELLED, "]");
}

static void append_action(char *text, const struct sigaction *action)
{
    if (!action) {
        narrate_append(text, SPELLED, "NULL");
        return;
    }
    if (action->sa_flags & SA_SIGINFO)
        narrate_append(text, SPELLED, "{sa_sigaction=%#jx",
                       (uintmax_t)(uintptr_t)action->sa_sigaction);
    else if (action->sa_handler == SIG_DFL)
        narrate_append(text, SPELLED, "{sa_handler=SIG_DFL");
    else if (action->sa_handler == SIG_IGN)
        narrate_append(text, SPELLED, "{sa_handler=SIG_IGN");
    else
        narrate_append(text, SPELLED, "{sa_handler=%#jx", (uintmax_t)(uintptr_t)action->sa_handler);
    narrate_append(text, SPELLED, ", sa_mask=");
    append_set(text, &action->sa_mask);
    narrate_append(text, SPELLED, ", sa_flags=");
    append_flags(text, action_flags, action->sa_flags & (SA_SIGINFO | SA_RESTART | SA_NODEFER),
                 "0");
    narrate_append(text, SPELLED, "}");
}

/* The key's field has no portable name; glibc, musl and the BSDs each have their own. */
#if defined(__GLIBC__) || defined(__linux__)
#define KEY_OF(perm) ((perm).__key)
#elif defined(__APPLE__)
#define KEY_OF(perm) ((perm)._key)
#else
#define KEY_OF(perm) ((perm).key)
#endif

key_t sys_key_of(const struct shmid_ds *about)
{
    return KEY_OF(about->shm_perm);
}

static void append_about(char *text, int command, const struct shmid_ds *about)
{
    const struct ipc_perm *perm = &about->shm_perm;
    narrate_append(text, SPELLED, "{shm_perm={uid=%u, gid=%u, mode=0%o", (unsigned)perm->uid,
                   (unsigned)perm->gid, (unsigned)perm->mode);
    if (command == IPC_SET) {
        narrate_append(text, SPELLED, "}}");
        return;
    }
    narrate_append(text, SPELLED,
                   ", key=%u, cuid=%u, cgid=%u}, shm_segsz=%zu, shm_cpid=%d, shm_lpid=%d, "
                   "shm_nattch=%lu, shm_atime=%lld, shm_dtime=%lld, shm_ctime=%lld}",
                   (unsigned)sys_key_of(about), (unsigned)perm->cuid, (unsigned)perm->cgid,
                   (size_t)about->shm_segsz, (int)about->shm_cpid, (int)about->shm_lpid,
                   (unsigned long)about->shm_nattch, (long long)about->shm_atime,
                   (long long)about->shm_dtime, (long long)about->shm_ctime);
}

/* What strace shows of shmctl's third argument depends on the command, and on its success. */
static void append_control(char *text, int command, bool failed, const struct shmid_ds *about)
{
    if (command == IPC_SET || (!failed && command == IPC_STAT && about)) {
        append_about(text, command, about);
        return;
    }
#ifdef IPC_INFO
    if (!failed && command == IPC_INFO) {
        const struct shminfo *limits = (const void *)about;
        narrate_append(
            text, SPELLED, "{shmmax=%lu, shmmin=%lu, shmmni=%lu, shmseg=%lu, shmall=%lu}",
            limits->shmmax, limits->shmmin, limits->shmmni, limits->shmseg, limits->shmall);
        return;
    }
    if (!failed && command == SHM_INFO) {
        const struct shm_info *usage = (const void *)about;
        narrate_append(text, SPELLED,
                       "{used_ids=%d, shm_tot=%lu, shm_rss=%lu, shm_swp=%lu, swap_attempts=%lu, "
                       "swap_successes=%lu}",
                       usage->used_ids, usage->shm_tot, usage->shm_rss, usage->shm_swp,
                       usage->swap_attempts, usage->swap_successes);
        return;
    }
    if (!failed && command == SHM_STAT) {
        append_about(text, command, about);
        return;
    }
#endif
    append_pointer(text, about);
}

static void append_failure(char *text, int error)
{
    const char *name = name_of(error_names, error);
    if (name)
        narrate_append(text, SPELLED, " = -1 %s (%s)", name, strerror(error));
    else
        narrate_append(text, SPELLED, " = -1 errno %d (%s)", error, strerror(error));
}

static void append_result(char *text, ssize_t result, int error)
{
    narrate_append(text, SPELLED, ")");
    if (result == -1)
        append_failure(text, error);
    else
        narrate_append(text, SPELLED, " = %zd", result);
}

/* Closes a call's line with its result, and tells it. errno is as the call left it. */
static void told(long long began, char *text, ssize_t result)
{
    int error = errno;
    append_result(text, result, error);
    narrate_call(began, text);
    errno = error;
}

/* The same where a success is shown in hexadecimal: a key, an address. */
static void told_hex(long long began, char *text, bool failed, uintmax_t result)
{
    int error = errno;
    narrate_append(text, SPELLED, ")");
    if (failed)
        append_failure(text, error);
    else
        narrate_append(text, SPELLED, " = %#jx", result);
    narrate_call(began, text);
    errno = error;
}

/* A sleep that is taken up again before anything else was told counts as one sleep: --step and
 * --hold stop before it once, and it is told once, when it is over. So the tick in wakeup.c does
 * not clutter the page. */
static long long reach_sleep(const char *call)
{
    static long long began;
    if (!narrate_still_asleep(call))
        began = narrate_reach(call);
    return began;
}

/* As told, for a call that may sleep; `again`: it was ended by a signal, and may be taken up again.
 */
static void told_sleep(long long began, char *text, ssize_t result, bool again)
{
    if (!again) {
        told(began, text, result);
        return;
    }
    int error = errno;
    append_result(text, result, error);
    narrate_sleep(began, text);
    errno = error;
}

static bool was_interrupted(ssize_t result)
{
    return result == -1 && errno == EINTR;
}

/* ---- the calls ---- */

key_t sys_ftok(const char *path, int project)
{
    long long began = narrate_reach("ftok");
    key_t key = ftok(path, project);
    if (narrating()) {
        char text[SPELLED] = "ftok(";
        narrate_append_quoted(text, SPELLED, path, strlen(path), SPELLED / 8);
        narrate_append(text, SPELLED, ", %d", project);
        told_hex(began, text, key == (key_t)-1, (unsigned)key);
    }
    return key;
}

int sys_shmget(key_t key, size_t size, int flags)
{
    long long began = narrate_reach("shmget");
    int shmid = shmget(key, size, flags);
    if (narrating()) {
        char text[SPELLED] = "shmget(";
        if (key == IPC_PRIVATE)
            narrate_append(text, SPELLED, "IPC_PRIVATE");
        else
            narrate_append(text, SPELLED, "%#x", (unsigned)key);
        narrate_append(text, SPELLED, ", %zu, ", size);
        if (flags & ~0777) {
            append_flags(text, get_flags, flags & ~0777, "");
            narrate_append(text, SPELLED, "|");
        }
        narrate_append(text, SPELLED, "%#03o", (unsigned)flags & 0777);
        told(began, text, shmid);
    }
    return shmid;
}

void *sys_shmat(int shmid, const void *address, int flags)
{
    long long began = narrate_reach("shmat");
    void *attached = shmat(shmid, address, flags);
    if (narrating()) {
        char text[SPELLED] = "";
        narrate_append(text, SPELLED, "shmat(%d, ", shmid);
        append_pointer(text, address);
        narrate_append(text, SPELLED, ", ");
        append_flags(text, attach_flags, flags, "0");
        told_hex(began, text, attached == (void *)-1, (uintptr_t)attached);
    }
    return attached;
}

int sys_shmdt(const void *address)
{
    long long began = narrate_reach("shmdt");
    int result = shmdt(address);
    if (narrating()) {
        char text[SPELLED] = "shmdt(";
        append_pointer(text, address);
        told(began, text, result);
    }
    return result;
}

int sys_shmctl(int shmid, int command, struct shmid_ds *about)
{
    long long began = narrate_reach("shmctl");
    int result = shmctl(shmid, command, about);
    if (narrating()) {
        const char *name = name_of(commands, command);
        char text[SPELLED] = "";
        narrate_append(text, SPELLED, "shmctl(%d, ", shmid);
        if (name)
            narrate_append(text, SPELLED, "%s, ", name);
        else
            narrate_append(text, SPELLED, "%d, ", command);
        append_control(text, command, result == -1, about);
        told(began, text, result);
    }
    return result;
}

int sys_semget(key_t key, int count, int flags)
{
    long long began = narrate_reach("semget");
    int semid = semget(key, count, flags);
    if (narrating()) {
        char text[SPELLED] = "";
        narrate_append(text, SPELLED, "semget(%#x, %d, ", (unsigned)key, count);
        if (flags & ~0777) {
            append_flags(text, get_flags, flags & ~0777, "");
            narrate_append(text, SPELLED, "|");
        }
        narrate_append(text, SPELLED, "%#03o", (unsigned)flags & 0777);
        told(began, text, semid);
    }
    return semid;
}

int sys_semop(int semid, struct sembuf *operations, size_t count)
{
    long long began = reach_sleep("semop");
    int result = semop(semid, operations, count);
    if (narrating()) {
        char text[SPELLED] = "";
        narrate_append(text, SPELLED, "semop(%d, [", semid);
        for (size_t i = 0; i < count; i++) {
            narrate_append(text, SPELLED, "%s{%d, %d, ", i ? ", " : "", (int)operations[i].sem_num,
                           (int)operations[i].sem_op);
            append_flags(text, operation_flags, operations[i].sem_flg, "0");
            narrate_append(text, SPELLED, "}");
        }
        narrate_append(text, SPELLED, "], %zu", count);
        told_sleep(began, text, result, was_interrupted(result));
    }
    return result;
}

int sys_semctl(int semid, int number, int command, union sys_semun argument)
{
    long long began = narrate_reach("semctl");
    int result = semctl(semid, number, command, argument);
    if (narrating()) {
        const char *name = name_of(commands, command);
        char text[SPELLED] = "";
        narrate_append(text, SPELLED, "semctl(%d, %d, ", semid, number);
        if (name)
            narrate_append(text, SPELLED, "%s, ", name);
        else
            narrate_append(text, SPELLED, "%d, ", command);
        append_pointer(text, argument.buf);
        told(began, text, result);
    }
    return result;
}

int sys_shm_open(const char *name, int flags, mode_t mode)
{
    long long began = narrate_reach("shm_open");
    int fd = shm_open(name, flags, mode);
    if (narrating()) {
        char text[SPELLED] = "shm_open(";
        narrate_append_quoted(text, SPELLED, name, strlen(name), SPELLED / 8);
        narrate_append(text, SPELLED, (flags & O_ACCMODE) == O_RDWR ? ", O_RDWR" : ", O_RDONLY");
        if (flags & ~O_ACCMODE) {
            narrate_append(text, SPELLED, "|");
            append_flags(text, open_flags, flags & ~O_ACCMODE, "");
        }
        narrate_append(text, SPELLED, ", %#03o", (unsigned)mode);
        told(began, text, fd);
    }
    return fd;
}

int sys_shm_unlink(const char *name)
{
    long long began = narrate_reach("shm_unlink");
    int result = shm_unlink(name);
    if (narrating()) {
        char text[SPELLED] = "shm_unlink(";
        narrate_append_quoted(text, SPELLED, name, strlen(name), SPELLED / 8);
        told(began, text, result);
    }
    return result;
}

int sys_ftruncate(int fd, off_t size)
{
    long long began = narrate_reach("ftruncate");
    int result = ftruncate(fd, size);
    if (narrating()) {
        char text[SPELLED] = "";
        narrate_append(text, SPELLED, "ftruncate(%d, %lld", fd, (long long)size);
        told(began, text, result);
    }
    return result;
}

int sys_fstat(int fd, struct stat *about)
{
    long long began = narrate_reach("fstat");
    int result = fstat(fd, about);
    if (narrating()) {
        char text[SPELLED] = "";
        narrate_append(text, SPELLED, "fstat(%d, ", fd);
        if (result == -1)
            append_pointer(text, about);
        else
            narrate_append(text, SPELLED, "{st_mode=%s%#03o, st_size=%lld, ...}",
                           S_ISREG(about->st_mode) ? "S_IFREG|" : "",
                           (unsigned)about->st_mode & 07777, (long long)about->st_size);
        told(began, text, result);
    }
    return result;
}

void *sys_mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset)
{
    long long began = narrate_reach("mmap");
    void *mapped = mmap(address, size, protection, flags, fd, offset);
    if (narrating()) {
        char text[SPELLED] = "mmap(";
        append_pointer(text, address);
        narrate_append(text, SPELLED, ", %zu, ", size);
        append_flags(text, protections, protection, "PROT_NONE");
        narrate_append(text, SPELLED, ", ");
        append_flags(text, map_flags, flags, "0");
        narrate_append(text, SPELLED, ", %d, %#llx", fd, (unsigned long long)offset);
        told_hex(began, text, mapped == MAP_FAILED, (uintptr_t)mapped);
    }
    return mapped;
}

int sys_munmap(void *address, size_t size)
{
    long long began = narrate_reach("munmap");
    int result = munmap(address, size);
    if (narrating()) {
        char text[SPELLED] = "munmap(";
        append_pointer(text, address);
        narrate_append(text, SPELLED, ", %zu", size);
        told(began, text, result);
    }
    return result;
}

int sys_close(int fd)
{
    long long began = narrate_reach("close");
    int result = close(fd);
    if (narrating()) {
        char text[SPELLED] = "";
        narrate_append(text, SPELLED, "close(%d", fd);
        told(began, text, result);
    }
    return result;
}

/* The bytes are shown as strace shows a string; `known` says how many there are, -1: none. One that
 * blocks, is interrupted, and taken up again is told as one sleep. */
static void tell_transfer(long long began, const char *call, int fd, const void *bytes,
                          ssize_t known, size_t size, ssize_t result)
{
    if (!narrating())
        return;
    int error = errno;
    char text[SPELLED] = "";
    narrate_append(text, SPELLED, "%s(%d, ", call, fd);
    if (known < 0)
        append_pointer(text, bytes);
    else
        narrate_append_quoted(text, SPELLED, bytes, (size_t)known, SHOWN);
    narrate_append(text, SPELLED, ", %zu", size);
    errno = error;
    told_sleep(began, text, result, was_interrupted(result));
}

ssize_t sys_read(int fd, void *bytes, size_t size)
{
    long long began = reach_sleep("read");
    ssize_t result = read(fd, bytes, size);
    tell_transfer(began, "read", fd, bytes, result, size, result);
    return result;
}

ssize_t sys_write(int fd, const void *bytes, size_t size)
{
    long long began = reach_sleep("write");
    ssize_t result = write(fd, bytes, size);
    tell_transfer(began, "write", fd, bytes, (ssize_t)size, size, result);
    return result;
}

int sys_sigprocmask(int how, const sigset_t *set, sigset_t *old)
{
    long long began = narrate_reach("sigprocmask");
    int result = sigprocmask(how, set, old);
    if (narrating()) {
        char text[SPELLED] = "";
        narrate_append(text, SPELLED, "sigprocmask(%s, ", name_of(mask_changes, how));
        append_set(text, set);
        narrate_append(text, SPELLED, ", ");
        append_set(text, old);
        told(began, text, result);
    }
    return result;
}

int sys_sigaction(int signo, const struct sigaction *action, struct sigaction *old)
{
    long long began = narrate_reach("sigaction");
    int result = sigaction(signo, action, old);
    if (narrating()) {
        char text[SPELLED] = "sigaction(";
        append_signal(text, signo);
        narrate_append(text, SPELLED, ", ");
        append_action(text, action);
        narrate_append(text, SPELLED, ", ");
        append_action(text, old);
        told(began, text, result);
    }
    return result;
}

int sys_sigsuspend(const sigset_t *mask)
{
    if (!narrating())
        return sigsuspend(mask);
    long long began = reach_sleep("sigsuspend");
    int result = sigsuspend(mask);
    char text[SPELLED] = "sigsuspend(";
    append_set(text, mask);
    told_sleep(began, text, result, was_interrupted(result));
    return result;
}

/* The tick ends this one with success, and it is taken up again all the same. */
int sys_sigwaitinfo(const sigset_t *set, siginfo_t *info)
{
    long long began = reach_sleep("sigwaitinfo");
    int signo = sigwaitinfo(set, info);
    if (narrating()) {
        char text[SPELLED] = "sigwaitinfo(";
        append_set(text, set);
        narrate_append(text, SPELLED, ", ");
        if (signo == -1) {
            append_pointer(text, info);
        } else {
            narrate_append(text, SPELLED, "{si_signo=");
            append_signal(text, signo);
            narrate_append(text, SPELLED, ", si_pid=%d}", (int)info->si_pid);
        }
        told_sleep(began, text, signo, signo == SIGALRM || was_interrupted(signo));
    }
    return signo;
}

int sys_pause(void)
{
    long long began = narrate_reach("pause");
    int result = pause();
    if (narrating()) {
        char text[SPELLED] = "pause(";
        told(began, text, result);
    }
    return result;
}

int sys_sigqueue(pid_t pid, int signo, union sigval value)
{
    long long began = narrate_reach("sigqueue");
    int result = sigqueue(pid, signo, value);
    if (narrating()) {
        char text[SPELLED] = "";
        narrate_append(text, SPELLED, "sigqueue(%d, ", (int)pid);
        append_signal(text, signo);
        narrate_append(text, SPELLED, ", {sival_int=%d}", value.sival_int);
        told(began, text, result);
    }
    return result;
}

int sys_kill(pid_t pid, int signo)
{
    if (!narrating())
        return kill(pid, signo);
    long long began = narrate_reach("kill");
    int result = kill(pid, signo);
    char text[SPELLED] = "";
    narrate_append(text, SPELLED, "kill(%d, ", (int)pid);
    append_signal(text, signo);
    told(began, text, result);
    return result;
}

pid_t sys_fork(void)
{
    long long began = narrate_reach("fork");
    pid_t child = fork();
    if (narrating() && child != 0) { /* the child has nothing to tell yet */
        char text[SPELLED] = "fork(";
        told(began, text, child);
    }
    return child;
}

/* It returns only where it fails, so it is told before it is made, with the "?" that strace shows
 * for a result that never comes. */
int sys_execvp(const char *file, char *const arguments[])
{
    long long began = narrate_reach("execvp");
    if (narrating()) {
        char text[SPELLED] = "";
        narrate_append(text, SPELLED, "execvp(\"%s\", [", file);
        for (int i = 0; arguments[i]; i++)
            narrate_append(text, SPELLED, "%s\"%s\"", i ? ", " : "", arguments[i]);
        narrate_append(text, SPELLED, "]) = ?");
        narrate_call(began, text);
    }
    return execvp(file, arguments);
}

int sys_setitimer(const struct itimerval *value)
{
    long long began = narrate_reach("setitimer");
    int result = setitimer(ITIMER_REAL, value, NULL);
    if (narrating()) {
        char text[SPELLED] = "";
        narrate_append(text, SPELLED,
                       "setitimer(ITIMER_REAL, {it_interval={tv_sec=%ld, tv_usec=%ld}, "
                       "it_value={tv_sec=%ld, tv_usec=%ld}}, NULL",
                       (long)value->it_interval.tv_sec, (long)value->it_interval.tv_usec,
                       (long)value->it_value.tv_sec, (long)value->it_value.tv_usec);
        told(began, text, result);
    }
    return result;
}

bool sys_is_call(const char *name)
{
    static const char *const calls[] = {
        "ftok",   "shmget",      "shmat",    "shmdt",      "shmctl",      "semget",    "semop",
        "semctl", "sigwaitinfo", "shm_open", "shm_unlink", "ftruncate",   "fstat",     "mmap",
        "munmap", "close",       "read",     "write",      "sigprocmask", "sigaction", "sigsuspend",
        "pause",  "sigqueue",    "kill",     "setitimer",  "fork",        "execvp"};
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (strcmp(name, calls[i]) == 0)
            return true;
    return false;
}
