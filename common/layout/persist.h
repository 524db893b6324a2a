/* persist.h - the steps of a lesson about an object that has the layout of posix.h. */
#ifndef LAYOUT_PERSIST_H
#define LAYOUT_PERSIST_H

#include "posix.h"

#define PERSIST_LESSON SEGMENT_LESSON('p', 'r', 's', 't')

/* MADE and UNLINKED are the listener's steps, WRITTEN is the talker's. */
enum { PERSIST_MADE = 1, PERSIST_WRITTEN, PERSIST_UNLINKED };

#define PERSIST_VALUES "step: MET PERSIST_MADE PERSIST_WRITTEN PERSIST_UNLINKED SESSION_SKIPPED=-1"

struct persist {
    struct session_head session;
};

#endif
