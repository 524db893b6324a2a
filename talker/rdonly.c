/* rdonly.c (talker) - writes the text, and has a child that dies of the store.
 *
 * The other half of listener/rdonly.c, which tells the story and is started first. The listener
 * handles its SIGSEGV; our child, like most programs, does not.
 *
 *     $ build/listener-rdonly                 $ build/talker-rdonly
 */
#include "../common/layout/rdonly.h"
#include "../common/lesson.h"
#include "../common/session.h"
#include "../common/ending.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

static const char *const points[] = {"store", NULL};

static const struct program program = {
    .name = "talker-rdonly",
    .about = "Writes a text for a listener; a child of it stores into read-only memory, and dies.",
    .points = points,
};

/* The child's part. It should not live to its end. */
static _Noreturn void store_and_die(int shmid)
{
    trace_stop_no_more();
    struct rdonly *readable = sys_shmat(shmid, NULL, SHM_RDONLY);
    if (readable == (void *)-1)
        err(1, "shmat(%d, NULL, SHM_RDONLY)", shmid);
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0}); /* leave no core file */
    signal(SIGSEGV, SIG_DFL);                       /* a sanitizer may have its own handler there */
    *(volatile char *)readable->text = '!';
    _exit(0);
}

static void watch_a_child_store(const struct session *session)
{
    explain(
        "let a child store where it may only read, with no handler, and see what becomes of it");
    trace_point("store");
    pid_t child = sys_fork();
    if (child == -1)
        err(1, "fork");
    if (child == 0)
        store_and_die(session->segment.shmid);
    int status;
    if (waitpid(child, &status, 0) == -1)
        err(1, "waitpid(%d)", (int)child);
    if (WIFSIGNALED(status))
        check(WTERMSIG(status) == SIGSEGV, "a child stored there, and died of signal %d (%s)",
              WTERMSIG(status), strsignal(WTERMSIG(status)));
    else
        check(false, "a child stored there, and lived to exit with %d", WEXITSTATUS(status));
}

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    struct rdonly *shared = session_join(&session, &options, RDONLY_LESSON, sizeof *shared);
    session_await(&session, RDONLY_ATTACHED);
    watch_a_child_store(&session);

    explain("write the text: our own attachment is for reading and writing");
    static const char said[] = "Hello, I'm talker";
    strcpy(shared->text, said);
    trace_publish_text("text", said, strlen(said));
    say("wrote: %s", said);
    session_advance(&session, RDONLY_SAID);

    session_await(&session, RDONLY_TRIED);
    explain("look whether the listener's store has changed the text");
    check(strcmp(shared->text, said) == 0, "the text after the listener's store: %.*s", RDONLY_TEXT,
          shared->text);
    session_part(&session);
    return program_end();
}
