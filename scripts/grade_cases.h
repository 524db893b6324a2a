/* grade_cases.h - the named cases of each wire and side. */
#ifndef GRADE_CASES_H
#define GRADE_CASES_H

#include "grade_game.h"

struct grade_case {
    const char *name, *title;
    int points;
    void (*play)(struct game *);
};

/* The cases end with one that has no name. The first is the conversation, without which nothing
 * else can be judged. */
const struct grade_case *handshake_cases(enum side side);
const struct grade_case *textbook_cases(enum side side);
const struct grade_case *pair_cases(enum side side);

/* ---- for the cases ---- */

enum stand {
    WAITS,  /* it stands before a call that waits for a signal */
    NAPS,   /* ... before one that sleeps for a time alone */
    SPINS,  /* it looks at the memory all the time */
    SLEEPS, /* it sleeps in a call that is not watched */
    OVER,   /* it has ended */
};

/* There is no conversation; but a mistake that has a name of its own may be the reason. */
_Noreturn void fail_conversation(struct game *game, uint64_t place, const char *seen, ...)
    __attribute__((format(printf, 3, 4)));

enum stand stand_of(struct game *game); /* lets it go on until it waits */
void fall_asleep(struct game *game);    /* lets it really sleep in that call */
const char *state_of(const struct game *game, enum outcome outcome); /* in words */
bool crashed(const struct game *game); /* it was ended by a signal such as SIGSEGV */
void judge_wait(struct game *game);    /* how it waits; nothing comes meanwhile */
void judge_ctrl_c(struct game *game);  /* it waits: Ctrl-C must end it */
void judge_dead(struct game *game);    /* it waits, and the peer has died */
void judge_hostile_copy(struct game *game, long most); /* it has printed a text without an end */
void judge_failed_ftok(struct game *game);
void judge_failed_shmat(struct game *game);
void use_sanitized(struct game *game);
void need_wait(struct game *game, enum stand stand); /* leaves the case open if it does not wait */

/* From begin_nap on, naps are counted, and are over at once. */
void begin_nap(struct game *game);
bool has_slept_a_second(const struct game *game);

pid_t bystander_start(struct game *game);

#endif
