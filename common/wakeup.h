/* wakeup.h - SIGUSR1 and sigsuspend: block, send, wait with a deadline, and notice a peer's death.
 *
 * The rule: truth lives in memory, a signal only says "look". Whoever waits loops,
 *
 *     struct wakeup_wait wait = {.peer = listener, .shmid = shmid, .timeout = options.timeout};
 *     while (observe(&pair->turn) != me)
 *         if (wakeup_sleep(&wait) != WAKEUP_LOOK)
 *             ... the peer is gone, or the time ran out ...
 *
 * and a stray, spurious or coalesced signal changes nothing. All signals that are ours (SIGUSR1,
 * the tick, and those that ask us to end) are blocked everywhere but inside such a sleep: none can
 * come between the check and the wait.
 */
#ifndef WAKEUP_H
#define WAKEUP_H

#include "narrate.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

/* What the handlers store, and all that they store. */
extern volatile sig_atomic_t wakeup_came;   /* SIGUSR1 was taken */
extern volatile sig_atomic_t wakeup_from;   /* by whom it was sent, as the kernel says */
extern volatile sig_atomic_t wakeup_ticks;  /* how often the tick was taken */
extern volatile sig_atomic_t wakeup_ending; /* SIGINT, SIGTERM, SIGHUP or SIGPIPE; 0: none */

/* The tick, in milliseconds: how often a sleeper looks after its peer and its deadline. */
enum { WAKEUP_TICK = 50 };

/* Why a sleep is over. */
enum wakeup {
    WAKEUP_LOOK, /* something may have changed: look into the segment */
    WAKEUP_GONE, /* the peer has died or detached, and did not do first what we wait for */
    WAKEUP_LATE, /* no progress for as long as the timeout allows */
};

/* One wait: for whom, and how long. A new wait is progress: it starts with its whole time. */
struct wakeup_wait {
    pid_t peer;                 /* whose death ends it; 0: nobody's */
    int shmid;                  /* the segment that the peer has attached */
    const _Atomic int *stopped; /* holds the peer's PID while it is held on purpose; or NULL */
    double timeout;             /* seconds until it is late; 0: never */
    long ticks;                 /* lived through so far; 0 begins the wait anew */
    enum wakeup verdict;        /* leave it 0, WAKEUP_LOOK */
};

/* Blocks SIGUSR1 and installs its handler, and everything that wakeup_guard does. To be called
 * before anyone can know our PID: the default action of SIGUSR1 is death. Exits 1 where it cannot.
 */
void wakeup_block(void);

/* SIGINT, SIGTERM, SIGHUP and SIGPIPE now end any wait, the program's cleanup runs (atexit), and it
 * dies of that same signal; and the tick is started. Exits 1 where it cannot. */
void wakeup_guard(void);

/* The handler for SIGUSR1 (SA_SIGINFO): stores wakeup_came and wakeup_from. */
void wakeup_take(int signo, siginfo_t *info, void *context);

/* Sleeps in sigsuspend until there may be something to see. Does not return where a signal asked
 * the program to end. Time is counted in ticks that were lived through: while the program is
 * stopped, its timeout does not run. */
enum wakeup wakeup_sleep(struct wakeup_wait *wait);

/* To be called after a sigsuspend of the lesson's own (wakeup_sleep does the two together), and
 * after any other call that a signal has interrupted. */
enum wakeup wakeup_look(struct wakeup_wait *wait);

/* As wakeup_sleep, but over as well when `fd` can be read (`writing`: written) without blocking;
 * *ready tells. */
enum wakeup wakeup_sleep_on(struct wakeup_wait *wait, int fd, bool writing, bool *ready);

/* For a call that sleeps elsewhere than in sigsuspend: lets all signals in, and keeps them out
 * again (errno stays). A signal that comes just before the call does not interrupt it, but the next
 * tick does: the signal is noticed 50 ms late at most. */
void wakeup_let_in(sigset_t *ours);
void wakeup_keep_out(const sigset_t *ours);

/* read(2) and write(2), with all signals let in while they block: so the program can be ended even
 * if nobody writes to the pipe, or reads from it. They return what those return; after EINTR call
 * wakeup_look, and then try once more. */
ssize_t wakeup_read(int fd, void *bytes, size_t size);
ssize_t wakeup_write(int fd, const void *bytes, size_t size);

/* Sends SIGUSR1. Returns 0, or -1 with errno (ESRCH: the peer is gone). A PID that is not positive
 * is refused with EINVAL: to kill(2), 0 is our process group and -1 everybody. */
int wakeup_send(pid_t pid);

/* What /proc/PID/maps says: whether `pid` maps something with this inode number and a path that
 * begins with `path`. A process that maps nothing at all is dying or dead; that does not tell
 * whether the kernel has taken its memory apart yet. */
enum wakeup_maps { WAKEUP_MAPS_NOT, WAKEUP_MAPS_IT, WAKEUP_MAPS_NOTHING, WAKEUP_CANNOT_SAY };
enum wakeup_maps wakeup_maps(pid_t pid, const char *path, unsigned long inode);

/* Whether the kernel confirms that `pid` is another process of this user that has attached `shmid`:
 * a PID that we read in the segment is only a claim. (kill(2), /proc/PID/maps in proc(5); where
 * there is no /proc: the creator, or the last that attached, shmctl(2).) */
bool wakeup_confirm(pid_t pid, int shmid);

/* Whether a process is alive, be it ours to signal or not (EPERM means alive). A zombie is not,
 * where the system tells (proc(5)). */
bool wakeup_alive(pid_t pid);

/* Whether our peer has died, or has detached `shmid`. */
bool wakeup_gone(pid_t peer, int shmid);

/* Whether the kernel says that `pid` has not attached `shmid`. Only Linux does (proc(5));
 * elsewhere, and of another user's process, it cannot be said: false. */
bool wakeup_is_detached(pid_t pid, int shmid);

/* Ends as a signal wants it: runs the cleanup (exit(3)), then dies of `signo`. */
_Noreturn void wakeup_die(int signo);

/* Obeys a signal that asked us to end, even one that is still pending. To be called at the end of
 * main, and now and then in whatever runs for long without a sleep. */
void wakeup_end(void);

#ifndef IN_COMMON
#define wakeup_block()                AT_LESSON(wakeup_block())
#define wakeup_guard()                AT_LESSON(wakeup_guard())
#define wakeup_sleep(wait)            AT_LESSON(wakeup_sleep(wait))
#define wakeup_look(wait)             AT_LESSON(wakeup_look(wait))
#define wakeup_read(fd, bytes, size)  AT_LESSON(wakeup_read(fd, bytes, size))
#define wakeup_write(fd, bytes, size) AT_LESSON(wakeup_write(fd, bytes, size))
#define wakeup_send(pid)              AT_LESSON(wakeup_send(pid))
#define wakeup_confirm(pid, shmid)    AT_LESSON(wakeup_confirm(pid, shmid))
#define wakeup_alive(pid)             AT_LESSON(wakeup_alive(pid))
#endif

#endif
