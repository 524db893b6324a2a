/* textbook.h - the wire of the textbook's server and client, as the notes have it.
 *
 * The key is ftok("shmfile", 1). SIGUSR1 says that the message is there. Nothing says that the
 * reply is there: the talker sleeps for a fixed time. */
#ifndef LAYOUT_TEXTBOOK_H
#define LAYOUT_TEXTBOOK_H

enum { TEXTBOOK_SIZE = 1024 };

struct textbook {
    _Atomic char text[TEXTBOOK_SIZE]; /* a string: first the message, then the reply */
};

#endif
