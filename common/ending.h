/* ending.h - a signal that asks the program to end: clean up, then die of that same signal.
 *
 * These are SIGINT, SIGTERM, SIGHUP and the other signals_that_end: all that a user, a timer or a
 * limit may send, and whose default is to kill. They are blocked and have a handler that sets a
 * flag. They are unblocked only while the program sleeps. After each sleep it obeys.
 */
#ifndef ENDING_H
#define ENDING_H

#include <signal.h>

/* Blocks these signals and installs their handlers. Exits 1 where it cannot. */
void ending_start(void);

/* Adds to `set` those of these signals that we handle. */
void ending_add_to(sigset_t *set);

/* Removes these signals from `mask`: for a sleep of our own in which they shall get through. */
void ending_unblock_in(sigset_t *mask);

/* If one of these signals was taken or is pending, cleans up and dies of it. To be called at the
 * end of main, and now and then by a program that runs for long without a sleep. */
void ending_obey(void);

/* Runs the functions given to atexit(3), then dies of `signo`. */
_Noreturn void ending_die(int signo);

#endif
