/* notes.h - segments as the notes' programs make them: 1024 bytes, no magic, a string at the start.
 *
 * Without a magic only four things can be checked: the size, the owner, the mode, and whether the
 * content is of the right kind. Our programs create such a segment with mode 0600, the notes' with
 * 0666.
 */
#ifndef NOTES_H
#define NOTES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { NOTES_SIZE = 1024 };

enum notes_content {
    NOTES_TEXT,   /* a string: of the server and the client (lesson textbook) */
    NOTES_NUMBER, /* a number as a string, or nothing: of the counter (lesson counter) */
};

/* ---- the segment ---- */

/* Returns the PID that created `shmid`. Exits 1 with a line that says why where the segment is
 * foreign: another size or owner, or other content. Exits 3 where it has gone. */
pid_t notes_creator(int shmid, enum notes_content content);

/* The PID that the notes' client signals: the creator, or `given` where that is not 0. Exits as
 * notes_creator does, and 3 where that process is dead or the kernel does not confirm that it has
 * created `shmid` or has it attached. */
pid_t notes_listener(int shmid, pid_t given);

/* Removes what a killed program has left under `key`, and says so: its creator is dead and no
 * process has it attached. The client of the notes removes the segment, so a text that the notes'
 * programs left is removed as well. Their counter never removes its segment, and neither do we.
 * Returns the id of what has the key then, or -1. Exits 1 where that is foreign. */
int notes_recover(key_t key, enum notes_content content);

/* The same for a program that must have the key for itself: exits 4 where the key is still in use.
 */
void notes_clear(key_t key, enum notes_content content);

/* For a process that has detached: if the creator was a program of ours and is dead, and no process
 * has the segment attached, removes it. */
void notes_remove_if_left(int shmid);

/* Whether a process has removed it; it may still be attached. */
bool notes_is_removed(int shmid);

/* ---- what is in it ---- */

/* The notes' programs copy with strcpy and sprintf, so there is no order between one process's
 * store and the other's load. We load and store each byte atomically. This makes it no data race
 * between programs of ours (C11, 5.1.2.4), but a reader may still get parts of two strings. */

/* Stores the string, its first byte last: a reader that finds the first byte in a segment that was
 * empty finds the rest as well. The string must fit. */
void notes_leave(_Atomic char *text, const char *string);

/* Copies the string to copy[NOTES_SIZE]. Returns whether it is one: it has a NUL. */
bool notes_take(char *copy, const _Atomic char *text);

/* The length of the string without the newline at its end: the notes' messages have one. */
size_t notes_line_length(const char *string);

/* Whether the string is still this one. */
bool notes_is(const _Atomic char *text, const char *string);

/* The number that the string is. */
enum { NOTES_NOTHING = -1, NOTES_STRANGE = -2 }; /* it is empty; it is no number */
int notes_number(const _Atomic char *text);

/* ---- time, and a list ---- */

/* Lets time pass, as sleep(3) does for the notes. Obeys a signal that asks us to end. */
void notes_nap(double seconds);

/* Lists all segments on stdout, as ipcs -m does, or as /proc/sysvipc/shm has them. */
void notes_list_segments(void);

#endif
