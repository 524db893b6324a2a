/* textbook.h - the wire of the textbook's server and client, as the notes have it.
 *
 * The key is ftok("shmfile", 1). The segment is 1024 bytes, and all that is in it is one string at
 * its beginning: first the talker's message, then the listener's reply in its place. SIGUSR1 tells
 * the listener that the message is there; nothing tells the talker that the reply is: it naps.
 */
#ifndef LAYOUT_TEXTBOOK_H
#define LAYOUT_TEXTBOOK_H

#include "../sys.h"

#include <err.h>
#include <string.h>
#include <unistd.h>

enum { TEXTBOOK_SIZE = 1024 };

/* Whether a segment can be a textbook's. There is no magic, so this is all that can be asked: its
 * size, its owner, and that it holds a string. */
static inline bool textbook_fits(int shmid, const struct shmid_ds *about)
{
    const struct ipc_perm *perm = &about->shm_perm;
    if (about->shm_segsz != TEXTBOOK_SIZE || perm->uid != geteuid() || perm->cuid != geteuid())
        return false;
    const char *text = sys_shmat(shmid, NULL, SHM_RDONLY);
    if (text == (void *)-1)
        return false;
    bool string = strnlen(text, TEXTBOOK_SIZE) < TEXTBOOK_SIZE;
    if (sys_shmdt(text) == -1)
        warn("shmdt(%p)", (const void *)text);
    return string;
}

#endif
