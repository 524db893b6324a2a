/* posix_shm.h - one POSIX shared memory object: name, classify, clear, remove at exit, who has it.
 *
 * What segment.h and peer.h do for a segment, with what POSIX has instead. An object is found by
 * its name, and removed by its name; the kernel knows its owner and its size, but neither who
 * created it (shm_cpid) nor how many have it (shm_nattch). So its creator says who it is, and that
 * is a claim; and who has it mapped is looked up in /proc/PID/maps, where there is such a thing.
 */
#ifndef POSIX_SHM_H
#define POSIX_SHM_H

#include "layout/posix.h"
#include "segment.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { POSIX_SHM_NAME = 32 };

/* An object as we know it. Set name and fd; the rest is found out. */
struct posix_shm {
    char name[POSIX_SHM_NAME];
    int fd;
    size_t size;              /* what the kernel says */
    ino_t inode;              /* what tells it from a later one of the same name */
    pid_t creator;            /* as it says */
    enum segment_state state; /* never SEGMENT_ORPHANED: nobody counts who has it */
    uint32_t lesson;
    char why[128]; /* SEGMENT_FOREIGN: what told it from one of ours */
};

/* The name for `key`: whoever can make the key can make the name. "/shmtalk-01002052" */
void posix_shm_name(char name[POSIX_SHM_NAME], key_t key);

/* Classifies what object->fd refers to, once it has room for `bytes`. */
enum segment_state posix_shm_classify(struct posix_shm *object, size_t bytes);

/* Clears the way to `name`: removes what is ours and stale, and says so. Where anything else is
 * there, the program ends as in posix_shm_refuse. The tick must run by then . */
void posix_shm_clear(const char *name, size_t bytes);

/* Removes a stale one, opened for writing, if its name still leads to it. Returns 0, or -1 with
 * errno (ENOENT: it does not; EBUSY: somebody else is removing it; shm_unlink(3)). */
int posix_shm_remove(const struct posix_shm *object);

/* What a survivor does: where the creator is dead, removes the object. It is to be unmapped before.
 */
void posix_shm_survive(const struct posix_shm *object);

/* Has a new object removed at exit, however that comes about, if the name still leads to it. */
void posix_shm_remove_at_exit(struct posix_shm *object);

/* To be called when a shm_unlink of the lesson's own has removed it: exit has no more to do. */
void posix_shm_forget(void);

/* Whether the kernel confirms that `pid` is another process of this user that has it mapped; where
 * there is no /proc, that it is another process which we may signal. */
bool posix_shm_has_mapped(const struct posix_shm *object, pid_t pid);

/* Whether our peer has died, or no longer has it mapped. Where there is no /proc, a dead process
 * counts as alive until its parent has asked for its status. */
bool posix_shm_is_gone(const struct posix_shm *object, pid_t peer);

/* Ends the program with one line that names what has the name, and what to do. */
_Noreturn void posix_shm_refuse(const struct posix_shm *object);

#endif
