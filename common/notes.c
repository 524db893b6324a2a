/* notes.c - segments as the notes' programs make them; see notes.h. */
#include "notes.h"
#include "calls.h"
#include "clock.h"
#include "ending.h"
#include "exits.h"
#include "listed.h"
#include "output.h"
#include "peer.h"
#include "program.h"
#include "segment.h"
#include "tick.h"
#include "trace.h"

#include <err.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

_Static_assert(ATOMIC_CHAR_LOCK_FREE == 2, "atomics in shared memory must be lock-free");

enum { OURS = 0600, THEIRS = 0666 };

static const char *const way_out[] = {
    [NOTES_TEXT] = "choose another --project or --file",
    [NOTES_NUMBER] = "choose another --key",
};

/* ---- what is in it ---- */

void notes_leave(_Atomic char *text, const char *string)
{
    size_t length = strlen(string);
    trace_publish_text("text", string, length);
    for (size_t i = length + 1; i-- > 0;)
        text[i] = string[i];
}

static bool copy_string(char *copy, const _Atomic char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if ((copy[i] = text[i]) == '\0')
            return true;
    return false;
}

bool notes_take(char *copy, const _Atomic char *text)
{
    bool is_string = copy_string(copy, text, NOTES_SIZE);
    trace_observe_text("text", copy, is_string ? strlen(copy) : NOTES_SIZE);
    return is_string;
}

size_t notes_line_length(const char *string)
{
    size_t length = strlen(string);
    return length - (length > 0 && string[length - 1] == '\n');
}

bool notes_is(const _Atomic char *text, const char *string)
{
    size_t i = 0;
    while (text[i] == string[i] && string[i] != '\0')
        i++;
    return text[i] == string[i];
}

enum { DIGITS = sizeof "2147483647" };

static int read_number(char digits[DIGITS], const _Atomic char *text)
{
    if (!copy_string(digits, text, DIGITS) || strspn(digits, "0123456789") != strlen(digits))
        return NOTES_STRANGE;
    if (digits[0] == '\0')
        return NOTES_NOTHING;
    long long number = 0;
    for (const char *digit = digits; *digit != '\0'; digit++)
        number = number * 10 + (*digit - '0');
    return number <= INT_MAX ? (int)number : NOTES_STRANGE;
}

int notes_number(const _Atomic char *text)
{
    char digits[DIGITS + 1] = ""; /* what is no string gets an end here */
    int number = read_number(digits, text);
    trace_observe_digits("text", text, digits, number);
    return number;
}

/* ---- classify ---- */

static void note_why(char why[128], const char *format, unsigned long value)
{
    snprintf(why, 128, format, value);
}

/* Whether the kernel describes a segment of the notes; if not, why not. */
static bool fits(int shmid, enum notes_content content, const struct shmid_ds *about, char why[128])
{
    if (about->shm_segsz != NOTES_SIZE)
        return note_why(why, "its size is %lu bytes", about->shm_segsz), false;
    if (about->shm_perm.cuid != geteuid())
        return note_why(why, "its creator is uid %lu", about->shm_perm.cuid), false;
    /* Never attached, so it is still empty. It may be the one that we have just created. Where
     * kernel.shm_rmid_forced is 1, our detaching would remove it. */
    if (about->shm_atime == 0)
        return true;
    const _Atomic char *text = sys_shmat(shmid, NULL, SHM_RDONLY);
    if (text == (void *)-1)
        return snprintf(why, 128, "shmat: %s", strerror(errno)), false;
    char copy[NOTES_SIZE], digits[DIGITS];
    bool holds = content == NOTES_TEXT ? copy_string(copy, text, sizeof copy)
                                       : read_number(digits, text) != NOTES_STRANGE;
    if (sys_shmdt((const void *)text) == -1)
        warn("shmdt(%p)", (const void *)text);
    if (!holds)
        note_why(why, content == NOTES_TEXT ? "it holds no string" : "it holds no number", 0);
    return holds;
}

static _Noreturn void refuse(int shmid, enum notes_content content, const char *why)
{
    errx(EXIT_FAILED, "a foreign segment (shmid %d; %s) has this key: it was not changed, %s",
         shmid, why, way_out[content]);
}

static void refuse_anothers(int shmid, enum notes_content content, uid_t owner)
{
    char why[128] = "";
    if (owner == geteuid())
        return;
    listed_append_owner(why, sizeof why, owner);
    errx(EXIT_FAILED, "another user's segment (shmid %d; %s) has this key: it cannot be used, %s",
         shmid, why, way_out[content]);
}

/* Returns whether it is there. */
static bool describe(int shmid, enum notes_content content, struct shmid_ds *about)
{
    char why[128] = "";
    if (sys_shmctl(shmid, IPC_STAT, about) == -1) {
        if (segment_is_gone())
            return false;
        struct listed listed;
        snprintf(why, sizeof why, "shmctl(%d, IPC_STAT): %s", shmid, strerror(errno));
        if (errno == EACCES && listed_find(shmid, &listed))
            refuse_anothers(shmid, content, listed.owner);
        refuse(shmid, content, why);
    }
    refuse_anothers(shmid, content, about->shm_perm.uid);
    if (!fits(shmid, content, about, why)) {
        if (notes_is_removed(shmid))
            return false;
        refuse(shmid, content, why);
    }
    return true;
}

