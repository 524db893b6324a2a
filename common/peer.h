/* peer.h - is that process alive, and has it attached our segment? Only the kernel can say.
 *
 * A PID that stands in a segment is a claim: any process that can write there can write any number.
 */
#ifndef PEER_H
#define PEER_H

#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

/* Whether a process is alive. EPERM from kill(2) means that it is, and that it is another user's. A
 * zombie is dead; where there is no /proc it counts as alive until its parent has waited for it. */
bool peer_is_alive(pid_t pid);

/* What the kernel says about the claim that `pid` is another process of this user that has attached
 * `shmid` (kill(2); /proc/PID/maps in proc(5)). Where the maps cannot be read, the kernel still
 * names two such processes: the creator, and the last that attached (shmctl(2)). */
enum peer_claim {
    PEER_DENIED,    /* it is dead, or has not attached it */
    PEER_CONFIRMED, /* it has attached it */
    PEER_UNKNOWN,   /* the kernel does not say, because its maps cannot be read */
    PEER_FORBIDDEN, /* it is another user's: no process of ours may signal it */
};
enum peer_claim peer_claim(pid_t pid, int shmid);

/* Whether the claim is confirmed. A process that is not confirmed is never signalled. */
bool peer_has_attached(pid_t pid, int shmid);

/* Whether a process belongs to this user (proc(5)). Where there is no /proc: true. */
bool peer_is_of_this_user(pid_t pid);

/* Whether our peer has died, or has detached `shmid`. */
bool peer_is_gone(pid_t peer, int shmid);

/* Whether the kernel says that `pid` has not attached `shmid`. Only Linux can (proc(5)); elsewhere,
 * and for another user's process: false. */
bool peer_is_detached(pid_t pid, int shmid);

/* Whether /proc lists a process that has not ended. No call is narrated for it. */
bool peer_is_listed(pid_t pid);

/* Whether a process is stopped (SIGSTOP, Ctrl-Z), as far as the system says so. */
bool peer_is_stopped(pid_t pid);

/* Whether a process is stopped (SIGSTOP, Ctrl-Z), or is there and cannot be looked at. */
bool peer_may_be_stopped(pid_t pid);

/* Sends SIGUSR1. Returns 0, or -1 with errno (ESRCH: the peer is gone). A PID that is not positive
 * is refused with EINVAL: for kill(2), 0 is our process group and -1 every process. */
int peer_signal(pid_t pid);

/* Whether /proc shows processes by the PIDs by which we know them: false where it is missing, or
 * belongs to another PID namespace than we (pid_namespaces(7)). */
bool peer_proc_is_ours(void);

/* Whether a process runs in another PID namespace than we. It is so for 0, which the kernel gives
 * for a process that has no PID in ours. A process of a namespace inside ours has one, and also a
 * second that only it knows (NSpid in proc(5)); where /proc does not say: false. */
bool peer_is_elsewhere(pid_t pid);

/* The same for the process that attached or detached `shmid` last (shm_lpid). */
bool peer_last_is_elsewhere(int shmid);

/* Whether a process began after the second `when` of the real time was over. Then it got the PID of
 * a process that did something in that second. Where the system does not say: false. */
bool peer_began_after(pid_t pid, time_t when);

/* What /proc/PID/maps says about `pid`: whether it maps something with this inode number and a path
 * that begins with `path`. A process that maps nothing is dead or about to be; the kernel may still
 * count its attachments. */
enum peer_maps { PEER_MAPS_NOT, PEER_MAPS_IT, PEER_MAPS_NOTHING, PEER_MAPS_UNREADABLE };
enum peer_maps peer_maps(pid_t pid, const char *path, unsigned long inode);

#endif
