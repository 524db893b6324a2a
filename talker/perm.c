/* perm.c (talker) - tries to use the segment under each mode as its owner, a member and a stranger.
 *
 * The other half of listener/perm.c, which tells the story and is started first. For root no mode
 * is a barrier, so a child becomes another user first, and then tries. Only root can do that. Run
 * by another user, the lesson shows what the mode means to the owner, and says what it skips.
 *
 *     $ build/listener-perm                   $ build/talker-perm
 */
#if defined(__linux__)
#define _GNU_SOURCE /* setgroups */
#endif
#include "../common/layout/perm.h"
#include "../common/lesson.h"
#include "../common/session.h"

#include <grp.h>
#include <sys/wait.h>

static const char *const points[] = {"tried", NULL};

static const struct program program = {
    .name = "talker-perm",
    .about = "Tries to use a segment under each mode: as its owner, a member and a stranger.",
    .points = points,
    .values = PERM_VALUES};

enum { NOBODY = 65534 };

struct user {
    const char *name;
    gid_t group;
    int shift; /* of a mode, to the bits that count for this user */
};

static pid_t dead_child; /* the last one that has tried */

static void try_as_owner(const struct session *session, int mode);
static int try_as(const struct user *user, struct session *session, int mode);
static void compare_with_a_dead_process(pid_t living, int error);

int main(int argc, char **argv)
{
    const struct user member = {"another user of its group", getegid(), 3};
    const struct user stranger = {"a stranger", NOBODY, 0};
    struct options options = program_start(argc, argv, &program);
    struct session session;
    struct perm *shared = session_join(&session, &options, PERM_LESSON, sizeof *shared);

    int error = 0; /* of the stranger's kill; -1: we cannot become another user */
    for (int step = 1;; step += 2) {
        session_await(&session, step);
        int mode = observe(&shared->mode);
        if (mode == NO_MORE)
            break;
        explain("Try as the owner: the mode binds the owner, too, but not root.");
        try_as_owner(&session, mode);
        explain("Let a child become another user, then try: for root no mode is a barrier.");
        if (error != -1 && (error = try_as(&member, &session, mode)) != -1)
            error = try_as(&stranger, &session, mode);
        trace_point("tried");
        session_advance(&session, step + 1);
    }

    explain("EPERM is an answer, too: the process is alive. For a dead one kill says ESRCH.");
    if (error != -1)
        compare_with_a_dead_process(session.peer, error);
    else
        compare_with_a_dead_process(1, sys_kill(1, 0) == -1 ? errno : 0);
    session_part(&session);
    return program_end();
}

/* ---- try ---- */

/* What is tried. The result is 0 or an errno. */
enum { BECOME, READ, WRITE, SET, REMOVE, SIGNAL, TRIES };

static const char *name_of(int error)
{
    return error == 0 ? "yes" : calls_error_name(error);
}

static int try_attach(int shmid, int flags)
{
    struct perm *shared = sys_shmat(shmid, NULL, flags);
    if (shared == (void *)-1)
        return errno;
    if (!(flags & SHM_RDONLY))
        publish(&shared->word, (int)getpid());
    return sys_shmdt(shared) == -1 ? errno : 0;
}

static void try_as_owner(const struct session *session, int mode)
{
    int read = try_attach(session->segment.shmid, SHM_RDONLY);
    int write = try_attach(session->segment.shmid, 0);
    bool by_mode = mode & 0200, by_root = write == 0 && geteuid() == 0 && !by_mode;
    check(read == 0 && write == (by_mode || by_root ? 0 : EACCES),
          "mode %#o, its owner (uid %u): read %s, write %s%s", (unsigned)mode, (unsigned)geteuid(),
          name_of(read), name_of(write), by_root ? " (root may)" : "");
}

/* Gives up all groups and rights of root. Returns 0 or an errno. */
static int become(const struct user *user)
{
#if defined(__linux__)
    bool done = setgroups(0, NULL) == 0 && setgid(user->group) == 0 && setuid(NOBODY) == 0;
    return done ? 0 : errno;
#else
    (void)user;
    return EPERM;
#endif
}

static void try_all(const struct session *session, int error[TRIES])
{
    int shmid = session->segment.shmid;
    struct shmid_ds about = {.shm_perm = {.mode = 0666}};
    error[READ] = try_attach(shmid, SHM_RDONLY);
    error[WRITE] = try_attach(shmid, 0);
    error[SET] = sys_shmctl(shmid, IPC_SET, &about) == -1 ? errno : 0;
    error[REMOVE] = sys_shmctl(shmid, IPC_RMID, NULL) == -1 ? errno : 0;
    error[SIGNAL] = sys_kill(session->peer, SIGUSR1) == -1 ? errno : 0;
}

/* Has a child become `user` and try. The child reports through a pipe. */
static void try_in_a_child(const struct user *user, struct session *session, int error[TRIES])
{
    const ssize_t bytes = TRIES * sizeof *error;
    int report[2];
    if (pipe(report) == -1)
        err(EXIT_FAILED, "pipe()");
    pid_t child = sys_fork();
    if (child == -1)
        err(EXIT_FAILED, "cannot start a child (see \"ulimit -u\"): fork()");
    if (child == 0) {
        trace_stop_no_more(); /* the parent waits for it */
        error[BECOME] = become(user);
        if (error[BECOME] == 0)
            try_all(session, error);
        _exit(write(report[1], error, (size_t)bytes) == bytes ? EXIT_DONE : EXIT_FAILED);
    }
    if (close(report[1]) == -1 || session_read(session, report[0], error, (size_t)bytes) != bytes)
        errx(EXIT_FAILED, "the child (PID %d), %s, has not reported", (int)child, user->name);
    if (close(report[0]) == -1 || waitpid(child, NULL, 0) == -1)
        err(EXIT_FAILED, "waitpid(%d)", (int)child);
    dead_child = child;
}

/* Returns how kill went, or -1, and says why, where we cannot become another user. */
static int try_as(const struct user *user, struct session *session, int mode)
{
    int error[TRIES] = {0}, bits = mode >> user->shift;
    try_in_a_child(user, session, error);
    if (error[BECOME] != 0) {
        print_line("skipped: %s cannot try, only root can become another user (%s)", user->name,
                   calls_error_name(error[BECOME]));
        return -1;
    }
    check(error[READ] == (bits & 4 ? 0 : EACCES) && error[WRITE] == (bits & 2 ? 0 : EACCES) &&
              error[SET] == EPERM && error[REMOVE] == EPERM && error[SIGNAL] == EPERM,
          "mode %#o, %s (uid %d): read %s, write %s, IPC_SET %s, IPC_RMID %s, kill %s",
          (unsigned)mode, user->name, NOBODY, name_of(error[READ]), name_of(error[WRITE]),
          name_of(error[SET]), name_of(error[REMOVE]), name_of(error[SIGNAL]));
    return error[SIGNAL];
}

/* ---- alive or dead ---- */

static void compare_with_a_dead_process(pid_t living, int error)
{
    int of_dead = sys_kill(dead_child, 0) == -1 ? errno : 0;
    if (error == 0)
        print_line("skipped: we may signal PID %d, and there is no other user's process",
                   (int)living);
    else
        check(error == EPERM, "kill of PID %d, which is another's and lives: %s", (int)living,
              name_of(error));
    check(of_dead == ESRCH, "kill of PID %d, which is dead: %s", (int)dead_child, name_of(of_dead));
}
