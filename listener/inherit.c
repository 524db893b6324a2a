/* inherit.c (listener) - fork inherits attachments, and the memory is shared; exec and exit detach.
 *
 * Relatives need no key: a segment made with IPC_PRIVATE is found by nobody, but a child has it
 * attached where its parent has. Of what was malloc'ed it gets a copy. The kernel counts
 * attachments, not processes (shm_nattch): two of ours and a fork make four. The talker, who is no
 * relative, is told the shmid, and counts at each step from outside.
 *
 *     listener                child                   talker
 *     shmat, shmat                                    counts 2
 *     fork          ------->  adds 1 in both          counts 4
 *                             exec                    counts 2
 *     fork          ------->  adds 1 in both          counts 4
 *                             exits, without shmdt    counts 2
 *     shmdt                                           counts 1
 *     shmdt                                           finds it gone
 *
 *     $ build/listener-inherit                        $ build/talker-inherit
 *
 * Question: After two shmat calls and a fork, how many attachments does the kernel count?
 */
#include "../common/layout/inherit.h"
#include "../common/lesson.h"
#include "../common/session.h"
#include "../common/peer.h"
#include "../common/ending.h"

#include <fcntl.h>
#include <sys/wait.h>

static const struct program program = {
    .name = "listener-inherit",
    .about = "Has children that inherit a segment without a key, call exec, and exit.",
};

/* ---- the family's segment ---- */

/* A number in the segment, which we have attached twice, and one in memory of our own. volatile: a
 * child may change them, and the compiler knows nothing of fork. */
struct family {
    int shmid;
    volatile int *shared, *twin; /* attached twice */
    volatile int *copied;        /* malloc'ed */
};

static volatile int *attach(int shmid)
{
    volatile int *at = sys_shmat(shmid, NULL, 0);
    if (at == (void *)-1)
        err(1, "shmat(%d, NULL, 0)", shmid);
    return at;
}

static void detach(volatile int *at)
{
    if (sys_shmdt((const void *)at) == -1)
        err(1, "shmdt(%p)", (void *)at);
}

static struct family make_family(void)
{
    explain("make a segment without a key: nobody can find it, but our children will have it");
    int shmid = sys_shmget(IPC_PRIVATE, segment_size(sizeof(int)), 0600);
    if (shmid == -1)
        err(1, "shmget(IPC_PRIVATE, %zu, 0600)", segment_size(sizeof(int)));
    segment_remove_at_exit(shmid);
    struct family family = {.shmid = shmid, .shared = attach(shmid), .twin = attach(shmid)};

    explain("mark it for removal at once: it stays while it is attached, and no longer");
    if (sys_shmctl(shmid, IPC_RMID, NULL) == -1)
        err(1, "shmctl(%d, IPC_RMID)", shmid);
    segment_forget(shmid);
    family.copied = malloc(sizeof *family.copied);
    if (!family.copied)
        err(1, "malloc");
    *family.shared = *family.copied = 0;
    return family;
}

/* ---- children ---- */

/* A child, and two pipes. Its orders come through the one; when that ends, so does the child: with
 * us, at the latest. Its reports go through the other, which ends when it calls exec, or exits. */
struct child {
    pid_t pid;
    int orders[2], reports[2];
};

/* As fork(2): returns 0 in the child. */
static pid_t fork_child(struct child *child)
{
    if (pipe(child->orders) == -1 || pipe(child->reports) == -1 ||
        fcntl(child->reports[1], F_SETFD, FD_CLOEXEC) == -1)
        err(1, "pipe");
    child->pid = sys_fork();
    if (child->pid == -1)
        err(1, "fork");
    if (child->pid == 0) {
        close(child->orders[1]);
        close(child->reports[0]);
        trace_stop_no_more();
    } else {
        close(child->orders[0]);
        close(child->reports[1]);
    }
    return child->pid;
}

