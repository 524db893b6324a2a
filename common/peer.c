/* peer.c - is that process alive, and has it attached our segment? See peer.h. */
#include "peer.h"
#include "calls.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* ---- /proc ---- */

#if defined(__linux__)

/* A process's PIDs, as its /proc/PID/status gives them: one for the namespace of /proc, and one for
 * each namespace inside that one, down to its own. Returns how many there are; 0 where the file
 * cannot be read. *outermost is the first. An old kernel gives the first alone. */
static int read_pids(const char *status, long *outermost)
{
    char line[512], *at, *end;
    int count = 0;
    FILE *file = fopen(status, "re");
    while (file && fgets(line, sizeof line, file)) {
        if (strncmp(line, "Pid:", 4) != 0 && strncmp(line, "NSpid:", 6) != 0)
            continue;
        at = strchr(line, ':') + 1;
        *outermost = strtol(at, &end, 10);
        for (count = 0; at != end; count++, strtol(at, &end, 10))
            at = end;
    }
    if (file)
        fclose(file);
    return count;
}

bool peer_proc_is_ours(void)
{
    static int known = -1;
    long self;
    if (known == -1)
        known = read_pids("/proc/self/status", &self) == 1 && self == getpid();
    return known;
}

bool peer_is_elsewhere(pid_t pid)
{
    char path[48];
    long number;
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    return pid == 0 || (peer_proc_is_ours() && read_pids(path, &number) > 1);
}

static FILE *open_proc(pid_t pid, const char *name)
{
    char path[48];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    return peer_proc_is_ours() ? fopen(path, "re") : NULL;
}

/* Reads the letter that proc(5) gives for a process's state, and when it began: in clock ticks
 * since the system was started. Returns false where they cannot be read. */
static bool read_stat(pid_t pid, char *state, unsigned long long *began)
{
    char line[512];
    int found = 0;
    FILE *stat = open_proc(pid, "stat");
    if (stat && fgets(line, sizeof line, stat)) {
        const char *name_end = strrchr(line, ')'); /* the name may hold any other character */
        if (name_end)
            found = sscanf(name_end,
                           ") %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
                           "%*s %*s %llu",
                           state, began);
    }
    if (stat)
        fclose(stat);
    return found == 2;
}

/* '?' where it cannot be read. */
static char state_of(pid_t pid)
{
    char state;
    unsigned long long began;
    return read_stat(pid, &state, &began) ? state : '?';
}

/* The kernel's times are as coarse as its clock ticks: hence the tenth of a second. */
bool peer_began_after(pid_t pid, time_t when)
{
#if defined(CLOCK_BOOTTIME)
    char state;
    unsigned long long began;
    struct timespec now, up;
    if (!read_stat(pid, &state, &began) || clock_gettime(CLOCK_BOOTTIME, &up) == -1 ||
        clock_gettime(CLOCK_REALTIME, &now) == -1)
        return false;
    double age =
        (double)up.tv_sec + (double)up.tv_nsec / 1e9 - (double)began / (double)sysconf(_SC_CLK_TCK);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9 - age > (double)when + 1.1;
#else
    (void)pid, (void)when;
    return false;
#endif
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

/* kill(2) also succeeds for root, whatever the user. Without /proc there is no more to ask. */
static enum peer_claim whose(pid_t pid)
{
    char path[32];
    struct stat owner;
    snprintf(path, sizeof path, "/proc/%d", (int)pid);
    if (!peer_proc_is_ours())
        return PEER_CONFIRMED;
    if (stat(path, &owner) == -1)
        return PEER_UNKNOWN;
    return owner.st_uid == geteuid() ? PEER_CONFIRMED : PEER_FORBIDDEN;
}

#else

bool peer_proc_is_ours(void)
{
    return false;
}

static enum peer_claim whose(pid_t pid)
{
    (void)pid;
    return PEER_CONFIRMED;
}

bool peer_is_elsewhere(pid_t pid)
{
    return pid == 0;
}

bool peer_began_after(pid_t pid, time_t when)
{
    (void)pid, (void)when;
    return false;
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

bool peer_is_listed(pid_t pid)
{
    char state = state_of(pid);
    return state != '?' && state != 'Z' && state != 'X';
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

/* What a tick asks where the maps cannot be read. Like the maps, it is not narrated. */
static bool seems_attached(pid_t peer, int shmid)
{
    struct shmid_ds about;
    return (kill(peer, 0) == 0 || errno == EPERM) && !is_zombie(peer) &&
           shmctl(shmid, IPC_STAT, &about) == 0 && about.shm_nattch > 1;
}

/* The cheap look comes first: if it finds the peer attached, that is all. Otherwise the kernel says
 * whether the process is gone, or has detached: a shm_nattch of 1 is our own attachment. */
bool peer_is_gone(pid_t peer, int shmid)
{
    enum peer_maps attached = maps_segment(peer, shmid);
    if (attached == PEER_MAPS_IT ||
        (attached == PEER_MAPS_UNREADABLE && seems_attached(peer, shmid)))
        return false;
    if (!peer_is_alive(peer))
        return true;
    struct shmid_ds about;
    if (sys_shmctl(shmid, IPC_STAT, &about) == -1)
        return errno == EINVAL || errno == EIDRM;
    return about.shm_nattch <= 1 || attached == PEER_MAPS_NOT;
}

/* Where the maps cannot be read, the kernel still names the creator and the last that attached. */
static enum peer_claim ask_who_attached(pid_t pid, int shmid)
{
    struct shmid_ds about;
    if (sys_shmctl(shmid, IPC_STAT, &about) == -1)
        return PEER_UNKNOWN;
    return pid == about.shm_cpid || pid == about.shm_lpid ? PEER_CONFIRMED : PEER_UNKNOWN;
}

bool peer_is_of_this_user(pid_t pid)
{
    return whose(pid) == PEER_CONFIRMED;
}

enum peer_claim peer_claim(pid_t pid, int shmid)
{
    if (pid <= 0 || pid == getpid())
        return PEER_DENIED;
    if (sys_kill(pid, 0) == -1)
        return errno == ESRCH ? PEER_DENIED : errno == EPERM ? PEER_FORBIDDEN : PEER_UNKNOWN;
    switch (maps_segment(pid, shmid)) {
    case PEER_MAPS_IT:
        return whose(pid);
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

bool peer_last_is_elsewhere(int shmid)
{
    struct shmid_ds about;
    return sys_shmctl(shmid, IPC_STAT, &about) == 0 && peer_is_elsewhere(about.shm_lpid);
}

int peer_signal(pid_t pid)
{
    if (pid <= 0) {
        errno = EINVAL;
        return -1;
    }
    return sys_kill(pid, SIGUSR1);
}
