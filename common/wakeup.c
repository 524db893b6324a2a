/* wakeup.c - how a process of ours sleeps, and what may wake it; see wakeup.h. */
#define IN_COMMON
#include "wakeup.h"
#include "clock.h"
#include "sys.h"

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <unistd.h>

volatile sig_atomic_t wakeup_came;
volatile sig_atomic_t wakeup_from;
volatile sig_atomic_t wakeup_ticks;
volatile sig_atomic_t wakeup_ending;

/* ---- handlers ---- */

void wakeup_take(int signo, siginfo_t *info, void *context)
{
    (void)signo, (void)context;
    wakeup_from = info->si_pid;
    wakeup_came = 1;
}

static volatile sig_atomic_t alarmed; /* by whomever: it is time to look at the clock */

/* Only the kernel's own timer counts: a SIGALRM that somebody sent must not make us late. */
static void on_tick(int signo, siginfo_t *info, void *context)
{
    (void)signo, (void)context;
    alarmed = 1;
    if (info->si_code != SI_USER && info->si_code != SI_QUEUE)
        wakeup_ticks++;
}

static void on_end(int signo, siginfo_t *info, void *context)
{
    (void)info, (void)context;
    wakeup_ending = signo;
}

/* ---- block ---- */

static void block(const sigset_t *set)
{
    if (sys_sigprocmask(SIG_BLOCK, set, NULL) == -1)
        err(1, "sigprocmask(SIG_BLOCK)");
}

static void handle(int signo, void (*handler)(int, siginfo_t *, void *))
{
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    sigemptyset(&action.sa_mask);
    if (sys_sigaction(signo, &action, NULL) == -1)
        err(1, "sigaction(%s)", sys_signal_name(signo));
}

/* Given to atexit first, and so run last: all other cleanup is done, and the signal that ended us
 * may now do what it does by default. */
static void die_of_it(void)
{
    if (!wakeup_ending)
        return;
    sigset_t it;
    sigemptyset(&it);
    sigaddset(&it, wakeup_ending);
    signal(wakeup_ending, SIG_DFL);
    raise(wakeup_ending);
    sigprocmask(SIG_UNBLOCK, &it, NULL);
}

/* The signals that may end us. nohup(1) has SIGHUP ignored, and that is respected. */
static const int ends[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};

static bool is_respected(int signo)
{
    struct sigaction inherited;
    if (signo != SIGHUP)
        return false;
    if (sigaction(signo, NULL, &inherited) == -1)
        err(1, "sigaction(%s)", sys_signal_name(signo));
    return inherited.sa_handler == SIG_IGN;
}

/* The mask for a sleep: empty. It is emptied once: among many pairs, whoever wakes up finds the
 * caches filled by others, and pays for each function that it calls. */
static sigset_t all_let_in;

/* The moment up to which tick_has_passed has counted. */
static long long counted_until;

void wakeup_guard(void)
{
    sigset_t ours;
    sigemptyset(&all_let_in);
    sigemptyset(&ours);
    sigaddset(&ours, SIGALRM);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (!is_respected(ends[i]))
            sigaddset(&ours, ends[i]);

    if (atexit(die_of_it) != 0)
        errx(1, "atexit: no room for another function");
    block(&ours);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (sigismember(&ours, ends[i]) == 1)
            handle(ends[i], on_end);
    handle(SIGALRM, on_tick);

    /* All of us tick at the same moments of the clock: one interrupt, then, serves many processes.
     * (With 100 pairs on a CPU, a tenth of its time.) What is left of the first tick counts as one,
     * or a death in it would be noticed a tick late. */
    const int every = WAKEUP_TICK * 1000;
    const long long now = clock_now() / 1000;
    counted_until = (now - now % every) * 1000;
    struct itimerval tick = {{0, every}, {0, every - (int)(now % every)}};
    if (sys_setitimer(&tick) == -1)
        err(1, "setitimer(ITIMER_REAL, every %d ms)", WAKEUP_TICK);
}

void wakeup_block(void)
{
    sigset_t usr1;
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    block(&usr1);
    handle(SIGUSR1, wakeup_take);
    wakeup_guard();
}

/* ---- end ---- */

_Noreturn void wakeup_die(int signo)
{
    wakeup_ending = signo;
    narrate_ending();
    exit(128 + signo);
}

void wakeup_end(void)
{
    if (wakeup_ending)
        wakeup_die(wakeup_ending);
    sigset_t pending;
    if (sigpending(&pending) == -1)
        err(1, "sigpending");
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (sigismember(&pending, ends[i]) == 1 && !is_respected(ends[i]))
            wakeup_die(ends[i]);
}

