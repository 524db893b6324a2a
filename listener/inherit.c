/* inherit.c (listener) - fork inherits attachments, and the memory is shared; exec and exit detach.
 *
 * A segment made with IPC_PRIVATE has no key, so no other process can find it. But a child has it
 * attached at the same addresses as its parent. Of memory from malloc a child gets a copy. The
 * kernel counts attachments, not processes (shm_nattch). The talker is not related to us: we give
 * it the shmid, and it counts from outside at each step.
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
 * Level: the heart; 5 minutes; after fields
 * Question: After two shmat calls and a fork, how many attachments does the kernel count?
 * Choices: 2 | 3 | 4
 * Answer: 4. The child has both attachments, too, and each one counts.
 * Shown by: after a fork: nattch 4
 */
#include "../common/layout/inherit.h"
#include "../common/lesson.h"
#include "../common/peer.h"
#include "../common/session.h"

#include <fcntl.h>
#include <sys/wait.h>

static const struct program program = {
    .name = "listener-inherit",
    .about = "Has children that inherit a segment without a key, call exec, and exit.",
    .question = "After two shmat calls and a fork, how many attachments does the kernel count?",
    .values = INHERIT_VALUES};

/* One number in the family's segment, which is attached twice, and one in memory from malloc. */
static _Atomic int *family, *twin, *copied;

/* A child, and our ends of two pipes. The child ends when `orders` does, at the latest with us. Its
 * `reports` end when it calls exec or exits. */
struct child {
    pid_t pid;
    int orders, reports;
};

static int make_family(void);
static void let_talker_count(struct session *session, int step);
static struct child have_child(struct session *session, bool execs);
static void send_off(struct session *session, const struct child *child);
static void wait_for_end(const struct child *child);

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    struct inherit *shared = session_open(&session, &options, INHERIT_LESSON, sizeof *shared);
    session_await_talker(&session);
    publish(&shared->shmid, make_family());
    let_talker_count(&session, INHERIT_TWICE);

    explain("fork: the child has both attachments, without a call of its own.");
    struct child child = have_child(&session, true);
    let_talker_count(&session, INHERIT_FORKED);
    explain("exec replaces the child's memory: it lives on, and has nothing attached.");
    send_off(&session, &child);
    bool lives = peer_is_alive(child.pid);
    check(lives, "PID %d has called exec, and %s", (int)child.pid, lives ? "lives" : "is dead");
    let_talker_count(&session, INHERIT_EXECED);
    wait_for_end(&child);

    explain("fork again: each fork adds as many attachments as the parent has.");
    child = have_child(&session, false);
    let_talker_count(&session, INHERIT_AGAIN);
    explain("This child exits without shmdt: the kernel detaches what a process leaves.");
    send_off(&session, &child);
    let_talker_count(&session, INHERIT_EXITED);
    wait_for_end(&child);

    explain("Detach one of the two: the segment stays, and we still have it at the other address.");
    if (sys_shmdt(twin) == -1)
        err(EXIT_FAILED, "shmdt(%p)", (void *)twin);
    check(*family == 2, "after one shmdt, the segment still holds %d", *family);
    let_talker_count(&session, INHERIT_ONCE);
    explain("Detach the last one: the segment is marked for removal, so it goes.");
    if (sys_shmdt(family) == -1)
        err(EXIT_FAILED, "shmdt(%p)", (void *)family);
    let_talker_count(&session, INHERIT_GONE);
    free(copied);
    session_part(&session);
    return program_end();
}

static void let_talker_count(struct session *session, int step)
{
    session_advance(session, step);
    session_await(session, step + 1);
}

static int make_family(void)
{
    explain("Create a segment without a key, and attach it twice: only our children inherit it.");
    int shmid = segment_private(segment_size(sizeof(int)));
    family = sys_shmat(shmid, NULL, 0);
    twin = sys_shmat(shmid, NULL, 0);
    if (family == (void *)-1 || twin == (void *)-1)
        err(EXIT_FAILED, "shmat(%d, NULL, 0)", shmid);

    explain("Mark it for removal at once: it stays for as long as it is attached.");
    if (sys_shmctl(shmid, IPC_RMID, NULL) == -1)
        err(EXIT_FAILED, "shmctl(%d, IPC_RMID)", shmid);
    if (!(copied = calloc(1, sizeof *copied)))
        err(EXIT_FAILED, "calloc(1, %zu)", sizeof *copied);
    return shmid;
}

/* The child's part: adds 1 in both, reports it, and waits for the order to exit or to call exec.
 * cat(1) lives until its stdin ends. */
static _Noreturn void live(int orders, int reports, bool execs)
{
    char ordered, *const arguments[] = {"cat", NULL};
    trace_stop_no_more();
    ++*family;
    ++*copied;
    if (write(reports, "!", 1) != 1 || read(orders, &ordered, 1) != 1)
        _exit(EXIT_FAILED);
    if (!execs)
        _exit(EXIT_DONE);
    program_restore_signals();
    if (dup2(orders, STDIN_FILENO) != -1 && fcntl(reports, F_SETFD, FD_CLOEXEC) != -1)
        sys_execvp(*arguments, arguments);
    warn("execvp(\"%s\")", *arguments);
    _exit(write(reports, "?", 1) == 1 ? 127 : EXIT_FAILED);
}

/* Returns whether there was a report before their end. */
static bool has_reported(struct session *session, const struct child *child)
{
    char report;
    ssize_t length = session_read(session, child->reports, &report, 1);
    if (length == -1)
        err(EXIT_FAILED, "read a report of PID %d", (int)child->pid);
    return length == 1;
}

static struct child have_child(struct session *session, bool execs)
{
    int orders[2], reports[2], before = *family;
    if (pipe(orders) == -1 || pipe(reports) == -1)
        err(EXIT_FAILED, "pipe()");
    struct child child = {.pid = sys_fork(), .orders = orders[1], .reports = reports[0]};
    if (child.pid == -1)
        err(EXIT_FAILED, "cannot start a child (see \"ulimit -u\"): fork()");
    if (close(child.pid == 0 ? orders[1] : orders[0]) == -1 ||
        close(child.pid == 0 ? reports[0] : reports[1]) == -1)
        err(EXIT_FAILED, "close");
    if (child.pid == 0)
        live(orders[0], reports[1], execs);

    bool has_lived = has_reported(session, &child);
    int now = *family, own = *copied;
    check(has_lived && now == before + 1 && *twin == now && own == 0,
          "PID %d added 1 to both: the segment holds %d, what was malloc'ed holds %d",
          (int)child.pid, now, own);
    return child;
}

/* Lets it exit or call exec, and waits until it has done so. */
static void send_off(struct session *session, const struct child *child)
{
    if (write(child->orders, "!", 1) != 1)
        err(EXIT_FAILED, "write an order for PID %d", (int)child->pid);
    if (has_reported(session, child))
        errx(EXIT_FAILED, "PID %d could not call exec", (int)child->pid);
}

static void wait_for_end(const struct child *child)
{
    if (close(child->orders) == -1 || close(child->reports) == -1 ||
        waitpid(child->pid, NULL, 0) == -1)
        err(EXIT_FAILED, "close, or waitpid(%d)", (int)child->pid);
}
