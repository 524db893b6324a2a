/* rmid.c (listener) - a removed segment lives on, without its key, until the last has detached.
 *
 * IPC_RMID takes the key away at once, and the memory only when nobody has it attached any more:
 * `ipcs -m` shows key 0 and "dest" meanwhile. Those inside notice nothing. But the key is free, so
 * the next listener creates another segment with it: two who believe that they share one, and do
 * not. That is why only the owner removes, and only when it leaves.
 *
 *     listener                                talker
 *     IPC_RMID, REMOVED            ------->   looks for it by key, and by id
 *                                  <-------   says something all the same, SAID
 *     ANSWERED                     ------->
 *                                  <-------   creates the key anew, ANEW
 *     finds that one by the key, COMPARED ->
 *                                  <-------   LEAVING, detaches
 *     detaches, the last: freed
 *
 *     $ build/listener-rmid                   $ build/talker-rmid
 *
 * Add --hold removed to see it in another terminal: ipcs -m
 *
 * Question: Can two processes still talk through a segment that has been removed?
 */
#if defined(__linux__)
#define _GNU_SOURCE /* SHM_DEST */
#endif
#include "../common/pairs/rmid.h"
#include "../common/claim.h"
#include "../common/sys.h"

#include <err.h>
#include <errno.h>
#include <string.h>

static const char *const points[] = {"removed", "anew", "last", NULL};

static const struct program program = {
    .name = "listener-rmid",
    .usage = "[options]",
    .about = "Removes its segment while a talker is attached, and watches what becomes of both.",
    .points = points,
};

static void remove_it(struct meet *meet)
{
    int shmid = meet->segment.shmid;
    explain("remove it while two are attached: the key goes at once, the memory has to wait");
    if (sys_shmctl(shmid, IPC_RMID, NULL) == -1)
        err(1, "shmctl(%d, IPC_RMID)", shmid);
    segment_forget(shmid);
#ifdef SHM_DEST
    explain("ask by id: Linux still tells, and marks what will be destroyed");
    struct shmid_ds about;
    if (sys_shmctl(shmid, IPC_STAT, &about) == -1)
        err(1, "shmctl(%d, IPC_STAT)", shmid);
    claim((about.shm_perm.mode & SHM_DEST) && sys_key_of(&about) == IPC_PRIVATE &&
              about.shm_nattch >= 2,
          "removed: dest is %s, the key is %#x and was %#x, attached %lu times",
          about.shm_perm.mode & SHM_DEST ? "set" : "not set", (unsigned)sys_key_of(&about),
          (unsigned)meet->segment.key, (unsigned long)about.shm_nattch);
#else
    meet_skip(meet, "this system has no mark for a segment that is to be destroyed (SHM_DEST)");
#endif
    narrate_point("removed");
    meet_advance(meet, RMID_REMOVED);
}

static void answer(struct meet *meet, struct rmid *shared)
{
    meet_await(meet, RMID_SAID);
    explain("answer in the removed segment: whoever is inside goes on as before");
    int said = (int)observe(&shared->said);
    claim(said == meet->peer, "heard %d from the talker (PID %d) through the removed segment", said,
          (int)meet->peer);
    publish(&shared->answered, -said);
    meet_advance(meet, RMID_ANSWERED);
}

static void compare(struct meet *meet, struct rmid *shared)
{
    meet_await(meet, RMID_ANEW);
    narrate_point("anew");
    explain("find what has our key now: it is not what we have attached");
    struct segment other;
    segment_find(&other, meet->segment.key);
    if (other.state == SEGMENT_GONE || other.state == SEGMENT_FOREIGN ||
        other.size < sizeof *shared) {
        wakeup_end();
        if (wakeup_gone(meet->peer, meet->segment.shmid))
            errx(3, "the talker (PID %d) went away", (int)meet->peer);
        segment_refuse(&other);
    }
    struct rmid *theirs = sys_shmat(other.shmid, NULL, SHM_RDONLY);
    if (theirs == (void *)-1)
        err(1, "shmat(%d, NULL, SHM_RDONLY)", other.shmid);
    claim(other.shmid != meet->segment.shmid && strncmp(theirs->text, shared->text, RMID_TEXT) != 0,
          "we sit in segment %d (\"%.*s\"), while our key leads to %d (\"%.*s\")",
          meet->segment.shmid, RMID_TEXT, shared->text, other.shmid, RMID_TEXT, theirs->text);
    if (sys_shmdt(theirs) == -1)
        err(1, "shmdt(%p)", (void *)theirs);
    meet_advance(meet, RMID_COMPARED);
}

static void detach_last(struct meet *meet)
{
    int shmid = meet->segment.shmid;
    struct shmid_ds about;
    meet_await(meet, RMID_LEAVING);
    meet_await_attached(meet, 1);
    int result = sys_shmctl(shmid, IPC_STAT, &about);
    claim(result == 0, "the talker has detached: shmctl(%d, IPC_STAT) says %s", shmid,
          result == 0 ? "it is still there" : sys_error_name(errno));

    explain("detach: we are the last, and so this frees it");
    narrate_point("last");
    segment_detach(&meet->segment);
    result = sys_shmctl(shmid, IPC_STAT, &about);
    claim(result == -1 && (errno == EINVAL || errno == EIDRM),
          "we have detached: shmctl(%d, IPC_STAT) says %s", shmid,
          result == 0 ? "it is still there" : sys_error_name(errno));
}

int main(int argc, char **argv)
{
    struct options options = options_parse(argc, argv, &program);
    wakeup_block();
    struct meet meet;
    meet_open(&meet, &options, RMID_LESSON, sizeof(struct rmid));
    struct rmid *shared = (struct rmid *)meet.shared;
    strcpy(shared->text, "the first listener's");
    meet_await_talker(&meet);

    remove_it(&meet);
    answer(&meet, shared);
    compare(&meet, shared);
    detach_last(&meet);
    wakeup_end();
    return claim_status();
}
