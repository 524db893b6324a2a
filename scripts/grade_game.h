/* grade_game.h - one case: a student's program against a peer that the checker plays.
 *
 * A case runs in a process of its own, the referee. It starts two others: the student's program,
 * and the puppet, which does what the referee orders: create, attach, store, ring, die. The
 * student's program stands still at each report (grade_report.h) until the referee lets it go on.
 */
#ifndef GRADE_GAME_H
#define GRADE_GAME_H

#include "grade_pitfalls.h"
#include "grade_report.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum side { SIDE_OF_TALKER, SIDE_OF_LISTENER };

enum { OUTPUT_LIMIT = 1 << 20, OUTPUT_KEPT = 1 << 16, MOST_REMOVED = 8, PUPPET_DATA = 8192 };

/* What is graded, and what the sandbox may use. */
struct subject {
    const char *program;                     /* the executable */
    const char *sanitized;                   /* the same with sanitizers; NULL: there is none */
    const char *preload, *preload_sanitized; /* the library, and one for a sanitized program */
    const char *scratch;                     /* a directory for temporary files */
    enum side side;
    int namespaces; /* what unshare(2) may be given here; see sandbox_probe */
};

enum verdict_state { VERDICT_NONE, VERDICT_PASS, VERDICT_FAIL, VERDICT_OPEN };

/* In memory that is shared with the process that started the case. */
struct verdict {
    enum verdict_state state;
    enum pitfall pitfall;
    uint64_t place;
    char seen[400];
    char last_words[200]; /* the end of what the program wrote on stderr */
};

struct game {
    const struct subject *subject;
    struct verdict *verdict;
    char directory[200];
    uid_t uid;

    pid_t student, puppet, bystander;
    pid_t creator;                 /* the puppet that created a segment */
    int channel, orders, out, err; /* descriptors */
    bool sanitized;
    bool stores; /* each store into the segment is reported */
    bool ended;  /* the student's program */
    int status;  /* of waitpid */
    bool held;   /* the student's program stands at `event` */
    struct grade_report event;
    struct grade_go go; /* the answer to `event` */
    char output[OUTPUT_KEPT + 1], errors[OUTPUT_KEPT + 1];
    size_t output_length, errors_length, output_total;

    /* the wire */
    long words; /* the offset of the text */
    long text_size;
    const char *arguments[8];
    bool no_key_file;
    int fail_call; /* the call that is to fail, once; 0: none */
    int fail_error;
    int shmid; /* of the segment, whoever created it */

    /* what was seen */
    bool time_passes; /* alarms ring and limits are over, because nothing else will come */
    bool alarm_set, timers;
    bool early_removal; /* the segment was removed before the peer had come */
    bool key_failed;
    int created, created_flags;
    int64_t created_size, created_key;
    uint64_t created_place, store_place;
    uint64_t base; /* of the segment in the student's memory; 0: not attached */
    bool attached;
    int removed[MOST_REMOVED];
    uint64_t removed_place[MOST_REMOVED];
    int removed_count;
    bool key_unchecked;
    uint64_t key_place;
    bool killed_wrong;
    int64_t killed_pid;
    uint64_t killed_place;
    bool unsafe;
    char unsafe_name[24];
    uint64_t unsafe_place;
    bool handler_set;
    uint64_t wait_place; /* of the last call that waits */
    char wait_name[24];
    uint64_t exit_place, exit_lost, fault_place;
    long sleeps, waits, rings, slept_ms;
    long questions;   /* whether a process lives: kill(PID, 0); about the segment: IPC_STAT */
    long most_sleeps; /* after so many naps in a row it is said to poll */
    long long began;  /* of a nap */
};

/* How a part of a game ended. */
enum outcome {
    REACHED,
    ENDED,   /* the student's program has ended */
    STUCK,   /* it sleeps, and nothing will wake it */
    BUSY,    /* it computes, and calls nothing */
    POLLING, /* it sleeps again and again for a time alone */
    LATE,    /* the time is over */
};

typedef bool reached(const struct game *game);

/* ---- play */

void game_start(struct game *game); /* the student's program; stands before main */
enum outcome game_until(struct game *game, reached *reached, int ms);
enum outcome game_to_end(struct game *game);
enum outcome game_to_wait(struct game *game); /* before a call that waits, or asleep */
bool game_is_asleep(const struct game *game);
bool at_wait(const struct game *game);  /* stands before a call that waits for a signal */
bool at_sleep(const struct game *game); /* ... before one that sleeps for a time alone */
bool at_kill(const struct game *game);
bool at_store(const struct game *game);
bool at_exit(const struct game *game);
void game_signal(const struct game *game, int signo); /* to the student's program, by the puppet */

/* What is in the segment, as the student's program has it. */
int game_word(const struct game *game, long offset);
void game_read(const struct game *game, long offset, void *data, size_t size);

/* ---- the puppet */

pid_t puppet_start(struct game *game);
int puppet_create(struct game *game, int64_t key, size_t size, int mode); /* and attaches */
int puppet_find(struct game *game, int64_t key);                          /* and attaches */
void puppet_attach(struct game *game, int shmid);
void puppet_store(struct game *game, long offset, const void *data, size_t size);
void puppet_store_word(struct game *game, long offset, int word);
int puppet_word(struct game *game, long offset);
void puppet_read(struct game *game, long offset, void *data, size_t size);
void puppet_ring(struct game *game);
int puppet_rung(struct game *game); /* how often SIGUSR1 came since the last call: 0, or 1 */
void puppet_detach(struct game *game);
void puppet_remove(struct game *game);
void puppet_die(struct game *game);
int64_t game_key(const struct game *game); /* ftok("shmfile", 1) */
bool segment_exists(int shmid);
bool segment_was_removed(const struct game *game, int shmid);

/* ---- judge: these do not return */

_Noreturn void pass(struct game *game);
_Noreturn void fail(struct game *game, enum pitfall pitfall, uint64_t place, const char *seen, ...)
    __attribute__((format(printf, 4, 5)));
_Noreturn void leave_open(struct game *game, const char *why, ...)
    __attribute__((format(printf, 2, 3)));

bool died_of(const struct game *game, int signo);
bool exited_with(const struct game *game, int status);
const char *ending_of(const struct game *game); /* in words */
bool printed(const struct game *game, const char *text);

/* Runs one case in a sandbox, in a new process. Returns its PID; the verdict is there when it has
 * ended. */
pid_t game_run(const struct subject *subject, void (*play)(struct game *), struct verdict *verdict);
int sandbox_probe(void);

#endif
