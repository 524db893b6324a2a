/* pair.h - what the talkers and the listener share: the segment of a conversation.
 *
 * The listener creates it and stores the magic last. A talker takes a seat: the first free one
 * behind `front`, by exchanging 0 for its PID in one atomic step. Then it rings (sends SIGUSR1).
 * The listener gives the turn to the first talker that it finds behind `front`. From then on the
 * two pass the turn back and forth. Only the process that has the turn may write `length` and
 * `text`:
 *
 *     talker                                   listener
 *     seat[i]: 0 -> talker, ring  ------->     finds it, front = i
 *                                 <-------     turn = talker, ring          you may speak
 *     text, turn = listener, ring ------->     reads it
 *                                 <-------     text, turn = talker, ring    the reply
 *     ... and so on; then
 *     seat[i] = 0, turn = listener, ring ->    the conversation is over; the next talker
 *
 * A PID in a seat is a claim. Where the kernel does not say whether that process has the segment
 * attached, the listener asks: it exchanges the PID for ~PID. The talker sees this at a tick of its
 * timer, attaches and detaches the segment once more, exchanges ~PID for its PID, and rings. Now
 * the kernel names it as the last process that attached (shm_lpid).
 *
 * A turn is the PID of the process that has it. The listener ends a conversation on its side by
 * emptying the seat, and rings: the talker has sent an impossible length, or has said nothing for
 * too long. Such a talker cannot pass the turn any more. If it writes at that very moment, it may
 * still spoil the text of the next talker. The listener's PID is not stored, because the kernel
 * knows who created the segment (shm_cpid).
 */
#ifndef LAYOUT_PAIR_H
#define LAYOUT_PAIR_H

#include "head.h"

#define PAIR_LESSON SEGMENT_LESSON('p', 'a', 'i', 'r')

enum { PAIR_VERSION = 1, PAIR_SEATS = 256 };

struct pair {
    struct segment_head head;
    _Atomic uint32_t capacity;    /* the longest message, in bytes */
    _Atomic int turn;             /* PID of the process that may write length and text */
    _Atomic int front;            /* index of the seat that was served last */
    _Atomic int seat[PAIR_SEATS]; /* PIDs of the talkers (~PID: asked to attach again); 0: free */
    _Atomic uint32_t length;      /* of the text, in bytes */
    char text[];                  /* no terminating NUL */
};

_Static_assert((PAIR_SEATS & (PAIR_SEATS - 1)) == 0, "seats are counted with unsigned wrap-around");

#endif
