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
#include "../common/layout/rmid.h"
#include "../common/lesson.h"
#include "../common/session.h"
#include "../common/peer.h"
#include "../common/ending.h"


static const char *const points[] = {"removed", "anew", "last", NULL};

static const struct program program = {
    .name = "listener-rmid",
    .about = "Removes its segment while a talker is attached, and watches what becomes of both.",
    .points = points,
};

static void remove_it(struct session *session)
{
    int shmid = session->segment.shmid;
    explain("remove it while two are attached: the key goes at once, the memory has to wait");
    if (sys_shmctl(shmid, IPC_RMID, NULL) == -1)
        err(1, "shmctl(%d, IPC_RMID)", shmid);
    segment_forget(shmid);
#ifdef SHM_DEST
    explain("ask by id: Linux still tells, and marks what will be destroyed");
    struct shmid_ds about;
    if (sys_shmctl(shmid, IPC_STAT, &about) == -1)
        err(1, "shmctl(%d, IPC_STAT)", shmid);
    check((about.shm_perm.mode & SHM_DEST) && calls_key_of(&about) == IPC_PRIVATE &&
              about.shm_nattch >= 2,
          "removed: dest is %s, the key is %#x and was %#x, attached %lu times",
          about.shm_perm.mode & SHM_DEST ? "set" : "not set", (unsigned)calls_key_of(&about),
          (unsigned)session->segment.key, (unsigned long)about.shm_nattch);
#else
    session_skip(session, "this system has no mark for a segment that is to be destroyed (SHM_DEST)");
#endif
    trace_point("removed");
    session_advance(session, RMID_REMOVED);
}

static void answer(struct session *session, struct rmid *shared)
{
    session_await(session, RMID_SAID);
    explain("answer in the removed segment: whoever is inside goes on as before");
    int said = observe(&shared->said);
    check(said == session->peer, "heard %d from the talker (PID %d) through the removed segment", said,
          (int)session->peer);
    publish(&shared->answered, -said);
    session_advance(session, RMID_ANSWERED);
}

static void compare(struct session *session, struct rmid *shared)
{
    session_await(session, RMID_ANEW);
    trace_point("anew");
    explain("find what has our key now: it is not what we have attached");
    struct segment other;
    segment_find(&other, session->segment.key);
    if (other.state == SEGMENT_GONE || other.state == SEGMENT_FOREIGN ||
        other.size < sizeof *shared) {
        ending_obey();
        if (peer_is_gone(session->peer, session->segment.shmid))
            errx(3, "the talker (PID %d) went away", (int)session->peer);
        segment_refuse(&other);
    }
    struct rmid *theirs = sys_shmat(other.shmid, NULL, SHM_RDONLY);
    if (theirs == (void *)-1)
        err(1, "shmat(%d, NULL, SHM_RDONLY)", other.shmid);
    check(other.shmid != session->segment.shmid && strncmp(theirs->text, shared->text, RMID_TEXT) != 0,
          "we sit in segment %d (\"%.*s\"), while our key leads to %d (\"%.*s\")",
          session->segment.shmid, RMID_TEXT, shared->text, other.shmid, RMID_TEXT, theirs->text);
    if (sys_shmdt(theirs) == -1)
        err(1, "shmdt(%p)", (void *)theirs);
    session_advance(session, RMID_COMPARED);
}

static void detach_last(struct session *session)
{
    int shmid = session->segment.shmid;
    struct shmid_ds about;
    session_await(session, RMID_LEAVING);
    session_await_attached(session, 1);
    int result = sys_shmctl(shmid, IPC_STAT, &about);
    check(result == 0, "the talker has detached: shmctl(%d, IPC_STAT) says %s", shmid,
          result == 0 ? "it is still there" : calls_error_name(errno));

    explain("detach: we are the last, and so this frees it");
    trace_point("last");
    segment_detach(&session->segment);
    result = sys_shmctl(shmid, IPC_STAT, &about);
    check(result == -1 && (errno == EINVAL || errno == EIDRM),
          "we have detached: shmctl(%d, IPC_STAT) says %s", shmid,
          result == 0 ? "it is still there" : calls_error_name(errno));
}

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    struct rmid *shared = session_open(&session, &options, RMID_LESSON, sizeof *shared);
    strcpy(shared->text, "the first listener's");
    session_await_talker(&session);

    remove_it(&session);
    answer(&session, shared);
    compare(&session, shared);
    detach_last(&session);
    return program_end();
}
