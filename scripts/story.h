/* story.h - what the parts of build/story share. story.c documents what comes out.
 *
 *     story_read.c      the files: one record for each line, or a clear refusal
 *     story_steps.c     records to steps, in causal order: a call that sleeps becomes two
 *     story_signals.c   which kill was taken by which process, and when
 *     story_facts.c     what each step changes: states, SIGUSR1, the words of the segment
 *     story_fold.c      which steps only repeat what was shown before
 *     story.c           the options, and the lines
 */
#ifndef STORY_H
#define STORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum {
    MOST_RECORDS = 4000000,
    MOST_BYTES = 1 << 30, /* of all traces together */
    MOST_PROCESSES = 1000,
    MOST_WORDS = 1000,
    MOST_SENTENCES = 100, /* lines about what is missing */
    SHOWN_BYTES = 2000    /* of a field */
};

enum kind { CALL, SLEEP, WAKE, TAKEN, PUBLISH, OBSERVE, POINT, PRINT, NOTE, END, DROPPED };

/* A line of a trace. The strings are fields of the file as it was read: any bytes may be in them.
 */
struct record {
    long long began, took;
    const char *where, *text, *why;
    int process; /* index into story->processes */
    enum kind kind;
};

/* What became of a kill whose signal no process took, or of a sleep that ended too late. */
enum fate {
    NORMAL,
    LOST_DEATH,   /* the signal had its default action: the process died of it */
    LOST_IGNORED, /* the process ignores SIGUSR1 */
    LOST_ENDED,   /* the process had ended */
    LOST_WAKEUP,  /* of a sleep: the word was there, and its signal was taken too early */
    LEFT_PENDING, /* still pending when the process ended */
    LEFT_UNKNOWN  /* the trace ends before it is taken */
};

struct step {
    long long at;
    const struct record *record;
    int process;
    int before;   /* the order of the steps of one process */
    int partner;  /* of a sleep: its wake, and back */
    int from, to; /* of a taking: the kills; of a lost wakeup: its publish and the taking */
    int cause;    /* of a kill: the step that takes it; of a process's first step: the fork */
    enum kind kind;
    enum fate fate;
    bool takes; /* SIGUSR1 is taken in this step: a record says so, or the kernel's rules do */
    bool shown;
};

struct process {
    const char *name;
    long long began;       /* its first record */
    int index;             /* in the order of the files */
    int pid, file, parent; /* parent: index, -1: none */
    bool is_talker, has_end;
    int first, last; /* steps */
    int killed_by;   /* the step of the kill that it died of, 0: none */
    char killed_how[16];
};

struct story {
    struct record *records;
    struct step *steps; /* steps[1] is the first */
    struct process *processes;
    const char **words;
    char missing[MOST_SENTENCES][300];
    int record_count, step_count, process_count, word_count, missing_count;
};

/* ---- story_read.c ---- */

/* Reads the traces. Ends with a line on stderr and status 1 if one is no trace. */
void story_read(struct story *story, int count, char **paths);

/* Adds a sentence on what the traces do not show. */
void story_misses(struct story *story, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* As calloc and realloc, but they end the program if there is no memory. */
void *story_room(size_t count, size_t size);
void *story_more_room(void *old, size_t count, size_t size);

/* ---- story_steps.c ---- */

void story_order(struct story *story);
const char *story_text(const struct step *step);
bool story_is_call(const struct step *step, const char *name);

/* Whether the process is another program from here on: exec does not return. */
bool story_has_left(const struct step *step);

/* ---- story_signals.c ---- */

/* What happens to SIGUSR1 in a process. */
enum action { BY_DEFAULT, IGNORED, HANDLER };
struct setting {
    enum action action;
    bool is_blocked;
    bool is_narrated; /* the handler is ours: each taking has a record */
};

/* Changes the setting if the step does. */
void story_set(struct setting *setting, const struct step *step);

/* The mask while the step sleeps, if it is a call that sleeps with another mask. */
bool story_blocked_in(const struct setting *setting, const struct step *step);

/* If the step sends `signal` to a process of the story with success: its index, else -1. */
int story_kill_target(struct story *story, const struct step *step, char signal[16]);

/* Decides which steps take SIGUSR1, and which kills they take. */
void story_match_signals(struct story *story);

/* The kills that the step takes, in order; returns how many. */
int story_kills_taken(const struct step *step, const int **kills);

/* ---- story_facts.c ---- */

struct moment; /* the state after a step */

struct moment *story_begin(struct story *story);
void story_end(const struct story *story, struct moment *now);
void story_advance(struct story *story, struct moment *now, int step);
void story_print_changes(struct story *story, struct moment *now, int step);
void story_print_moment(struct story *story, struct moment *now, int step);

/* Goes through the whole story once: finds the words, and the wakeups that were lost. */
void story_judge(struct story *story);

/* ---- story_fold.c ---- */

/* Marks the steps that are shown. */
void story_fold(struct story *story, bool all);

/* Says what steps from..to repeat; returns how many rounds there are. */
int story_rounds(struct story *story, int from, int to, char *text, size_t size);

/* ---- story.c ---- */

/* Prints a field: no control byte, and only valid UTF-8. `length` -1: the whole string. */
void story_put(const char *field, int length);

#endif
