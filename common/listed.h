/* listed.h - the segments that the kernel lists for every user, also those that IPC_STAT denies us.
 *
 * The list is /proc/sysvipc/shm (proc(5)). Where it cannot be read, nothing is found.
 */
#ifndef LISTED_H
#define LISTED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

/* One segment, as the list describes it. */
struct listed {
    key_t key; /* 0: private, or marked for destruction */
    int shmid;
    unsigned long size;
    pid_t creator;
    uid_t owner;
};

/* Opens the list for listed_next. NULL: it cannot be read. The caller closes it. */
FILE *listed_open(void);

/* Reads the next segment. Returns false at the end of the list. */
bool listed_next(FILE *list, struct listed *segment);

/* Finds `shmid` in the list. */
bool listed_find(int shmid, struct listed *segment);

/* Stores the directory that a process works in. Returns false where that is not known. */
bool listed_directory(pid_t pid, char *directory, size_t size);

/* Appends: its owner is "alice", uid 1001. Without a name in /etc/passwd: its owner is uid 1001. */
void listed_append_owner(char *text, size_t size, uid_t uid);

#endif
