/* head.h - what every segment of ours begins with. */
#ifndef LAYOUT_HEAD_H
#define LAYOUT_HEAD_H

#include <limits.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdint.h>

/* An atomic that takes a lock works only between the threads of one process: the lock is not in the
 * segment. So all atomics in a segment must be lock-free (C11, 7.17.5). */
_Static_assert(ATOMIC_INT_LOCK_FREE == 2 && ATOMIC_LONG_LOCK_FREE == 2 &&
                   ATOMIC_LLONG_LOCK_FREE == 2,
               "shmtalk needs atomics of 32 and 64 bits without a lock, and this processor has not "
               "both: build for another one (on a 32-bit PC: -march=i586 or later)");

/* The 64-bit words of a segment are declared alignas(8). Without it some 32-bit compilers align
 * them to 4 (gcc before 11.1 for i386), and then the two sides have different layouts. */

/* "shmt": the first word of a segment, and stored last. 0: the segment is not ready yet. */
#define SEGMENT_MAGIC         0x73686d74u
#define SEGMENT_MAGIC_SWAPPED 0x746d6873u /* the same bytes to a processor with the other order */

/* Which lesson a segment belongs to, as four letters: SEGMENT_LESSON('p', 'a', 'i', 'r'). */
#define SEGMENT_LESSON(a, b, c, d)                                                                 \
    ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

/* The two sides, as an index. */
enum { SIDE_TALKER, SIDE_LISTENER };

struct segment_head {
    _Atomic uint32_t magic;
    uint32_t lesson;
    uint32_t version;
    _Atomic int stopped[2]; /* by side: its PID while --step or --hold stops it, else 0 */
};

/* The segments of most lessons go on with these two words (session.h). `step` says how far the
 * lesson has come: each lesson names its steps. One side alone takes the lesson to a step. */
struct session_head {
    struct segment_head head;
    _Atomic int talker; /* the talker's PID; 0: it has not come yet */
    _Atomic int step;   /* 0 when the two sides meet */
};

enum { SESSION_VERSION = 1, SESSION_SKIPPED = -1 }; /* SKIPPED: not possible on this machine */

#endif
