/* full.c (listener) - at a limit shmget fails with EINVAL or ENOSPC; another namespace is
 * unaffected.
 *
 * The limits belong to the IPC namespace. A child of ours gets a namespace of its own, lowers the
 * limits there, and reaches each of them: SHMMAX is refused with EINVAL, SHMALL and SHMMNI with
 * ENOSPC, and SHMSEG is not enforced at all. The limits of the system stay as they are.
 *
 *     listener                                talker
 *     its child reaches its limits
 *     REACHED                       ------->  creates a segment in the system's namespace
 *     its child ends                <-------  CREATED
 *     OVER                          ------->
 *
 *     $ build/listener-full                   $ build/talker-full
 *
 * Level: beyond; 3 minutes; after limits
 * Question: One IPC namespace is full. Can a process in another one still create a segment?
 * Answer: yes. The limits belong to a namespace, and the other one has its own.
 * Shown by: the system is not full
 */
#if defined(__linux__)
#define _GNU_SOURCE /* IPC_INFO, SHM_INFO, unshare */
#endif
#include "../common/layout/full.h"
#include "../common/lesson.h"
#include "../common/session.h"

#include <sched.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>

static const struct program program = {
    .name = "listener-full",
    .about = "Has a child lower the limits of its own IPC namespace, and reach each of them.",
    .question = "One IPC namespace is full. Can a process in another one still create a segment?",
    .values = FULL_VALUES};

#ifdef IPC_INFO
static void fill_a_namespace(struct session *session);
#endif

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    session_open(&session, &options, FULL_LESSON, sizeof(struct full));
    session_await_talker(&session);
#ifdef IPC_INFO
    fill_a_namespace(&session);
#else
    session_skip(&session, "this system does not have IPC_INFO");
#endif
    session_advance(&session, FULL_OVER);
    session_part(&session);
    return program_end();
}

#ifdef IPC_INFO

static struct shminfo ask(void)
{
    struct shminfo info;
    if (sys_shmctl(0, IPC_INFO, (struct shmid_ds *)&info) == -1)
        err(EXIT_FAILED, "shmctl(0, IPC_INFO)");
    return info;
}

static _Noreturn void be_the_child(int parent);

static void fill_a_namespace(struct session *session)
{
    explain("Limits belong to the IPC namespace: a child leaves ours, and lowers its own.");
    struct shminfo before = ask();
    int ends[2], error = 0, status;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == -1)
        err(EXIT_FAILED, "socketpair(AF_UNIX)");
    pid_t child = sys_fork();
    if (child == -1)
        err(EXIT_FAILED, "cannot start a child (see \"ulimit -u\"): fork()");
    if (child == 0) {
        if (close(ends[0]) == -1)
            err(EXIT_FAILED, "close(%d)", ends[0]);
        be_the_child(ends[1]);
    }
    if (close(ends[1]) == -1)
        err(EXIT_FAILED, "close(%d)", ends[1]);
    if (session_read(session, ends[0], &error, sizeof error) == sizeof error && error != 0)
        session_skip(session, "no limits of its own for a child: %s", calls_error_name(error));
    session_advance(session, FULL_REACHED);
    session_await(session, FULL_CREATED);

    explain("Let the child end. Its namespace and its segments end with it.");
    if (close(ends[0]) == -1 || waitpid(child, &status, 0) == -1)
        err(EXIT_FAILED, "waitpid(%d)", (int)child);
    struct shminfo after = ask();
    check(status == 0 && after.shmmni == before.shmmni && after.shmmax == before.shmmax &&
              after.shmall == before.shmall,
          "the system's are unchanged: SHMMNI %lu, SHMMAX %lu, SHMALL %lu", after.shmmni,
          after.shmmax, after.shmall);
}

/* ---- the child ---- */

static bool leave_the_namespace(void);
static void reach_the_limits(size_t page);

