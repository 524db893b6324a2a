/* watching.h - a number as text, and a bell: the talker rings for each value, and the next value
 * waits until the listener has seen this one.
 *
 *     talker: text, rung + 1, SIGUSR1 -------> listener: reads the text, seen = rung, SIGUSR1
 */
#ifndef LAYOUT_WATCHING_H
#define LAYOUT_WATCHING_H

#include "head.h"

#define WATCHING_LESSON SEGMENT_LESSON('w', 'a', 't', 'c')

enum { WATCHING_TEXT = 16 };

enum { WATCHING_ASKED = 1 }; /* the listener has said how many values it wants */
#define WATCHING_VALUES "step: MET WATCHING_ASKED"

struct watching {
    struct session_head session;
    _Atomic int wanted;       /* how many values the listener wants to see */
    _Atomic int rung;         /* how many values the talker has stored so far */
    _Atomic int seen;         /* how many of them the listener has seen */
    char text[WATCHING_TEXT]; /* the value: a number as a string */
};

#endif
