/* ready.h - wait until a descriptor is ready, with some signals unblocked only meanwhile. */
#ifndef READY_H
#define READY_H

#include <signal.h>
#include <stdbool.h>

enum ready_for { READY_TO_READ, READY_TO_WRITE };

/* Waits until `fd` can be read or written without blocking, or has failed. While it waits, `mask`
 * is the signal mask: the kernel changes it and waits in one step, so that no signal is lost
 * (ppoll(2), pselect(3p)). With `at_once` it does not wait.
 * Returns 1: ready; 0: not ready, at once; -1 with errno (EINTR: a signal came). */
int ready_wait(int fd, enum ready_for what, const sigset_t *mask, bool at_once);

#endif
