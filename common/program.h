/* program.h - a program's start and end: its command line, its checks, its exit status.
 *
 *     int main(int argc, char **argv)
 *     {
 *         struct options options = program_start(argc, argv, &program);
 *         ...
 *         return program_end();
 *     }
 */
#ifndef PROGRAM_H
#define PROGRAM_H

#include "exits.h"
#include "options.h"

#include <stdbool.h>

/* Opens descriptors 0 to 2 where they are closed, sets the signals that every program relies on,
 * reads the command line, and starts the narration. From here on a signal that asks us to end, such
 * as Ctrl-C, cleans up first (ending.h), and a timer lets a waiting process check its peer
 * (tick.h). Exits: 0 after --help and --version, 2 with a line that says what is wrong, 1 where it
 * cannot. */
struct options program_start(int argc, char **argv, const struct program *program);

/* Which side we are, and which the other is: "talker" or "listener". */
const char *program_side(void);
const char *program_other_side(void);
bool program_is_talker(void);

/* The name of the other side's program: "listener-torn" for "talker-torn". */
const char *program_other_name(void);

/* Prints an observation as print_line does. If it is not what the lesson claims (`holds` is false),
 * says so on stderr, and the program will exit with 1. Returns `holds`. */
bool check(bool holds, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Whether a check has failed so far: EXIT_DONE or EXIT_FAILED. */
int check_status(void);

/* The end of main: obeys a signal that asked us to end, and returns check_status(). */
int program_end(void);

/* In a child, before exec(2): gives it the signal mask and the dispositions that we inherited. */
void program_restore_signals(void);

#endif