/* Reports 0 or an errno, and keeps its namespace until the parent has closed its end, or died. */
static _Noreturn void be_the_child(int parent)
{
    trace_stop_no_more(); /* the parent waits for it */
    int error = leave_the_namespace() ? 0 : errno;
    if (error == 0)
        reach_the_limits((size_t)sysconf(_SC_PAGESIZE));
    if (write(parent, &error, sizeof error) != sizeof error)
        err(EXIT_FAILED, "write to the parent");
    for (char end; error == 0 && read(parent, &end, 1) > 0;)
        continue;
    exit(check_status());
}

static bool write_number(const char *path, const char *format, unsigned long number)
{
    FILE *file = fopen(path, "w");
    bool written = file && fprintf(file, format, number) > 0;
    return file && fclose(file) == 0 && written;
}

/* Root may leave at once. Another user first needs a user namespace, in which it is root. Without
 * /proc, or with one that is read-only, there is no use in it: the limits cannot be set. */
static bool leave_the_namespace(void)
{
    unsigned long user = geteuid();
    bool left = unshare(CLONE_NEWIPC) == 0 || (unshare(CLONE_NEWUSER | CLONE_NEWIPC) == 0 &&
                                               write_number("/proc/self/uid_map", "0 %lu 1", user));
    return left && access("/proc/sys/kernel/shmmax", W_OK) == 0;
}

/* To be called only after leave_the_namespace: otherwise it would set the limit of the system. */
static void set(const char *path, size_t limit)
{
    if (!write_number(path, "%lu", limit))
        err(EXIT_FAILED, "write %zu to %s", limit, path);
}

static void refuse(size_t bytes, int error, const char *limit, size_t lowered)
{
    int shmid = sys_shmget(IPC_PRIVATE, bytes, 0600);
    check(shmid == -1 && errno == error, "%s lowered to %zu: one more segment, of %zu bytes: %s",
          limit, lowered, bytes, shmid == -1 ? calls_error_name(errno) : "granted");
}

static void reach_the_limits(size_t page)
{
    enum { FEW = 3 }; /* so many segments, of a page each */
    explain("SHMMAX: a segment may have this size, but not one byte more.");
    set("/proc/sys/kernel/shmmax", page);
    refuse(page + 1, EINVAL, "SHMMAX", page);
    int shmids[FEW];
    for (int i = 0; i < FEW; i++)
        if ((shmids[i] = sys_shmget(IPC_PRIVATE, page, 0600)) == -1)
            err(EXIT_FAILED, "shmget(IPC_PRIVATE, %zu, 0600)", page);
    print_line("created %d segments of %zu bytes", FEW, page);

    explain("SHMALL: so many pages in all segments together.");
    set("/proc/sys/kernel/shmall", FEW);
    refuse(page, ENOSPC, "SHMALL", FEW);
    set("/proc/sys/kernel/shmall", FEW + 1);

    explain("SHMMNI: so many segments, of whatever size. SHM_INFO counts them.");
    set("/proc/sys/kernel/shmmni", FEW);
    refuse(page, ENOSPC, "SHMMNI", FEW);
    struct shm_info usage;
    if (sys_shmctl(0, SHM_INFO, (struct shmid_ds *)&usage) == -1)
        err(EXIT_FAILED, "shmctl(0, SHM_INFO)");
    check(usage.used_ids == FEW && usage.shm_tot == FEW,
          "SHM_INFO counts %d segments and %lu pages in this namespace", usage.used_ids,
          usage.shm_tot);

    explain("SHMSEG: Linux reports the value of SHMMNI, and lets a process attach more.");
    set("/proc/sys/kernel/shmmni", FEW - 1); /* the segments that are there stay */
    unsigned long shmseg = ask().shmseg, attached = 0;
    for (int i = 0; i < FEW; i++)
        attached += sys_shmat(shmids[i], NULL, SHM_RDONLY) != (void *)-1;
    check(attached > shmseg, "SHMSEG lowered to %lu: %lu segments attached all the same", shmseg,
          attached);
}

#endif
