/* peer.c - is that process alive, and has it attached our segment? See peer.h. */
#include "peer.h"
#include "calls.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- /proc ---- */

#if defined(__linux__)

bool peer_proc_is_ours(void)
{
    static int known = -1;
    if (known == -1) {
        char self[32] = "";
        ssize_t length = readlink("/proc/self", self, sizeof self - 1);
        known = length <= 0 || strtol(self, NULL, 10) == getpid();
    }
    return known;
}

static FILE *open_proc(pid_t pid, const char *name)
{
    char path[48];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    return peer_proc_is_ours() ? fopen(path, "re") : NULL;
}

/* The letter that proc(5) gives for a process's state; '?' where it cannot be read. */
static char state_of(pid_t pid)
{
    char state = '?', line[512];
    FILE *stat = open_proc(pid, "stat");
    if (stat && fgets(line, sizeof line, stat)) {
        const char *name_end = strrchr(line, ')'); /* the name may hold any other character */
        if (name_end)
            sscanf(name_end, ") %c", &state);
    }
    if (stat)
        fclose(stat);
    return state;
}

/* This is not a call of the lesson and is not narrated: the timer may look without a word. */
enum peer_maps peer_maps(pid_t pid, const char *path, unsigned long inode)
{
    char line[512];
    FILE *maps = open_proc(pid, "maps");
    if (!maps)
        return PEER_MAPS_UNREADABLE; /* dead, another user's, protected, or no /proc here */
    enum peer_maps found = PEER_MAPS_NOTHING;
    while (found != PEER_MAPS_IT && fgets(line, sizeof line, maps)) {
        found = PEER_MAPS_NOT;
        unsigned long listed;
        char name[64];
        if (sscanf(line, "%*s %*s %*s %*s %lu %63s", &listed, name) == 2 && listed == inode &&
            strncmp(name, path, strlen(path)) == 0)
            found = PEER_MAPS_IT;
    }
    if (ferror(maps))
        found = PEER_MAPS_UNREADABLE;
    fclose(maps);
    return found;
}

#else

bool peer_proc_is_ours(void)
{
    return true;
}

static char state_of(pid_t pid)
{
    (void)pid;
    return '?';
}

enum peer_maps peer_maps(pid_t pid, const char *path, unsigned long inode)
{
    (void)pid, (void)path, (void)inode;
    return PEER_MAPS_UNREADABLE;
}

#endif

/* A segment's mapping is named /SYSV and its key, and its inode number is the shmid. */
static enum peer_maps maps_segment(pid_t pid, int shmid)
{
    return peer_maps(pid, "/SYSV", (unsigned long)shmid);
}

/* ---- what follows from it ---- */

/* A zombie has died; kill(2) still finds it until its parent has waited for it. */
static bool is_zombie(pid_t pid)
{
    char state = state_of(pid);
    return state == 'Z' || state == 'X';
}

bool peer_is_stopped(pid_t pid)
{
    return state_of(pid) == 'T';
}

bool peer_may_be_stopped(pid_t pid)
{
    char state = state_of(pid);
    bool is_there = kill(pid, 0) == 0 || errno == EPERM;
    return state == 'T' || state == 't' || (state == '?' && is_there);
}

bool peer_is_alive(pid_t pid)
{
    return pid > 0 && (sys_kill(pid, 0) == 0 || errno == EPERM) && !is_zombie(pid);
}

bool peer_is_detached(pid_t pid, int shmid)
{
    enum peer_maps attached = maps_segment(pid, shmid);
    return attached == PEER_MAPS_NOT || attached == PEER_MAPS_NOTHING;
}

/* The cheap look comes first: if it finds the peer attached, that is all. Otherwise the kernel says
 * whether the process is gone, or has detached: a shm_nattch of 1 is our own attachment. */
bool peer_is_gone(pid_t peer, int shmid)
{
    enum peer_maps attached = maps_segment(peer, shmid);
    if (attached == PEER_MAPS_IT)
        return false;
    if (!peer_is_alive(peer))
        return true;
    struct shmid_ds about;
    if (sys_shmctl(shmid, IPC_STAT, &about) == -1)
        return errno == EINVAL || errno == EIDRM;
    return about.shm_nattch <= 1 || attached == PEER_MAPS_NOT;
}

/* kill(2) also succeeds for root, whatever the user. Without /proc there is no more to ask. */
bool peer_is_of_this_user(pid_t pid)
{
    char path[32];
    struct stat owner;
    snprintf(path, sizeof path, "/proc/%d", (int)pid);
    if (access("/proc/self", F_OK) == -1)
        return true;
    return stat(path, &owner) == 0 && owner.st_uid == geteuid();
}

/* Where the maps cannot be read, the kernel still names the creator and the last that attached. */
static enum peer_claim ask_who_attached(pid_t pid, int shmid)
{
    struct shmid_ds about;
    if (sys_shmctl(shmid, IPC_STAT, &about) == -1)
        return PEER_UNKNOWN;
    return pid == about.shm_cpid || pid == about.shm_lpid ? PEER_CONFIRMED : PEER_UNKNOWN;
}

enum peer_claim peer_claim(pid_t pid, int shmid)
{
    if (pid <= 0 || pid == getpid())
        return PEER_DENIED;
    if (sys_kill(pid, 0) == -1)
        return errno == ESRCH ? PEER_DENIED : PEER_UNKNOWN;
    switch (maps_segment(pid, shmid)) {
    case PEER_MAPS_IT:
        return peer_is_of_this_user(pid) ? PEER_CONFIRMED : PEER_UNKNOWN;
    case PEER_MAPS_NOT:
    case PEER_MAPS_NOTHING:
        return PEER_DENIED;
    case PEER_MAPS_UNREADABLE:
        break;
    }
    return ask_who_attached(pid, shmid);
}

bool peer_has_attached(pid_t pid, int shmid)
{
    return peer_claim(pid, shmid) == PEER_CONFIRMED;
}

int peer_signal(pid_t pid)
{
    if (pid <= 0) {
        errno = EINVAL;
        return -1;
    }
    return sys_kill(pid, SIGUSR1);
}
