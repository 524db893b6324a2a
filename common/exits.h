/* exits.h - what an exit status of ours means. */
#ifndef EXITS_H
#define EXITS_H

enum exit_status {
    EXIT_DONE = 0,    /* everything was done */
    EXIT_FAILED = 1,  /* a system call failed, or the data is wrong */
    EXIT_USAGE = 2,   /* the command line is wrong */
    EXIT_NO_PEER = 3, /* no peer: none there, it went away, or the time ran out */
    EXIT_BUSY = 4,    /* another listener, or another talker, was here first */
};

#endif
