/* segment.h - one segment's life: key, create, classify, attach, detach, remove, remove at exit.
 *
 * Nothing is believed of a segment that is already there. It is classified by its id, and only what
 * is ours and stale is removed, by that same id: the key may belong to another segment meanwhile.
 */
#ifndef SEGMENT_H
#define SEGMENT_H

#include "narrate.h"
#include "sys.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* "shmt": comes first in every segment of ours, and is stored last. 0 means: still being born. */
#define SEGMENT_MAGIC 0x73686d74u

/* Which pair a segment belongs to, told as four letters: SEGMENT_LESSON('p', 'a', 'i', 'r'). */
#define SEGMENT_LESSON(a, b, c, d)                                                                 \
    ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

/* The two sides, as an index. */
enum { SEGMENT_TALKER, SEGMENT_LISTENER };

/* Which of them we are. */
int segment_side(void);

/* What every pair's struct begins with. */
struct segment_head {
    _Atomic uint32_t magic;
    uint32_t lesson;
    uint32_t version;
    _Atomic int stopped[2]; /* by side: the PID of who stands still on purpose, or 0 */
};

/* What has a key, or an id. */
enum segment_state {
    SEGMENT_GONE,     /* nothing: never there, removed, or marked for destruction */
    SEGMENT_UNBORN,   /* ours, its creator alive and about to store the magic */
    SEGMENT_LIVE,     /* ours, and its creator alive */
    SEGMENT_ORPHANED, /* ours, its creator dead, but somebody still has it attached */
    SEGMENT_STALE,    /* ours, nobody attached, creator dead: may be removed */
    SEGMENT_FOREIGN,  /* another's magic, owner or size: it is not touched */
};

/* A segment as we know it. */
struct segment {
    key_t key;
    int shmid;                 /* -1: none */
    size_t size;               /* what the kernel says (shm_segsz), not what the segment says */
    pid_t creator;             /* shm_cpid */
    enum segment_state state;  /* as last classified */
    uint32_t lesson, version;  /* where the magic is ours */
    struct segment_head *head; /* where it is attached; NULL: it is not */
    char why[128];             /* SEGMENT_FOREIGN: what told it from one of ours */
};

/* The size to ask the kernel for so that `bytes` fit. Between shmget and the magic a segment
 * carries nothing of ours but its size; so all of ours have sizes that leave the same remainder,
 * and a creator that is killed in between leaves something that can be told from a stranger's. It
 * costs no memory: the kernel rounds up to pages anyway. */
size_t segment_size(size_t bytes);

/* ftok, with the key file created (0600) where `create` is set and it is missing.
 * Returns the key, or -1 with errno (ENOENT: no such file, open(2), ftok(3)). */
key_t segment_key(const char *file, int project, bool create);

/* Creates the segment for `key`, attaches it, and has it removed at exit; its magic is still 0.
 * A stale one in the way is removed first, and stderr says so. One that its talkers are about to
 * leave is waited for, so the tick must run by then (wakeup_guard). `mode` is such as 0600; `bytes`
 * is what must fit. Returns 0, or -1: segment->state tells what is in the way; where it is
 * SEGMENT_GONE or SEGMENT_STALE nothing is, and a call failed with errno. */
int segment_create(struct segment *segment, key_t key, size_t bytes, int mode, uint32_t lesson,
                   uint32_t version);

/* Clears the way to `key`: removes what is ours and stale, and says so. Where anything else is
 * there, the program ends as in segment_refuse. */
void segment_clear(key_t key);

/* Stores the magic: from now on the segment can be used. */
void segment_publish(struct segment *segment);

/* Finds what has the key and classifies it. Returns segment->state. */
enum segment_state segment_find(struct segment *segment, key_t key);

/* Classifies segment->shmid: IPC_STAT first, so that shm_nattch does not count us. */
enum segment_state segment_classify(struct segment *segment);

/* Attaches it for reading and writing, at an address of the kernel's choice. Returns 0, or -1 with
 * errno (EINVAL, EIDRM: it was removed meanwhile, shmat(2)). */
int segment_attach(struct segment *segment);

/* Detaches it. */
void segment_detach(struct segment *segment);

/* Removes it by id. Returns 0, or -1 with errno. */
int segment_remove(struct segment *segment);

/* What a survivor does: detaches and, where the creator is dead and nobody else is attached,
 * removes the segment. Returns whether the creator had died without removing it. */
bool segment_survive(struct segment *segment);

/* Has it removed at exit(3), which a signal that asks us to end leads to as well. */
void segment_remove_at_exit(int shmid);

/* To be called when a shmctl of the lesson's own has removed it: nothing is left to do at exit. */
void segment_forget(int shmid);

/* For a talker: unless the segment, which is live, is of this lesson and version and has room for
 * `bytes`, ends the program with 1 and a line that says which it is not. */
void segment_expect(const struct segment *segment, uint32_t lesson, uint32_t version, size_t bytes);

/* Ends the program with one line that names what has the key, and what to do: 4 where it is in use,
 * 1 where it is a stranger's. */
_Noreturn void segment_refuse(const struct segment *segment);

#ifndef IN_COMMON
#define segment_key(file, project, create) AT_LESSON(segment_key(file, project, create))
#define segment_create(segment, key, bytes, mode, lesson, version)                                 \
    AT_LESSON(segment_create(segment, key, bytes, mode, lesson, version))
#define segment_clear(key)         AT_LESSON(segment_clear(key))
#define segment_publish(segment)   AT_LESSON(segment_publish(segment))
#define segment_find(segment, key) AT_LESSON(segment_find(segment, key))
#define segment_classify(segment)  AT_LESSON(segment_classify(segment))
#define segment_attach(segment)    AT_LESSON(segment_attach(segment))
#define segment_detach(segment)    AT_LESSON(segment_detach(segment))
#define segment_survive(segment)   AT_LESSON(segment_survive(segment))
#define segment_remove(segment)    AT_LESSON(segment_remove(segment))
#endif

#endif
