/* perm.c (listener) - the mode says who may attach; who may signal is another matter.
 *
 * A segment has an owner, a group and nine permission bits, as a file has. Whoever may not attach
 * gets EACCES; whoever is neither its owner nor its creator and wants to change or remove it gets
 * EPERM, whatever the mode. And kill(2) asks for the same user: under 0666 a stranger can leave a
 * word, but it cannot ring. So a pair that rings is one user's, and for one user 0600 is enough.
 *
 *     listener                                talker
 *     IPC_SET 0400                  ------->  the owner itself tries
 *     IPC_SET 0600                  ------->  its children try, who have become other users:
 *     IPC_SET 0640                  ------->    one of our group, and a stranger
 *     IPC_SET 0666                  ------->
 *     finds the stranger's word
 *
 *     $ build/listener-perm                   $ build/talker-perm
 *
 * Question: Can a user who may write to the segment also send a signal to the listener?
 */
#include "../common/layout/perm.h"
#include "../common/lesson.h"
#include "../common/session.h"
#include "../common/ending.h"


static const char *const points[] = {"set", NULL};

static const struct program program = {
    .name = "listener-perm",
    .about = "Changes the mode of its segment, while a talker has other users try to get in.",
    .points = points,
};

static int mode_of(int shmid)
{
    struct shmid_ds about;
    if (sys_shmctl(shmid, IPC_STAT, &about) == -1)
        err(1, "shmctl(%d, IPC_STAT)", shmid);
    return about.shm_perm.mode & 0777;
}

static void set_mode(int shmid, int mode)
{
    explain("IPC_STAT, change the mode, IPC_SET: the owner and the group go back as they came");
    struct shmid_ds about;
    if (sys_shmctl(shmid, IPC_STAT, &about) == -1)
        err(1, "shmctl(%d, IPC_STAT)", shmid);
    about.shm_perm.mode = (unsigned short)mode;
    if (sys_shmctl(shmid, IPC_SET, &about) == -1)
        err(1, "shmctl(%d, IPC_SET) to mode %#o", shmid, (unsigned)mode);
    int now = mode_of(shmid);
    check(now == mode, "set the mode: it is %#o", (unsigned)now);
    trace_point("set");
}

int main(int argc, char **argv)
{
    static const int modes[] = {0400, 0600, 0640, 0666};
    struct options options = program_start(argc, argv, &program);
    struct session session;
    struct perm *shared = session_open(&session, &options, PERM_LESSON, sizeof *shared);
    session_await_talker(&session);

    int step = 0;
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        set_mode(session.segment.shmid, modes[i]);
        publish(&shared->mode, modes[i]);
        explain("have the others try; only shmat asks for the mode, so we, who are in, stay in");
        session_advance(&session, ++step);
        session_await(&session, ++step);
    }

    explain("look who was in last: a stranger, if the talker had one, and nobody heard it ring");
    int word = observe(&shared->word);
    check(word != 0, "the last word is of PID %d, %s", word,
          word == session.peer ? "the talker" : "another user's, who could not ring us");
    publish(&shared->mode, 0);
    session_advance(&session, ++step);
    session_part(&session);
    return program_end();
}
