/* grade_report.h - what scripts/grade_preload.c reports to scripts/grade.c, and the answers.
 *
 * The library stands in a student's program. It sends a report and then waits for the answer, with
 * all signals blocked. So the checker decides how long the program stands at that point, and what
 * the peer does meanwhile. A signal that arrives meanwhile is taken when the program goes on:
 * before `pause` begins to sleep, for instance.
 */
#ifndef GRADE_REPORT_H
#define GRADE_REPORT_H

#include <stdint.h>

/* The environment of the student's program. */
#define GRADE_FD       "SHMTALK_GRADE_FD"       /* the descriptor for reports */
#define GRADE_TEXT_AT  "SHMTALK_GRADE_TEXT_AT"  /* offset of the text in the segment */
#define GRADE_TEXT_END "SHMTALK_GRADE_TEXT_END" /* offset of the first byte behind it */
#define GRADE_STORES   "SHMTALK_GRADE_STORES"   /* 1: report each store into the segment */

enum grade_what {
    REPORT_START,   /* the program has been loaded; result: 1 if stores are reported */
    REPORT_BEFORE,  /* a call is about to be made */
    REPORT_AFTER,   /* it has returned */
    REPORT_STORING, /* args[0]: offset of a word in the segment that is about to be stored to */
    REPORT_STORE,   /* args[0]: offset in the segment that was just stored to */
    REPORT_ENTER,   /* a handler begins, for the signal args[0] */
    REPORT_LEAVE,   /* it has returned */
    REPORT_FAULT,   /* it is about to die of SIGSEGV at `place` */
    REPORT_EXIT,    /* the program ends; args[0]: its status, args[1]: bytes still in stdout's
                       buffer that will be lost */
};

enum grade_call {
    CALL_NONE,
    CALL_FTOK,
    CALL_SHMGET,
    CALL_SHMAT,
    CALL_SHMDT,
    CALL_SHMCTL,
    CALL_KILL,
    CALL_SIGACTION,
    CALL_SIGPROCMASK,
    CALL_ALARM,
    CALL_TIMER,
    CALL_PAUSE, /* from here on: calls that wait */
    CALL_SIGSUSPEND,
    CALL_SIGWAIT,
    CALL_POLL,
    CALL_SELECT,
    CALL_READ,
    CALL_SLEEP,  /* ... for a time alone */
    CALL_PRINTF, /* from here on: calls that a handler must not make */
    CALL_MALLOC,
    CALL_LIBRARY,
};

struct grade_report {
    int what, call, pid, in_handler, error;
    int timed;          /* a call that waits: it has a time limit */
    int64_t args[4];    /* numbers as the call has them */
    int64_t result;     /* of REPORT_AFTER */
    uint64_t place;     /* where in the program, as an offset in its file; 0: not known */
    uint64_t mask;      /* the signals that are blocked: bit N - 1 for signal N */
    uint64_t wait_mask; /* ... and while the call waits */
    uint64_t at;        /* shmat: the address; else that of the last shmat */
    uint64_t pending;   /* bytes in the buffer of stdout */
    char name[24];      /* of the call */
};

enum grade_action {
    GO_ON,
    GO_FAIL, /* do not call: fail with `error` */
    GO_SKIP, /* do not sleep: return as if the time had passed */
};

struct grade_go {
    int action, error;
};

#endif