/* The child's part: stores in both, and when it is ordered to, calls exec (cat(1) does nothing but
 * live, until its stdin ends), or exits. */
static _Noreturn void live(const struct child *self, const struct family *family, bool execs)
{
    char ordered;
    char *const arguments[] = {"cat", NULL};
    ++*family->shared;
    ++*family->copied;
    if (write(self->reports[1], "!", 1) != 1 || read(self->orders[0], &ordered, 1) != 1)
        _exit(1);
    if (!execs)
        _exit(0);
    if (dup2(self->orders[0], STDIN_FILENO) != -1)
        sys_execvp(*arguments, arguments);
    warn("execvp(\"%s\")", *arguments);
    _exit(write(self->reports[1], "?", 1) == 1 ? 127 : 1);
}

/* ---- the story ---- */

/* Has the talker count. */
static void show(struct session *session, int step)
{
    session_advance(session, step);
    session_await(session, step + 1);
}

/* Waits for a report, or the end of the reports. Returns whether there was one. */
static bool has_reported(struct session *session, const struct child *child)
{
    char report;
    ssize_t length = session_read(session, child->reports[0], &report, 1);
    if (length == -1)
        err(1, "read a report of PID %d", (int)child->pid);
    return length == 1;
}

static struct child have_child(struct session *session, const struct family *family, bool execs, int step)
{
    struct child child;
    int shared = *family->shared, copied = *family->copied;
    if (fork_child(&child) == 0)
        live(&child, family, execs);
    bool has_lived = has_reported(session, &child);
    show(session, step);
    check(has_lived && *family->shared == shared + 1 && *family->twin == shared + 1 &&
              *family->copied == copied,
          "PID %d added 1 to both: the segment holds %d, what was malloc'ed holds %d",
          (int)child.pid, *family->shared, *family->copied);
    return child;
}

/* Has it do what it is there for, exec or exit. */
static void send_off(struct session *session, const struct child *child, int step)
{
    if (write(child->orders[1], "!", 1) == -1)
        err(1, "write an order for PID %d", (int)child->pid);
    if (has_reported(session, child))
        errx(1, "PID %d could not call exec", (int)child->pid);
    show(session, step);
}

static void bury(const struct child *child)
{
    close(child->orders[1]);
    close(child->reports[0]);
    if (waitpid(child->pid, NULL, 0) == -1)
        err(1, "waitpid(%d)", (int)child->pid);
}

static void have_children(struct session *session, const struct family *family)
{
    explain("fork: the child has both attachments too, without a call of its own");
    struct child first = have_child(session, family, true, INHERIT_FORKED);
    explain("exec replaces all of the child's memory: nothing stays attached, though it lives on");
    send_off(session, &first, INHERIT_EXECED);
    bool lives = peer_is_alive(first.pid);
    check(lives, "PID %d has called exec, and %s", (int)first.pid, lives ? "lives" : "is dead");
    bury(&first);

    explain("fork again: each fork adds as many attachments as its parent has");
    struct child second = have_child(session, family, false, INHERIT_AGAIN);
    explain("this child exits without shmdt: the kernel detaches what a process leaves");
    send_off(session, &second, INHERIT_EXITED);
    bury(&second);
}

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    struct inherit *shared = session_open(&session, &options, INHERIT_LESSON, sizeof *shared);
    session_await_talker(&session);

    struct family family = make_family();
    publish(&shared->shmid, family.shmid);
    show(&session, INHERIT_TWICE);
    have_children(&session, &family);

    explain("detach one of the two: the segment stays, and is still there at the other address");
    detach(family.twin);
    show(&session, INHERIT_ONCE);
    check(*family.shared == 2, "after one shmdt, the segment still holds %d", *family.shared);
    explain("detach the last one: the segment was marked, and goes with it");
    detach(family.shared);
    show(&session, INHERIT_GONE);
    free((void *)family.copied);
    session_part(&session);
    return program_end();
}
