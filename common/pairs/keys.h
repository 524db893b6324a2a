/* keys.h - what each side makes of the same files, and of others. */
#ifndef PAIRS_KEYS_H
#define PAIRS_KEYS_H

#include "../meet.h"

#define KEYS_LESSON SEGMENT_LESSON('k', 'e', 'y', 's')

enum { KEYS_PATH = 512, KEYS_TEXT = 64 };

enum {
    KEYS_SAME_FILE = 1, /* the talker has made our key, and then in turn: */
    KEYS_NO_FILE,       /* the listener has created with -1, */
    KEYS_ACCIDENT,      /* the talker has met us there; */
    KEYS_FILE,          /* created by a file, */
    KEYS_FOUND,         /* found it; */
    KEYS_RECREATED,     /* replaced the file, */
    KEYS_TWINS,         /* lost it, and found two files with the same key; */
    KEYS_STRANGER,      /* created by one of them, */
    KEYS_REFUSED,       /* found it by the other; */
    KEYS_PRIVATE,       /* created privately, */
    KEYS_DONE,          /* as well */
};

struct keys {
    struct meet_head meet;
    _Atomic int key;      /* the talker's, of the same file */
    _Atomic int shmid;    /* what the listener has created, for the talker to find; -1: nothing */
    _Atomic int project;  /* ... and with which project of a file */
    char file[KEYS_PATH]; /* the listener's own: there, missing, or replaced */
    char twins[2][KEYS_PATH]; /* the talker's; empty: there are none */
};

#endif
