/* perm.c (listener) - the mode says who may attach a segment, but not who may send a signal.
 *
 * A segment has an owner, a group and nine permission bits, as a file has. A user for whom the bits
 * are not set gets EACCES from shmat. Only the owner and the creator may change or remove the
 * segment: others get EPERM, whatever the mode. And kill(2) asks for the same user. Under mode 0666
 * a stranger can write a word, but cannot signal the listener. So the two sides of a pair belong to
 * one user, and for one user 0600 is enough.
 *
 *     listener                                talker
 *     IPC_SET 0400                  ------->  for each mode three users try to read, write,
 *     IPC_SET 0600                  ------->    change, remove and signal: the owner, a member
 *     IPC_SET 0640                  ------->    of its group, and a stranger; the last two are
 *     IPC_SET 0666                  ------->    children of the talker
 *     finds the stranger's word
 *
 *     $ build/listener-perm                   $ build/talker-perm
 *
 * Level: the heart; 5 minutes; after fields
 * Question: Can a user who may write to the segment also send a signal to the listener?
 * Answer: no. kill asks who the user is, and not what the mode of the segment is.
 * Shown by: kill of PID *, which is another*EPERM
 */
#include "../common/layout/perm.h"
#include "../common/lesson.h"
#include "../common/session.h"

static const char *const points[] = {"set", NULL};

static const struct program program = {
    .name = "listener-perm",
    .about = "Changes the mode of its segment, while a talker has other users try to use it.",
    .question = "Can a user who may write to the segment also send a signal to the listener?",
    .points = points,
    .values = PERM_VALUES};

static void set_mode(int shmid, int mode);

int main(int argc, char **argv)
{
    static const int modes[] = {0400, 0600, 0640, 0666};
    struct options options = program_start(argc, argv, &program);
    struct session session;
    struct perm *shared = session_open(&session, &options, PERM_LESSON, sizeof *shared);
    session_await_talker(&session);

    int step = 0;
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        explain("IPC_STAT, change the mode, IPC_SET: the owner and the group stay as they are.");
        set_mode(session.segment.shmid, modes[i]);
        trace_point("set");
        explain("Let the users try. Only shmat asks for the mode: we stay attached.");
        publish(&shared->mode, modes[i]);
        session_advance(&session, ++step);
        session_await(&session, ++step);
    }

    explain("Look who wrote last. If it was a stranger, its signal has not reached us.");
    int word = observe(&shared->word);
    check(word != 0, "the last word is from PID %d, %s", word,
          word == session.peer ? "the talker" : "a stranger, who could not signal us");
    publish(&shared->mode, NO_MORE);
    session_advance(&session, ++step);
    session_part(&session);
    return program_end();
}

static void set_mode(int shmid, int mode)
{
    struct shmid_ds about;
    if (sys_shmctl(shmid, IPC_STAT, &about) == -1)
        err(EXIT_FAILED, "shmctl(%d, IPC_STAT)", shmid);
    about.shm_perm.mode = (unsigned short)mode;
    if (sys_shmctl(shmid, IPC_SET, &about) == -1)
        err(EXIT_FAILED, "shmctl(%d, IPC_SET) to mode %#o", shmid, (unsigned)mode);
    if (sys_shmctl(shmid, IPC_STAT, &about) == -1)
        err(EXIT_FAILED, "shmctl(%d, IPC_STAT)", shmid);
    int now = about.shm_perm.mode & 0777;
    check(now == mode, "set the mode: it is %#o", (unsigned)now);
}
