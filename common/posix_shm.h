/* posix_shm.h - one POSIX shared memory object: name, owner, classify, remove, remove at exit.
 *
 * segment.h and peer.h do the same for a segment. An object is found and removed by its name. The
 * kernel knows its user and its size, but counts neither who created it (shm_cpid) nor how many
 * processes have it (shm_nattch). So a listener that owns an object locks it (fcntl(2), F_SETLK).
 * The kernel says who holds the lock, and releases it when that process dies, in whatever PID
 * namespace it is. An object of ours that is not locked was left behind.
 *
 * A process loses its locks on a file when it closes any descriptor of it (POSIX, fcntl). So the
 * owner keeps its descriptor, and opens the object only once.
 */
#ifndef POSIX_SHM_H
#define POSIX_SHM_H

#include "layout/posix.h"
#include "segment.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { POSIX_SHM_NAME = 32 };

/* An object as we know it. Set name and fd; the rest is found out. */
struct posix_shm {
    char name[POSIX_SHM_NAME];
    int fd;
    size_t size;              /* what the kernel says */
    ino_t inode;              /* differs from that of a later object of the same name */
    bool owned;               /* a living process has it locked, */
    pid_t owner;              /* namely this one; 0: one of another PID namespace */
    enum segment_state state; /* never SEGMENT_ORPHANED: the kernel does not count who has it */
    uint32_t lesson;
    bool is_anothers; /* SEGMENT_FOREIGN: another user's */
    char why[128];    /* SEGMENT_FOREIGN: why we think that it is not ours */
};

/* The name for `key`: "/shmtalk-01002052". Both sides make the same key, and so the same name. */
void posix_shm_name(char name[POSIX_SHM_NAME], key_t key);

/* Removes a stale object of ours that has this name, and says so. Exits as posix_shm_refuse does
 * where anything else has the name. */
void posix_shm_clear(const char *name, size_t bytes);

/* To be called when object->fd was just created: locks it, sets its mode to 0600 whatever the umask
 * is, and has it removed at exit if the name still leads to it. Exits 1 where it cannot. */
void posix_shm_own(struct posix_shm *object);

/* The PID of the listener that owns the object, for a talker. Exits where the object is not a live
 * one of this lesson, with room for `bytes`: 3 or 1. */
pid_t posix_shm_listener(struct posix_shm *object, uint32_t lesson, size_t bytes);

/* Classifies what object->fd refers to, once it has room for `bytes`. */
enum segment_state posix_shm_classify(struct posix_shm *object, size_t bytes);

/* Removes a stale one, opened for writing, if its name still leads to it. Returns 0, or -1 with
 * errno (ENOENT: it does not; EBUSY: another process is removing it; shm_unlink(3)). */
int posix_shm_remove(const struct posix_shm *object);

/* What a survivor does: if the owner is dead, removes the object. */
void posix_shm_survive(const struct posix_shm *object);

/* Whether the kernel confirms that `pid` is another process of this user that has it mapped. Where
 * there is no /proc: that it is another process which we may signal. */
bool posix_shm_has_mapped(const struct posix_shm *object, pid_t pid);

/* Whether our peer has died, or no longer has it mapped. Where there is no /proc, a dead process
 * counts as alive until its parent has asked for its status. `object` is a struct posix_shm:
 * this is for struct wait (wait.h). */
bool posix_shm_is_gone(pid_t peer, const void *object);

/* Exits with a line that says what has the name and what to do: 4 where it is in use, 1 where it is
 * foreign. */
_Noreturn void posix_shm_refuse(const struct posix_shm *object);

#endif
