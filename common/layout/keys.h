/* keys.h - what each side makes of the same files, and of others. */
#ifndef LAYOUT_KEYS_H
#define LAYOUT_KEYS_H

#include "head.h"

#define KEYS_LESSON SEGMENT_LESSON('k', 'e', 'y', 's')

enum { KEYS_PATH = 512, KEYS_TEXT = 64 };

enum {
    KEYS_SAME_FILE = 1, /* the talker has made the listener's key */
    KEYS_NO_FILE,       /* the listener has created with -1 */
    KEYS_ACCIDENT,      /* the talker has found that with another -1 */
    KEYS_FILE,          /* the listener has created by a file */
    KEYS_FOUND,         /* the talker has found that by the file */
    KEYS_RECREATED,     /* the listener has replaced the file */
    KEYS_TWINS,         /* the talker has lost it, and has found two files with the same key */
    KEYS_STRANGER,      /* the listener has created by the one, as a stranger would */
    KEYS_REFUSED,       /* the talker has found a stranger by the other */
    KEYS_PRIVATE,       /* the listener has created privately */
    KEYS_DONE,          /* the talker has as well */
};

struct keys {
    struct session_head session;
    _Atomic int key;      /* the talker's, of the same file */
    _Atomic int shmid;    /* what the listener has created, for the talker to find; -1: nothing */
    _Atomic int project;  /* ... and with which project of a file */
    char file[KEYS_PATH]; /* the listener's own: there, missing, or replaced */
    char twins[2][KEYS_PATH]; /* the talker's; empty: there are none */
};

#endif
