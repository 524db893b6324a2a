/* grade_pitfalls.h - the mistakes that have a name. */
#ifndef GRADE_PITFALLS_H
#define GRADE_PITFALLS_H

enum pitfall {
    PITFALL_NONE,
    NO_CONVERSATION,
    LOST_WAKEUP,
    HANDLER_TOO_LATE,
    KILL_UNCHECKED_PID,
    FTOK_UNCHECKED,
    SHMAT_NULL,
    COPY_UNBOUNDED,
    TEXT_NOT_ENDED,
    TURN_BEFORE_TEXT,
    WRITES_BEFORE_TURN,
    READY_TOO_EARLY,
    NEVER_LEAVES,
    NEVER_REMOVES,
    REMOVES_TOO_EARLY,
    REMOVES_ANOTHERS,
    MODE_TOO_WIDE,
    UNSAFE_IN_HANDLER,
    SIGNAL_IS_MESSAGE,
    COUNTS_SIGNALS,
    MASK_SWALLOWS_CTRL_C,
    WAITS_FOR_THE_DEAD,
    STALE_SEGMENT,
    TRUSTS_SEGMENT,
    NOT_FLUSHED,
    WRONG_EXIT_STATUS,
    BUSY_WAITING,
    SLEEPS_INSTEAD,
    SLEEPS_TOO_LONG,
    SLEEPS_TOO_SHORT,
    CRASHES,
    NEVER_ENDS,
    PRINTS_WITHOUT_END,
    PITFALLS,
};

struct pitfall_text {
    const char *name, *why, *lesson;
};

struct pitfall_text pitfall_text(enum pitfall pitfall);

#endif
