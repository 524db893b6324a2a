/* grade_sandbox.c - runs one case apart from the machine. See grade_game.h.
 *
 * The keeper starts the referee and waits for it: its end, by time or by verdict, ends all
 * processes of the case. In a PID namespace the referee is PID 1, and the kernel does this.
 */
#define _GNU_SOURCE /* unshare, setgroups */
#include "grade_sandbox.h"

#include "../common/clock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CAPABILITY_VERSION = 0x20080522, MOUNT_READ_ONLY = 1 }; /* linux/capability.h, mount.h */

enum { CASE_SECONDS = 25, OWN_SPACES = CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWNS };

/* ---- limits ---- */

static long count_processes(uid_t uid)
{
    long count = 0;
    struct dirent *entry;
    DIR *proc = opendir("/proc");
    while (proc && (entry = readdir(proc))) {
        struct stat about;
        char path[300];
        snprintf(path, sizeof path, "/proc/%s/stat", entry->d_name);
        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' && stat(path, &about) == 0 &&
            about.st_uid == uid)
            count++;
    }
    if (proc)
        closedir(proc);
    return count;
}

#define LIMIT(resource, most) setrlimit(resource, &(struct rlimit){most, most})

/* A shell gives a program that it starts in the background an ignored SIGINT. The student's must
 * die of Ctrl-C all the same. */
static void restore_signals(void)
{
    sigset_t none;
    signal(SIGHUP, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    signal(SIGQUIT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

void sandbox_limit(const struct game *game)
{
    enum { MB = 1 << 20, PROCESSES = 40 };
    restore_signals();
    LIMIT(RLIMIT_CPU, 10);
    LIMIT(RLIMIT_FSIZE, 16 * MB);
    LIMIT(RLIMIT_CORE, 0);
    if (!game->sanitized) /* the sanitizer reserves terabytes of addresses */
        LIMIT(RLIMIT_AS, 512 * MB);
    LIMIT(RLIMIT_NPROC, (rlim_t)(count_processes(game->uid) + PROCESSES));
}

void sandbox_drop(const struct game *game)
{
    uint32_t header[] = {CAPABILITY_VERSION, 0};
    uint32_t none[6] = {0};
    if (game->uid != getuid() &&
        (setgroups(0, NULL) == -1 || setgid(game->uid) == -1 || setuid(game->uid) == -1))
        _exit(125);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    syscall(SYS_capset, header, none);
    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0); /* the peers look into each other's /proc/PID/maps */
}

/* ---- namespaces ---- */

static bool write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    ssize_t length = (ssize_t)strlen(text);
    bool done = fd != -1 && write(fd, text, (size_t)length) == length;
    if (fd != -1)
        close(fd);
    return done;
}

/* In the new user namespace we are who we were outside. */
static bool map_user(const char *path, unsigned id)
{
    char text[48];
    snprintf(text, sizeof text, "%u %u 1", id, id);
    return write_file(path, text);
}

static bool enter_namespaces(int flags)
{
    unsigned uid = geteuid(), gid = getegid();
    if (unshare(flags) == -1)
        return false;
    if (!(flags & CLONE_NEWUSER))
        return true;
    return write_file("/proc/self/setgroups", "deny") && map_user("/proc/self/uid_map", uid) &&
           map_user("/proc/self/gid_map", gid);
}

static bool mount_own(void)
{
    uint64_t read_only[4] = {MOUNT_READ_ONLY}; /* to set, to clear, propagation, namespace */
    if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1)
        return false;
#if defined(SYS_mount_setattr) && defined(AT_RECURSIVE)
    syscall(SYS_mount_setattr, -1, "/", AT_RECURSIVE, read_only, sizeof read_only);
#else
    (void)read_only;
#endif
    return mount("tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "size=64m,mode=1777") == 0 &&
           mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) == 0;
}

static bool can_enter(int flags)
{
    pid_t child = fork();
    int status = -1;
    if (child == 0) {
        if (!enter_namespaces(flags))
            _exit(1);
        pid_t first = fork();
        if (first == 0)
            _exit(flags & CLONE_NEWNS && !mount_own());
        _exit(first == -1 || waitpid(first, &status, 0) == -1 || status != 0);
    }
    return child != -1 && waitpid(child, &status, 0) == child && status == 0;
}

/* What unshare(2) may be given here; 0: nothing. */
int sandbox_probe(void)
{
    if (can_enter(OWN_SPACES))
        return OWN_SPACES;
    if (can_enter(OWN_SPACES | CLONE_NEWUSER))
        return OWN_SPACES | CLONE_NEWUSER;
    return 0;
}

/* ---- the directory ---- */

static bool copy_file(int from, const char *name)
{
    char data[65536];
    ssize_t got;
    int to = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
    if (to == -1)
        return false;
    for (off_t at = 0; (got = pread(from, data, sizeof data, at)) > 0; at += got)
        if (write(to, data, (size_t)got) != got)
            got = -1;
    fchmod(to, 0755);
    close(to);
    return got == 0;
}