/* ---- who is alive, and attached ---- */

/* The letter that proc(5) gives for a process's state; '?' where nobody tells. */
static char state_of(pid_t pid)
{
    char state = '?';
#if defined(__linux__)
    char path[32], line[512];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *stat = fopen(path, "re");
    if (stat && fgets(line, sizeof line, stat)) {
        const char *name_ends = strrchr(line, ')'); /* proc(5): a name may hold anything else */
        if (name_ends)
            sscanf(name_ends, ") %c", &state);
    }
    if (stat)
        fclose(stat);
#else
    (void)pid;
#endif
    return state;
}

/* A zombie has died, and is kept only until its parent asks how; to kill(2) it is still there. */
static bool is_zombie(pid_t pid)
{
    char state = state_of(pid);
    return state == 'Z' || state == 'X';
}

/* The peer itself says that it stands still on purpose; the kernel says whether it does. */
static bool is_held(const struct wakeup_wait *wait)
{
    if (!wait->peer || !wait->stopped || wait->peer != atomic_load(wait->stopped))
        return false;
    char state = state_of(wait->peer);
    return state == 'T' || state == 't' || state == '?';
}

bool wakeup_alive(pid_t pid)
{
    return pid > 0 && (sys_kill(pid, 0) == 0 || errno == EPERM) && !is_zombie(pid);
}

/* Linux lists each mapping of a process, with a path and an inode. A zombie has none of ours, nor
 * has a process after exec. This is only a look and no call of the lesson: it is not narrated, so
 * that the tick can take it without a word on the screen. */
enum wakeup_maps wakeup_maps(pid_t pid, const char *path, unsigned long inode)
{
#if defined(__linux__)
    char line[512];
    snprintf(line, sizeof line, "/proc/%d/maps", (int)pid);
    FILE *maps = fopen(line, "re");
    if (!maps)
        return WAKEUP_CANNOT_SAY; /* dead, another user's, or no /proc here */
    enum wakeup_maps found = WAKEUP_MAPS_NOTHING;
    while (found != WAKEUP_MAPS_IT && fgets(line, sizeof line, maps)) {
        found = WAKEUP_MAPS_NOT;
        unsigned long listed;
        char name[64];
        if (sscanf(line, "%*s %*s %*s %*s %lu %63s", &listed, name) == 2 && listed == inode &&
            strncmp(name, path, strlen(path)) == 0)
            found = WAKEUP_MAPS_IT;
    }
    if (ferror(maps))
        found = WAKEUP_CANNOT_SAY;
    fclose(maps);
    return found;
#else
    (void)pid, (void)path, (void)inode;
    return WAKEUP_CANNOT_SAY;
#endif
}

/* A segment's mapping is named /SYSV and its key, and has the shmid for an inode number. */
static enum wakeup_maps maps_segment(pid_t pid, int shmid)
{
    return wakeup_maps(pid, "/SYSV", (unsigned long)shmid);
}

bool wakeup_is_detached(pid_t pid, int shmid)
{
    enum wakeup_maps attached = maps_segment(pid, shmid);
    return attached == WAKEUP_MAPS_NOT || attached == WAKEUP_MAPS_NOTHING;
}

/* The cheap look comes first; if it finds the peer in its place, nothing more is asked. Then the
 * kernel tells whether the process is gone, or has detached: shm_nattch of 1 is us alone. (A zombie
 * still answers kill, but is no longer counted.) */
bool wakeup_gone(pid_t peer, int shmid)
{
    enum wakeup_maps attached = maps_segment(peer, shmid);
    if (attached == WAKEUP_MAPS_IT)
        return false;
    if (!wakeup_alive(peer))
        return true;
    struct shmid_ds about;
    if (sys_shmctl(shmid, IPC_STAT, &about) == -1)
        return errno == EINVAL || errno == EIDRM;
    return about.shm_nattch <= 1 || attached == WAKEUP_MAPS_NOT;
}

bool wakeup_confirm(pid_t pid, int shmid)
{
    if (pid <= 0 || pid == getpid() || sys_kill(pid, 0) == -1)
        return false;
    switch (maps_segment(pid, shmid)) {
    case WAKEUP_MAPS_IT: {
        char path[32];
        struct stat owner;
        snprintf(path, sizeof path, "/proc/%d", (int)pid);
        return stat(path, &owner) == 0 && owner.st_uid == geteuid();
    }
    case WAKEUP_MAPS_NOT:
    case WAKEUP_MAPS_NOTHING:
        return false;
    case WAKEUP_CANNOT_SAY:
        break;
    }
    struct shmid_ds about;
    return sys_shmctl(shmid, IPC_STAT, &about) == 0 &&
           (pid == about.shm_cpid || pid == about.shm_lpid);
}

