/* pair.h - what talker and listener share: the segment of a conversation.
 *
 * The listener creates it and stores the magic last. A talker takes a seat: the first free one
 * behind `front`, by exchanging 0 for its PID, and rings. The listener, when it has the turn and
 * nothing to do, gives the turn to the first talker that it finds behind `front`. From then on the
 * two hand it to each other; whoever has the turn may write `length` and `text`, and nobody else:
 *
 *     talker                                   listener
 *     seat[i]: 0 -> talker, ring  ------->     finds it, front = i
 *                                 <-------     turn = talker, ring          you may speak
 *     text, turn = listener, ring ------->     reads it
 *                                 <-------     text, turn = talker, ring    the reply
 *     ... and so on; then
 *     seat[i] = 0, turn = listener, ring ->    the conversation is over; who is next?
 *
 * A turn is the PID of whoever has it. A listener that wants no more of a talker (it sent a length
 * that cannot be) empties its seat. The listener's PID is not stored: the kernel knows who created
 * the segment (shm_cpid), and its word counts.
 */
#ifndef LAYOUT_PAIR_H
#define LAYOUT_PAIR_H

#include "head.h"

#define PAIR_LESSON SEGMENT_LESSON('p', 'a', 'i', 'r')

enum { PAIR_VERSION = 1, PAIR_SEATS = 256 };

struct pair {
    struct segment_head head;
    uint32_t capacity;            /* the longest message, in bytes */
    _Atomic int turn;             /* PID of whoever may touch length and text */
    _Atomic int front;            /* index of the seat that was served last */
    _Atomic int seat[PAIR_SEATS]; /* PIDs of the talkers, 0: free */
    _Atomic uint32_t length;      /* of the text, in bytes */
    char text[];                  /* no terminating NUL */
};

#endif
