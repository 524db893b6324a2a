/* watch.h - what the parts of scripts/watch share.
 *
 *     watch.c          the command line, the pictures, the screen
 *     watch_words.c    the words of each lesson's segment, and which process should run
 *     watch_look.c     what the kernel says about a segment and its processes; reads the words
 */
#ifndef WATCH_H
#define WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/shm.h>
#include <sys/types.h>

/* ---- words of a segment ---- */

enum word_kind { WORD_SIGNED, WORD_UNSIGNED, WORD_PID, WORD_HEX, WORD_TEXT };

struct word {
    const char *name;
    size_t offset, size;
    enum word_kind kind;
};

/* When the word at `offset` has this value, this side should run. The talker's PID is a word, too.
 */
struct rule {
    size_t offset;
    int value, side;
    size_t talker;
};

/* What a lesson's segment holds. */
struct layout {
    const char *lesson;
    uint32_t id; /* as it stands in the segment; 0: it has no head */
    uint32_t version;
    const char *values; /* the names of values, see common/trace.h */
    const struct word *words;
    size_t count;
    const struct rule *rules;
    size_t rule_count;
    bool is_pair; /* with seats and a message of a length, which are shown together */
};

/* NULL: no lesson of ours. */
const struct layout *layout_of_id(uint32_t id);
const struct layout *layout_of_name(const char *lesson);

/* How many bytes from the segment's first byte hold all words that are shown. */
size_t layout_span(const struct layout *layout);

/* Whether a 32-bit program may have words elsewhere, because one has more than 4 bytes. */
bool layout_is_wide(const struct layout *layout);

/* A copy of the segment's first bytes. What lies behind `length` is not read. */
struct copy {
    unsigned char *bytes;
    size_t length;
};

/* A number from the copy; 0 where it is too short. */
long long word_number(const struct copy *copy, const struct word *word);

/* The head of every segment of ours. */
struct head {
    uint32_t magic, lesson, version;
    int stopped[2];
};
struct head head_of(const struct copy *copy);

/* The process that should run now, by the words alone; 0: no process, or the words do not say. For
 * lessons with rules, and for the pair. */
pid_t layout_who_should_run(const struct layout *layout, const struct copy *copy, pid_t creator);

enum { SEATS_SHOWN = 4, MESSAGE_SHOWN = 52 };

/* The seats of a pair that are taken: at most SEATS_SHOWN of them. Returns how many there are. */
int pair_seats(const struct copy *copy, int at[SEATS_SHOWN], pid_t pid[SEATS_SHOWN]);

/* The text of a pair, as far as it is copied. */
const char *pair_text(const struct copy *copy, size_t *length);

/* ---- what the kernel says ---- */

/* In `mode`: the segment is removed, and lives until the last process detaches (shmctl(2)). */
#ifndef SHM_DEST
#define SHM_DEST 01000
#endif

/* A line of /proc/sysvipc/shm, which lists the segments of all users (proc(5)). */
struct facts {
    int key, shmid;
    unsigned mode;
    unsigned long size, nattch, uid;
    int creator, last;            /* shm_cpid, shm_lpid */
    long long attached, detached; /* shm_atime, shm_dtime */
};

/* Whether there is such a segment. */
bool facts_of(int shmid, struct facts *facts);

/* The segments that `chosen` chooses: the first `most` of them. Returns how many there are. Exits 1
 * where the list cannot be read. */
int facts_list(bool (*chosen)(const struct facts *), struct facts *list, int most);

/* A process that has the segment attached, or had. */
struct process {
    pid_t pid;
    char name[64];
    int attachments;
    unsigned long long address;             /* of the first one */
    char state;                             /* the letter of proc(5); 0: it has ended */
    char call[24];                          /* in which it sleeps; "": not known */
    bool blocks, pending, catches, ignores; /* SIGUSR1 */
    bool is_32_bit;
};

enum { PROCESSES = 1024 };
struct processes {
    struct process list[PROCESSES];
    int count;
    bool more; /* there are more than the list takes */
};

/* Looks again at each process, and for others where the kernel's numbers have changed. */
void processes_look(struct processes *processes, const struct facts *before,
                    const struct facts *now);
const struct process *process_of(const struct processes *processes, pid_t pid);

/* Whether a process sleeps until a signal comes. */
bool sleeps_for_signal(const struct process *process);

/* ---- how the words are read ---- */

enum source {
    SOURCE_NONE,   /* not at all: `why` */
    SOURCE_MEMORY, /* from /proc/PID/mem of a process that has the segment attached */
    SOURCE_PAGES,  /* from its pages: we attached it for a moment, and hold them in a pipe */
};

struct reader {
    enum source source;
    bool only_pages; /* asked for: do not try /proc/PID/mem */
    pid_t pid;       /* SOURCE_MEMORY */
    int memory;      /* SOURCE_MEMORY: the open /proc/PID/mem; else -1 */
    unsigned long long address;
    int pages[2], spare[2]; /* SOURCE_PAGES: pipes; else -1 */
    size_t held;            /* SOURCE_PAGES: so many bytes */
    bool began;             /* a picture has been taken */
    int alone;              /* for so many pictures there was no process to read from */
    char why[96];
};
#define READER_START                                                                               \
    {                                                                                              \
        .memory = -1, .pages = {-1, -1}, .spare = { -1, -1 }                                       \
    }

/* Copies the segment's first `length` bytes, or all if it has fewer. Returns false where that is
 * not possible now. */
bool reader_copy(struct reader *reader, const struct facts *facts,
                 const struct processes *processes, size_t length, struct copy *copy);

#endif