int wakeup_send(pid_t pid)
{
    if (pid <= 0) {
        errno = EINVAL;
        return -1;
    }
    return sys_kill(pid, SIGUSR1);
}

/* ---- wait ---- */

static long in_ticks(double seconds)
{
    double ticks = seconds * 1000 / WAKEUP_TICK;
    return ticks < 1 ? 1 : (long)ticks;
}

/* Whether we have lived through one more tick. To count the signals would not do: one that somebody
 * sends comes too early, and while it is pending the kernel's own adds nothing to it. So they only
 * wake us, and the clock counts; time for which we were stopped counts as one tick at most. The
 * kernel's signals do not come to the microsecond either: three quarters of a tick are taken for a
 * whole one, at the expense of the next. Otherwise one that came a little early would not count,
 * and a peer's death would be noticed a tick or two late. */
static bool tick_has_passed(void)
{
    static long long lived;
    long long now = clock_now(), tick = WAKEUP_TICK * 1000000;
    lived += now - counted_until > 2 * tick ? tick : now - counted_until;
    counted_until = now;
    if (lived < tick * 3 / 4)
        return false;
    lived -= tick;
    return true;
}

/* What the handlers have noted, but for the tick. */
static void obey(void)
{
    if (wakeup_ending)
        wakeup_die(wakeup_ending);
    if (wakeup_came) {
        wakeup_came = 0;
        narrate_signal(SIGUSR1, wakeup_from);
    }
}

enum wakeup wakeup_look(struct wakeup_wait *wait)
{
    obey();
    if (wait->verdict != WAKEUP_LOOK)
        return wait->verdict;
    if (!tick_has_passed())
        return WAKEUP_LOOK;

    /* The first tick may come at once; by the second, we have waited a while. The verdict is kept
     * until the next sleep, so that our caller looks once more: what the peer did before it died
     * counts. */
    wait->ticks++;
    if (is_held(wait))
        wait->ticks = 2; /* held on purpose: its time starts when it goes on */
    if (wait->peer && wait->ticks >= 2 && wakeup_gone(wait->peer, wait->shmid))
        wait->verdict = WAKEUP_GONE;
    else if (wait->timeout > 0 && wait->ticks > in_ticks(wait->timeout))
        wait->verdict = WAKEUP_LATE;
    return WAKEUP_LOOK;
}

enum wakeup wakeup_sleep(struct wakeup_wait *wait)
{
    if (wait->verdict != WAKEUP_LOOK)
        return wait->verdict;
    alarmed = 0;
    sys_sigsuspend(&all_let_in);
    if (alarmed)
        return wakeup_look(wait);
    obey(); /* whoever was rung need not ask what time it is */
    return WAKEUP_LOOK;
}

enum wakeup wakeup_sleep_on(struct wakeup_wait *wait, int fd, bool writing, bool *ready)
{
    *ready = false;
    if (wait->verdict != WAKEUP_LOOK)
        return wait->verdict;
    fd_set set;
    FD_ZERO(&set);
    FD_SET((size_t)fd, &set);
    int count =
        pselect(fd + 1, writing ? NULL : &set, writing ? &set : NULL, NULL, NULL, &all_let_in);
    if (count == -1 && errno != EINTR)
        err(1, "pselect on descriptor %d", fd);
    *ready = count == 1;
    return wakeup_look(wait);
}

void wakeup_let_in(sigset_t *ours)
{
    if (sigprocmask(SIG_SETMASK, &all_let_in, ours) == -1)
        err(1, "sigprocmask(SIG_SETMASK, [])");
}

void wakeup_keep_out(const sigset_t *ours)
{
    int error = errno;
    if (sigprocmask(SIG_SETMASK, ours, NULL) == -1)
        err(1, "sigprocmask(SIG_SETMASK) back");
    errno = error;
}

ssize_t wakeup_read(int fd, void *bytes, size_t size)
{
    sigset_t ours;
    wakeup_let_in(&ours);
    ssize_t got = sys_read(fd, bytes, size);
    wakeup_keep_out(&ours);
    return got;
}

ssize_t wakeup_write(int fd, const void *bytes, size_t size)
{
    sigset_t ours;
    wakeup_let_in(&ours);
    ssize_t written = sys_write(fd, bytes, size);
    wakeup_keep_out(&ours);
    return written;
}
