/* ready.c - wait until a descriptor is ready; see ready.h. */
#if defined(__linux__)
#define _GNU_SOURCE /* ppoll */
#include <poll.h>
#else
#include <errno.h>
#include <sys/select.h>
#endif
#include "ready.h"

#include <time.h>

static const struct timespec now = {0, 0};

#if defined(__linux__)

int ready_wait(int fd, enum ready_for what, const sigset_t *mask, bool at_once)
{
    struct pollfd look = {.fd = fd, .events = what == READY_TO_READ ? POLLIN : POLLOUT};
    return ppoll(&look, 1, at_once ? &now : NULL, mask);
}

#else

/* An fd_set has room for FD_SETSIZE descriptors, and FD_SET does not check (select(2)). */
int ready_wait(int fd, enum ready_for what, const sigset_t *mask, bool at_once)
{
    if (fd < 0 || fd >= FD_SETSIZE) {
        errno = EBADF;
        return -1;
    }
    fd_set set;
    FD_ZERO(&set);
    FD_SET(fd, &set);
    return pselect(fd + 1, what == READY_TO_READ ? &set : NULL,
                   what == READY_TO_WRITE ? &set : NULL, NULL, at_once ? &now : NULL, mask);
}

#endif