static bool make_directory(struct game *game, const int files[4])
{
    bool own = game->subject->namespaces != 0;
    snprintf(game->directory, sizeof game->directory, "%s/case-%d",
             own ? "/tmp" : game->subject->scratch, (int)getpid());
    if (mkdir(game->directory, 0755) == -1 || chdir(game->directory) == -1 ||
        !copy_file(files[0], "program") || !copy_file(files[1], "preload.so") ||
        (files[2] != -1 &&
         (!copy_file(files[2], "sanitized") || !copy_file(files[3], "preload-sanitized.so"))))
        return false;
    if (!game->no_key_file) {
        int key_file = open("shmfile", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        if (key_file == -1 || fchown(key_file, game->uid, game->uid) == -1)
            return false;
        close(key_file);
    }
    return chown(game->directory, game->uid, game->uid) == 0;
}

int64_t game_key(const struct game *game)
{
    (void)game;
    return ftok("shmfile", 1);
}

/* ---- the end ---- */

static void remove_segments(pid_t student, pid_t puppet)
{
    struct shm_info info;
    int last = shmctl(0, 14 /* SHM_INFO */, (struct shmid_ds *)(void *)&info);
    for (int i = 0; i <= last; i++) {
        struct shmid_ds about;
        int shmid = shmctl(i, 13 /* SHM_STAT */, &about);
        if (shmid != -1 && about.shm_cpid > 0 &&
            (about.shm_cpid == student || about.shm_cpid == puppet))
            shmctl(shmid, IPC_RMID, NULL);
    }
}

/* As a user that has no other process, a child of ours can end all of them in one call. */
static void end_user(uid_t uid)
{
    pid_t child = uid != getuid() ? fork() : -1;
    if (child == 0) {
        if (setgid(uid) == 0 && setuid(uid) == 0)
            kill(-1, SIGKILL);
        _exit(0);
    }
    if (child > 0)
        waitpid(child, NULL, 0);
}

/* Processes that fork all the time are ended only all at once. */
static void end_children(uid_t uid, pid_t group)
{
    enum { ROUNDS = 2000 };
    char path[64], list[4096];
    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    for (int round = 0; round < ROUNDS; round++) {
        FILE *file = fopen(path, "re");
        size_t length = file ? fread(list, 1, sizeof list - 1, file) : 0;
        if (file)
            fclose(file);
        list[length] = '\0';
        if (length == 0)
            return;
        end_user(uid);
        if (group > 1)
            kill(-group, SIGKILL);
        char *at = list;
        for (long pid; (pid = strtol(at, &at, 10)) > 0;)
            kill((pid_t)pid, SIGKILL);
        pid_t reaped;
        do
            reaped = waitpid(-1, NULL, WNOHANG);
        while (reaped > 0);
        poll(NULL, 0, 1);
    }
}

/* In a PID namespace the kernel ends all processes of the case. Elsewhere the referee is the one
 * who adopts what the student's program leaves behind, and ends it. */
void sandbox_leave(struct game *game)
{
    if (game->subject->namespaces == 0) {
        end_children(game->uid, game->student);
        remove_segments(game->student, game->creator);
    }
    _exit(0);
}

/* ---- one case ---- */

static void open_descriptors(int files[4], const struct subject *subject)
{
    files[0] = open(subject->program, O_RDONLY | O_CLOEXEC);
    files[1] = open(subject->preload, O_RDONLY | O_CLOEXEC);
    files[2] = subject->sanitized ? open(subject->sanitized, O_RDONLY | O_CLOEXEC) : -1;
    files[3] = subject->sanitized ? open(subject->preload_sanitized, O_RDONLY | O_CLOEXEC) : -1;
}

/* As root, the student's program and the puppet run as a user that has no other process. */
static uid_t choose_user(pid_t keeper)
{
    enum { FIRST = 61184, COUNT = 4096 };
    return getuid() == 0 ? (uid_t)(FIRST + keeper % COUNT) : getuid();
}

static _Noreturn void be_referee(const struct subject *subject, void (*play)(struct game *),
                                 struct verdict *verdict, uid_t uid)
{
    static struct game game;
    int files[4];
    open_descriptors(files, subject);
    game = (struct game){.subject = subject,
                         .verdict = verdict,
                         .uid = uid,
                         .channel = -1,
                         .orders = -1,
                         .out = -1,
                         .err = -1,
                         .shmid = -1,
                         .created = -1};
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    if (subject->namespaces != 0 && !mount_own())
        leave_open(&game, "the sandbox could not be made: %s", strerror(errno));
    if (!make_directory(&game, files))
        leave_open(&game, "the sandbox could not be made: %s", strerror(errno));
    puppet_start(&game);
    play(&game);
    pass(&game);
}

static _Noreturn void be_keeper(const struct subject *subject, void (*play)(struct game *),
                                struct verdict *verdict)
{
    uid_t uid = choose_user(getpid());
    sigset_t child;
    setsid();
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, NULL);
    if (subject->namespaces != 0 && !enter_namespaces(subject->namespaces))
        _exit(1);
    pid_t referee = fork();
    if (referee == 0) {
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        be_referee(subject, play, verdict, uid);
    }
    struct timespec time = {CASE_SECONDS, 0};
    siginfo_t info;
    while (referee != -1 && waitpid(referee, NULL, WNOHANG) == 0)
        if (sigtimedwait(&child, &info, &time) == -1 && errno == EAGAIN) {
            kill(referee, SIGKILL);
            snprintf(verdict->seen, sizeof verdict->seen, "it had not ended after %d seconds",
                     CASE_SECONDS);
            verdict->pitfall = NEVER_ENDS;
            verdict->state = VERDICT_FAIL;
        }
    end_children(uid, 0);
    _exit(0);
}

pid_t game_run(const struct subject *subject, void (*play)(struct game *), struct verdict *verdict)
{
    pid_t keeper = fork();
    if (keeper == 0)
        be_keeper(subject, play, verdict);
    return keeper;
}
