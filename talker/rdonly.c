/* rdonly.c (talker) - writes the text, and has a child that dies of a store.
 *
 * Read listener/rdonly.c first, and start it first. The listener handles its SIGSEGV. Our child
 * does not, like most programs.
 *
 *     $ build/listener-rdonly                 $ build/talker-rdonly
 */
#include "../common/layout/rdonly.h"
#include "../common/lesson.h"
#include "../common/session.h"

#include <sys/resource.h>
#include <sys/wait.h>

static const char *const points[] = {"store", NULL};

static const struct program program = {
    .name = "talker-rdonly",
    .about = "Writes a text for a listener. Its child stores into read-only memory, and dies.",
    .points = points,
    .values = RDONLY_VALUES};

static void watch_child_store(int shmid);

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    struct rdonly *shared = session_join(&session, &options, RDONLY_LESSON, sizeof *shared);
    session_await(&session, RDONLY_ATTACHED);
    watch_child_store(session.segment.shmid);

    explain("Write the text: our own attachment is for reading and writing.");
    static const char said[] = "Hello, I'm talker";
    copy_text_in(shared->text, said, sizeof shared->text);
    print_line("wrote: %s", said);
    session_advance(&session, RDONLY_SAID);

    session_await(&session, RDONLY_TRIED);
    explain("Check whether the listener's store has changed the text.");
    char text[RDONLY_TEXT];
    copy_text_out(text, shared->text, sizeof text);
    check(strcmp(text, said) == 0, "the text after the listener's store: %s", text);
    session_part(&session);
    return program_end();
}

/* The child's part. It dies of the store, without a core file. A sanitizer may have installed a
 * handler for SIGSEGV: away with it. */
static _Noreturn void store_and_die(int shmid)
{
    trace_stop_no_more();
    struct rdonly *readable = sys_shmat(shmid, NULL, SHM_RDONLY);
    if (readable == (void *)-1)
        err(EXIT_FAILED, "shmat(%d, NULL, SHM_RDONLY)", shmid);
    if (setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0}) == -1)
        err(EXIT_FAILED, "setrlimit(RLIMIT_CORE, 0)");
    if (signal(SIGSEGV, SIG_DFL) == SIG_ERR)
        err(EXIT_FAILED, "signal(SIGSEGV, SIG_DFL)");
    *(volatile char *)readable->text = '!';
    _exit(EXIT_DONE);
}

static void watch_child_store(int shmid)
{
    explain("A child stores where it may only read, without a handler: watch how it ends.");
    trace_point("store");
    pid_t child = sys_fork();
    if (child == -1)
        err(EXIT_FAILED, "cannot start a child (see \"ulimit -u\"): fork()");
    if (child == 0)
        store_and_die(shmid);
    int status;
    if (waitpid(child, &status, 0) == -1)
        err(EXIT_FAILED, "waitpid(%d)", (int)child);
    if (WIFSIGNALED(status))
        check(WTERMSIG(status) == SIGSEGV, "a child stored there, and died of signal %d (%s)",
              WTERMSIG(status), strsignal(WTERMSIG(status)));
    else
        check(false, "a child stored there, and lived to exit with %d", WEXITSTATUS(status));
}
