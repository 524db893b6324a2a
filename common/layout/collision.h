/* collision.h - two files that have the same key, and the segment that one of them leads to. */
#ifndef LAYOUT_COLLISION_H
#define LAYOUT_COLLISION_H

#include "head.h"

#define COLLISION_LESSON SEGMENT_LESSON('c', 'o', 'l', 'l')

enum { COLLISION_PATH = 512, COLLISION_TEXT = 64 };

enum {
    COLLISION_MET,
    COLLISION_TWINS,    /* the talker has found two files with the same key */
    COLLISION_STRANGER, /* the listener has created a segment with the key of the first */
    COLLISION_REFUSED,  /* the talker has found it with the key of the second */
};
#define COLLISION_VALUES                                                                           \
    "step: COLLISION_MET COLLISION_TWINS COLLISION_STRANGER COLLISION_REFUSED SESSION_SKIPPED=-1"

struct collision {
    struct session_head session;
    _Atomic int shmid;   /* the stranger's segment */
    _Atomic int project; /* ... and with which project of the first file */
    char first[COLLISION_PATH];
};

#endif
