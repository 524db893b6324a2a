/* rmid.c (listener) - a removed segment lives on, without its key, until the last process detaches.
 *
 * IPC_RMID takes the key away at once. The memory stays until no process has it attached; until
 * then "ipcs -m" shows the key 0 and "dest". The processes that have it attached notice nothing.
 * But the key is free, so the next listener creates another segment with it. Then two processes
 * believe that they share one segment, and do not. So only the owner removes a segment, and only
 * when it leaves.
 *
 *     listener                                talker
 *     IPC_RMID, REMOVED            ------->   looks for it by key, and by id
 *                                  <-------   says something all the same, SAID
 *     ANSWERED                     ------->
 *                                  <-------   creates another segment, ANEW
 *     finds that one by the key, COMPARED ->
 *                                  <-------   LEAVING, detaches
 *     detaches, the last: freed
 *
 *     $ build/listener-rmid                   $ build/talker-rmid
 *
 * Add --hold removed to see it in another terminal: ipcs -m
 *
 * Level: the heart; 5 minutes; after lifetime
 * Question: Can two processes still talk through a segment that has been removed?
 * Answer: yes. IPC_RMID takes the key away; the memory stays until the last one detaches.
 * Shown by: through the removed segment
 */
#if defined(__linux__)
#define _GNU_SOURCE /* SHM_DEST */
#endif
#include "../common/layout/rmid.h"
#include "../common/ending.h"
#include "../common/lesson.h"
#include "../common/peer.h"
#include "../common/session.h"

static void remove_it(struct session *session);
static void answer(struct session *session, struct rmid *shared);
static void compare(struct session *session, const struct rmid *shared);
static int find_by_key(const struct session *session);
static void detach_last(struct session *session);

static const char *const points[] = {"removed", "anew", "last", NULL};

static const struct program program = {
    .name = "listener-rmid",
    .about = "Removes its segment while a talker is attached, and shows what becomes of both.",
    .question = "Can two processes still talk through a segment that has been removed?",
    .points = points,
    .values = RMID_VALUES};

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    struct rmid *shared = session_create(&session, &options, RMID_LESSON, sizeof(struct rmid), 0);
    copy_text_in(shared->text, "the first listener's", sizeof shared->text);
    session_announce(&session);
    session_await_talker(&session);

    remove_it(&session);
    trace_point("removed");
    session_advance(&session, REMOVED);
    answer(&session, shared);
    session_await(&session, ANEW);
    trace_point("anew");
    compare(&session, shared);
    session_advance(&session, COMPARED);
    session_await(&session, LEAVING);
    detach_last(&session);
    return program_end();
}

static void remove_it(struct session *session)
{
    int shmid = session->segment.shmid;
    explain("Remove it while two processes are attached: the key goes, the memory stays.");
    if (sys_shmctl(shmid, IPC_RMID, NULL) == -1)
        err(EXIT_FAILED, "shmctl(%d, IPC_RMID)", shmid);
#ifdef SHM_DEST
    explain("Ask the kernel by id: Linux still answers, and marks the segment with SHM_DEST.");
    struct shmid_ds about;
    if (sys_shmctl(shmid, IPC_STAT, &about) == -1)
        err(EXIT_FAILED, "shmctl(%d, IPC_STAT)", shmid);
    bool marked = about.shm_perm.mode & SHM_DEST;
    check(marked && calls_key_of(&about) == IPC_PRIVATE && about.shm_nattch >= 2,
          "removed: dest is %s, the key is %#x and was %#x, attached %lu times",
          marked ? "set" : "not set", (unsigned)calls_key_of(&about),
          (unsigned)session->segment.key, (unsigned long)about.shm_nattch);
#else
    session_skip(session, "this system has no mark for a removed segment (SHM_DEST)");
#endif
}

static void answer(struct session *session, struct rmid *shared)
{
    session_await(session, SAID);
    explain("Answer in the removed segment: the processes that have it attached go on as before.");
    int said = observe(&shared->said);
    check(said == session->peer, "heard %d from the talker (PID %d) through the removed segment",
          said, (int)session->peer);
    publish(&shared->answered, -said);
    session_advance(session, ANSWERED);
}

static void compare(struct session *session, const struct rmid *shared)
{
    explain("Find the segment that has our key now: it is not the one that we have attached.");
    int shmid = find_by_key(session);
    const struct rmid *theirs = sys_shmat(shmid, NULL, SHM_RDONLY);
    if (theirs == (void *)-1)
        err(EXIT_FAILED, "shmat(%d, NULL, SHM_RDONLY)", shmid);
    char here[RMID_TEXT], there[RMID_TEXT];
    copy_text_out(here, shared->text, sizeof here);
    copy_text_out(there, theirs->text, sizeof there);
    check(shmid != session->segment.shmid && strcmp(here, there) != 0,
          "we use segment %d (\"%s\"), while our key leads to %d (\"%s\")", session->segment.shmid,
          here, shmid, there);
    if (sys_shmdt(theirs) == -1)
        err(EXIT_FAILED, "shmdt(%p)", (const void *)theirs);
}

/* Returns the id. The talker may have ended meanwhile: its exit removes the new segment. */
static int find_by_key(const struct session *session)
{
    struct segment other;
    segment_find(&other, session->segment.key);
    if (other.state == SEGMENT_UNBORN || other.state == SEGMENT_LIVE) {
        if (other.size >= sizeof(struct rmid))
            return other.shmid;
        errx(EXIT_FAILED, "segment %d has a size of %zu bytes, and this lesson needs %zu",
             other.shmid, other.size, sizeof(struct rmid));
    }
    ending_obey();
    if (peer_is_gone(session->peer, session->segment.shmid))
        errx(EXIT_NO_PEER, "the talker (PID %d) went away", (int)session->peer);
    segment_refuse(&other);
}

static void detach_last(struct session *session)
{
    int shmid = session->segment.shmid;
    struct shmid_ds about;
    session_await_attached(session, 1);
    int result = sys_shmctl(shmid, IPC_STAT, &about);
    check(result == 0, "the talker has detached: shmctl(%d, IPC_STAT) says %s", shmid,
          result == 0 ? "it is still there" : calls_error_name(errno));

    explain("Detach. We are the last process that has it attached, so this frees it.");
    trace_point("last");
    segment_detach(&session->segment);
    result = sys_shmctl(shmid, IPC_STAT, &about);
    check(result == -1 && segment_is_gone(), "we have detached: shmctl(%d, IPC_STAT) says %s",
          shmid, result == 0 ? "it is still there" : calls_error_name(errno));
}