pid_t notes_creator(int shmid, enum notes_content content)
{
    struct shmid_ds about;
    if (!describe(shmid, content, &about))
        errx(EXIT_NO_PEER, "segment %d was removed meanwhile: start again", shmid);
    return about.shm_cpid;
}

pid_t notes_listener(int shmid, pid_t given)
{
    pid_t creator = notes_creator(shmid, NOTES_TEXT), listener = given ? given : creator;
    if (peer_is_elsewhere(listener))
        errx(EXIT_NO_PEER,
             "the listener of shmid %d runs in another PID namespace, and signals do not pass both "
             "ways: start both sides in one PID namespace",
             shmid);
    if (!peer_is_alive(listener))
        errx(EXIT_NO_PEER, "there is no process %d any more%s: start listener-textbook",
             (int)listener, given ? "" : ", which created the segment");
    if (listener != creator && !peer_has_attached(listener, shmid))
        errx(EXIT_NO_PEER,
             "PID %d is not the listener of shmid %d, which PID %d created: not signalled",
             (int)listener, shmid, (int)creator);
    return listener;
}

bool notes_is_removed(int shmid)
{
    struct shmid_ds about;
    return sys_shmctl(shmid, IPC_STAT, &about) == -1 || calls_key_of(&about) == IPC_PRIVATE;
}

/* ---- recover ---- */

static unsigned mode_of(const struct shmid_ds *about)
{
    return about->shm_perm.mode & 0777u;
}

static bool may_be_removed(enum notes_content content, const struct shmid_ds *about)
{
    return about->shm_nattch == 0 && !peer_is_alive(about->shm_cpid) &&
           (mode_of(about) == OURS || (mode_of(about) == THEIRS && content == NOTES_TEXT));
}

/* Returns the id of what has the key, described in *about, or -1. */
static int recover(key_t key, enum notes_content content, struct shmid_ds *about)
{
    int shmid = sys_shmget(key, 0, 0);
    if (shmid == -1 && errno != ENOENT)
        err(EXIT_FAILED, "this key cannot be used, %s: shmget(%#x, 0, 0)", way_out[content],
            (unsigned)key);
    if (shmid == -1 || !describe(shmid, content, about))
        return -1;
    if (!may_be_removed(content, about))
        return shmid;
    if (sys_shmctl(shmid, IPC_RMID, NULL) == 0)
        warnx("recovered: removed segment %d, which PID %d left behind", shmid,
              (int)about->shm_cpid);
    else if (!segment_is_gone())
        err(EXIT_FAILED, "cannot remove a stale segment: shmctl(%d, IPC_RMID)", shmid);
    return -1;
}

int notes_recover(key_t key, enum notes_content content)
{
    struct shmid_ds about;
    return recover(key, content, &about);
}

void notes_clear(key_t key, enum notes_content content)
{
    struct shmid_ds about;
    int shmid = recover(key, content, &about);
    if (shmid == -1)
        return;
    bool alive = peer_is_alive(about.shm_cpid);
    if (!alive && about.shm_nattch == 0) {
        char why[128];
        note_why(why, "its mode is 0%lo", mode_of(&about));
        refuse(shmid, content, why);
    }
    errx(EXIT_BUSY, "busy: key %#x (shmid %d) was created by PID %d, which is %s: %s",
         (unsigned)key, shmid, (int)about.shm_cpid,
         alive ? "alive" : "dead, but it is still attached", way_out[content]);
}

void notes_remove_if_left(int shmid)
{
    struct shmid_ds about;
    if (sys_shmctl(shmid, IPC_STAT, &about) == 0 && mode_of(&about) == OURS)
        segment_remove_if_left(shmid, about.shm_cpid);
}

/* ---- time, and a list ---- */

void notes_nap(double seconds)
{
    long long left, until = clock_now() + (long long)(seconds * 1e9);
    while ((left = until - clock_now()) > 0) {
        long piece = left < TICK_MS * 1000000LL ? (long)left : TICK_MS * 1000000L;
        nanosleep(&(struct timespec){0, piece}, NULL);
        ending_obey();
    }
}

void notes_list_segments(void)
{
    pid_t child = sys_fork();
    if (child == -1)
        err(EXIT_FAILED, "cannot start ipcs (see \"ulimit -u\"): fork()");
    if (child == 0) {
        static char shell[] = "sh", command[] = "-c",
                    list[] = "ipcs -m 2>/dev/null || cat /proc/sysvipc/shm 2>/dev/null";
        program_restore_signals();
        sys_execvp("/bin/sh", (char *[]){shell, command, list, NULL});
        _exit(EXIT_FAILED);
    }
    int status;
    if (waitpid(child, &status, 0) == -1)
        err(EXIT_FAILED, "waitpid(%d)", (int)child);
    if (status != 0)
        print_line("skipped: neither ipcs nor /proc/sysvipc/shm can list the segments here");
}
