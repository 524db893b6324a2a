/* perm.c (talker) - tries to get in under each mode: its owner, one of its group, a stranger.
 *
 * The other half of listener/perm.c, which tells the story and is started first. As root, mode 0600
 * stops nobody: so our children become other users first, and only root can have them do so.
 * Anybody else is shown what the mode is to the owner, and that is called skipped.
 *
 *     $ build/listener-perm                   $ build/talker-perm
 */
#if defined(__linux__)
#define _GNU_SOURCE /* setgroups */
#endif
#include "../common/layout/perm.h"
#include "../common/lesson.h"
#include "../common/session.h"
#include "../common/ending.h"

#include <grp.h>
#include <sys/wait.h>

static const char *const points[] = {"tried", NULL};

static const struct program program = {
    .name = "talker-perm",
    .about = "Tries to get into a segment under each mode: its owner, its group, and a stranger.",
    .points = points,
};

/* What is tried; how it went is 0, or the errno. */
enum { BECOME, READ, WRITE, SET, REMOVE, RING, TRIES };

/* ---- tries ---- */

static int try_attach(int shmid, int flags)
{
    struct perm *shared = sys_shmat(shmid, NULL, flags);
    if (shared == (void *)-1)
        return errno;
    if (!(flags & SHM_RDONLY))
        publish(&shared->word, (int)getpid());
    return sys_shmdt(shared) == -1 ? errno : 0;
}

static void try_all(const struct session *session, int error[TRIES])
{
    int shmid = session->segment.shmid;
    struct shmid_ds about = {.shm_perm = {.mode = 0666}};
    error[READ] = try_attach(shmid, SHM_RDONLY);
    error[WRITE] = try_attach(shmid, 0);
    error[SET] = sys_shmctl(shmid, IPC_SET, &about) == -1 ? errno : 0;
    error[REMOVE] = sys_shmctl(shmid, IPC_RMID, NULL) == -1 ? errno : 0;
    error[RING] = sys_kill(session->peer, SIGUSR1) == -1 ? errno : 0;
}

static const char *name_of(int error)
{
    return error == 0 ? "yes" : calls_error_name(error);
}

/* ---- other users ---- */

enum { NOBODY = 65534 };

struct user {
    const char *name;
    uid_t uid;
    gid_t gid;
    int shift; /* of a mode, to the bits that count for this user */
};

/* Returns 0, or the errno. */
static int become(const struct user *user)
{
#if defined(__linux__)
    bool done = setgroups(0, NULL) == 0 && setgid(user->gid) == 0 && setuid(user->uid) == 0;
    return done ? 0 : errno;
#else
    (void)user;
    return EPERM;
#endif
}

/* Has a child become `user` and try all. */
static void try_as(const struct user *user, struct session *session, int error[TRIES])
{
    enum { BYTES = TRIES * sizeof *error };
    int reports[2];
    if (pipe(reports) == -1)
        err(1, "pipe");
    pid_t child = sys_fork();
    if (child == -1)
        err(1, "fork");
    if (child == 0) {
        trace_stop_no_more();
        error[BECOME] = become(user);
        if (error[BECOME] == 0)
            try_all(session, error);
        _exit(write(reports[1], error, BYTES) == BYTES ? 0 : 1);
    }
    close(reports[1]);
    if (session_read(session, reports[0], error, BYTES) != BYTES)
        errx(1, "no word from PID %d, which was to be %s", (int)child, user->name);
    close(reports[0]);
    waitpid(child, NULL, 0);
}

/* ---- the story ---- */

static void let_owner_try(const struct session *session, int mode)
{
    explain(
        "the mode binds the owner, too, unless that is root; but the owner may always change it");
    int read = try_attach(session->segment.shmid, SHM_RDONLY);
    int write = try_attach(session->segment.shmid, 0);
    bool may = mode & 0200 || (write == 0 && geteuid() == 0);
    check(read == 0 && write == (may ? 0 : EACCES),
          "mode %#o, its owner (uid %u): read %s, write %s%s", (unsigned)mode, (unsigned)geteuid(),
          name_of(read), name_of(write), write == 0 && !(mode & 0200) ? " (root may)" : "");
}

/* Returns how kill went; or -1, and says why, where nobody can be another user here. */
static int let_try(const struct user *user, struct session *session, int mode)
{
    int error[TRIES] = {0};
    try_as(user, session, error);
    if (error[BECOME] != 0) {
        say("skipped: %s cannot try, only root can become another user (%s)", user->name,
                    calls_error_name(error[BECOME]));
        return -1;
    }
    int bits = mode >> user->shift;
    check(error[READ] == (bits & 4 ? 0 : EACCES) && error[WRITE] == (bits & 2 ? 0 : EACCES) &&
              error[SET] == EPERM && error[REMOVE] == EPERM && error[RING] == EPERM,
          "mode %#o, %s (uid %u): read %s, write %s, IPC_SET %s, IPC_RMID %s, kill %s",
          (unsigned)mode, user->name, (unsigned)user->uid, name_of(error[READ]),
          name_of(error[WRITE]), name_of(error[SET]), name_of(error[REMOVE]), name_of(error[RING]));
    return error[RING];
}

/* Returns as let_try, for the stranger. */
static int let_others_try(struct session *session, int mode)
{
    const struct user member = {"another user of its group", NOBODY, getegid(), 3};
    const struct user stranger = {"a stranger", NOBODY, NOBODY, 0};
    explain("let a child be another user, then try: as root it would get in whatever the mode");
    if (let_try(&member, session, mode) == -1)
        return -1;
    return let_try(&stranger, session, mode);
}

/* A process that is dead, and has been waited for. */
static pid_t somebody_dead(void)
{
    pid_t child = sys_fork();
    if (child == -1)
        err(1, "fork");
    if (child == 0)
        _exit(0);
    waitpid(child, NULL, 0);
    return child;
}

static void tell_alive_from_dead(pid_t alive, int error)
{
    explain("EPERM is an answer as well: somebody is there; of the dead, kill says ESRCH");
    pid_t dead = somebody_dead();
    int of_dead = sys_kill(dead, 0) == -1 ? errno : 0;
    if (error == 0)
        say("skipped: PID %d is ours to signal, there is nobody else", (int)alive);
    else
        check(error == EPERM, "kill of PID %d, which is another's and lives: %s", (int)alive,
              name_of(error));
    check(of_dead == ESRCH, "kill of PID %d, which is dead: %s", (int)dead, name_of(of_dead));
}

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    struct perm *shared = session_join(&session, &options, PERM_LESSON, sizeof *shared);

    int ring = 0;
    for (int step = 1;; step += 2) {
        session_await(&session, step);
        int mode = observe(&shared->mode);
        if (mode == 0)
            break;
        let_owner_try(&session, mode);
        if (ring != -1)
            ring = let_others_try(&session, mode);
        trace_point("tried");
        session_advance(&session, step + 1);
    }
    if (ring != -1)
        tell_alive_from_dead(session.peer, ring);
    else
        tell_alive_from_dead(1, sys_kill(1, 0) == -1 ? errno : 0);
    session_part(&session);
    return program_end();
}
