/* segment.h - a segment's life: key, create, classify, attach, detach, remove, remove at exit.
 *
 * What already has our key may belong to someone else. It is classified by its id, and only a stale
 * segment of ours is removed, by that same id: the key may lead to another segment by then.
 */
#ifndef SEGMENT_H
#define SEGMENT_H

#include "calls.h"
#include "layout/head.h"
#include "options.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum segment_state {
    SEGMENT_GONE,     /* no segment: never created, removed, or marked for destruction */
    SEGMENT_UNBORN,   /* ours; its creator is alive and has not stored the magic yet */
    SEGMENT_LIVE,     /* ours; its creator is alive */
    SEGMENT_ORPHANED, /* ours; its creator is dead, but another process has it attached */
    SEGMENT_STALE,    /* ours; its creator is dead and no process has it attached: may be removed */
    SEGMENT_ELSEWHERE, /* ours; created in another PID namespace, and it may be in use there */
    SEGMENT_FOREIGN,   /* another magic, owner or size: never touched */
};

/* A segment as we know it. */
struct segment {
    key_t key;
    int shmid;                 /* -1: none */
    size_t size;               /* shm_segsz: what the kernel says, not what the segment says */
    pid_t creator;             /* shm_cpid; 0: it has no PID in our PID namespace */
    enum segment_state state;  /* as last classified */
    uint32_t lesson, version;  /* where the magic is ours */
    struct segment_head *head; /* where it is attached; NULL: it is not */
    bool is_anothers;          /* SEGMENT_FOREIGN: another user's */
    char why[128];             /* SEGMENT_FOREIGN: why we think that it is not ours */
};

/* The size to ask the kernel for, so that `bytes` fit: always 4001 more than a multiple of 4096.
 * Before the magic is stored, its size is the only mark that we can leave on a segment. It costs no
 * memory, because the kernel rounds up to whole pages. */
size_t segment_size(size_t bytes);

/* ---- the key ---- */

/* Creates the key file (0600) where it is missing. Exits 1 where it cannot. */
void segment_make_file(const char *file);

/* Makes the key from the options' file and project. Exits where it cannot: 1, or 3 where the file
 * is missing, because then no listener can be there. */
key_t segment_key(const struct options *options);

/* ---- what is there ---- */

/* Finds what has the key and classifies it. Returns segment->state. */
enum segment_state segment_find(struct segment *segment, key_t key);

/* Classifies segment->shmid: IPC_STAT first, so that shm_nattch does not count us. */
enum segment_state segment_classify(struct segment *segment);

/* The PID of the listener that created `shmid` for this lesson (shm_cpid). Exits where the segment
 * is not a live one of this lesson, version and size: 3, 1 or 4. */
pid_t segment_listener(int shmid, uint32_t lesson, uint32_t version, size_t bytes);

/* Unless the live segment is of this lesson, version and size, exits 1 with a line that says why.
 */
void segment_expect(const struct segment *segment, uint32_t lesson, uint32_t version, size_t bytes);

/* Exits with a line that says what has the key and what to do: 4 where it is in use (3 for a talker
 * that cannot use it), 1 where it is foreign or a call has failed (errno). */
_Noreturn void segment_refuse(const struct segment *segment);

/* Exits 3 with a line that says where a listener was looked for (key file "shmfile" in /home/alice,
 * project 1), which other listeners this user has, and what to start: `start`, as printf takes it.
 */
_Noreturn void segment_no_listener(const struct options *options, const char *start, ...)
    __attribute__((format(printf, 2, 3)));

/* The same for a program that has waited for one, until its --timeout was over. */
_Noreturn void segment_no_listener_in_time(const struct options *options);

/* ---- create, attach, detach, remove ---- */

/* Removes a stale segment of ours that has `key`, and says so. Exits as segment_refuse does where
 * anything else has the key. */
void segment_clear(key_t key);

/* Creates the segment for `key`, attaches it, and has it removed at exit. Its magic is still 0. A
 * stale one is removed first. `flags` go to shmget(2), the mode among them; `bytes` must fit. Exits
 * as segment_refuse does where it cannot. */
void segment_create(struct segment *segment, key_t key, size_t bytes, int flags, uint32_t lesson,
                    uint32_t version);

/* Stores the magic: from now on the segment can be used. */
void segment_publish(struct segment *segment);

/* Creates a private segment (IPC_PRIVATE, 0600), and has it removed at exit. Returns its id; exits
 * 1 where it cannot. */
int segment_private(size_t bytes);

/* Attaches it for reading and writing, at an address that the kernel chooses. Returns 0, or -1 with
 * errno (EINVAL, EIDRM: it was removed meanwhile; shmat(2)). */
int segment_attach(struct segment *segment);

void segment_detach(struct segment *segment);

/* Removes it by id. Returns 0, also where it was gone already, or -1 with errno. */
int segment_remove(struct segment *segment);

/* Whether errno says that there is no such segment (any more). */
bool segment_is_gone(void);

/* ---- survivors, and exit ---- */

/* Whether a segment stays there when no process has it attached. It does not where
 * kernel.shm_rmid_forced is 1 (proc(5)). Where that cannot be read: true. */
bool segment_outlives_processes(void);

/* What a survivor does: detaches. Then, if the creator is dead and no other process has the segment
 * attached, removes it. Returns whether the creator died without removing it. */
bool segment_survive(struct segment *segment);

/* The same for a process that has detached already. */
bool segment_remove_if_left(int shmid, pid_t creator);

/* Has it removed at exit(3), to which a signal that asks us to end leads as well. A sys_shmctl with
 * IPC_RMID takes it off the list again. */
void segment_remove_at_exit(int shmid);

/* Takes it off the list: another process is to remove it. */
void segment_forget(int shmid);

#endif
