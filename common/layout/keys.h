/* keys.h - what each side makes of the same files: a key, and the segment behind it. */
#ifndef LAYOUT_KEYS_H
#define LAYOUT_KEYS_H

#include "head.h"

#define KEYS_LESSON SEGMENT_LESSON('k', 'e', 'y', 's')

enum { KEYS_PATH = 512 };

enum {
    KEYS_MET,
    KEYS_SAME_FILE, /* the talker has made the listener's key */
    KEYS_NO_FILE,   /* the listener has created a segment with the key -1 */
    KEYS_ACCIDENT,  /* the talker has found it with another -1 */
    KEYS_FILE,      /* the listener has created a segment with the key of a file */
    KEYS_FOUND,     /* the talker has found it by the file's name */
    KEYS_RECREATED, /* the listener has replaced the file */
    KEYS_LOST,      /* the talker has not found it by the same name */
};
#define KEYS_VALUES                                                                                \
    "step: KEYS_MET KEYS_SAME_FILE KEYS_NO_FILE KEYS_ACCIDENT KEYS_FILE KEYS_FOUND "               \
    "KEYS_RECREATED KEYS_LOST"

struct keys {
    struct session_head session;
    _Atomic int key;      /* the talker's, of the same file */
    _Atomic int shmid;    /* what the listener has created, for the talker to find; -1: nothing */
    _Atomic int project;  /* ... and with which project of a file */
    char file[KEYS_PATH]; /* the listener's own file: missing, there, or replaced */
};

#endif
