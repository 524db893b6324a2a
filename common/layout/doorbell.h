/* doorbell.h - one side's doorbell, in the segment. */
#ifndef LAYOUT_DOORBELL_H
#define LAYOUT_DOORBELL_H

#include <stdatomic.h>

/* It stands best on the cache line of what that side publishes. No value in it is trusted: a wrong
 * one costs a look, a signal or a sleep until the timeout, and no more. */
struct doorbell {
    _Atomic int asleep; /* 1: this side is about to sleep and wants SIGUSR1 */
    _Atomic int cpu;    /* the CPU on which it last published, from 1; 0: unknown */
};

#endif
