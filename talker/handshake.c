/* handshake.c (talker) - one message and one reply.
 *
 * Read listener/handshake.c first, and start it first. The listener creates and removes the
 * segment; the talker removes it only if the listener was killed. Another program may have the same
 * key. So the talker asks the kernel who created the segment before it sends a signal.
 *
 *     $ build/listener-handshake              $ build/talker-handshake "Hello"
 *     listener: waiting for a talker ...      talker: said: Hello
 *     listener: received: Hello               talker: listener said: Have a nice day
 *     listener: replied: Have a nice day
 */
#include "../common/layout/handshake.h"
#include "../common/lesson.h"
#include "../common/segment.h"
#include "../common/wait.h"

static const struct program program = {
    .name = "talker-handshake",
    .usage = "[options] [MESSAGE]",
    .about = "Says MESSAGE (default: Hello, I'm talker) and prints the reply: the simplest pair.",
    .values = HANDSHAKE_VALUES,
    .most_operands = 1};

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    const char *message = options.operand_count > 0 ? options.operands[0] : "Hello, I'm talker";
    if (strlen(message) >= HANDSHAKE_TEXT)
        errx(EXIT_FAILED, "a message of %zu bytes does not fit, the segment takes %d: not sent",
             strlen(message), HANDSHAKE_TEXT - 1);

    explain("Block SIGUSR1 and give it a handler: by default it kills us.");
    sigset_t usr1, nothing_blocked;
    sigemptyset(&nothing_blocked);
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    if (sys_sigprocmask(SIG_BLOCK, &usr1, NULL) == -1) /* an early signal stays pending */
        err(EXIT_FAILED, "sigprocmask(SIG_BLOCK, [SIGUSR1])");
    struct sigaction action = {.sa_sigaction = on_sigusr1, .sa_flags = SA_SIGINFO};
    sigemptyset(&action.sa_mask);
    if (sys_sigaction(SIGUSR1, &action, NULL) == -1)
        err(EXIT_FAILED, "sigaction(SIGUSR1)");

    explain("Make the key that the listener has made from the same file.");
    key_t key = sys_ftok(options.file, options.project);
    if (key == -1)
        err(errno == ENOENT ? EXIT_NO_PEER : EXIT_FAILED, "%sftok(\"%s\", %d)",
            errno == ENOENT ? "start listener-handshake first: " : "", options.file,
            options.project);

    explain("Find the segment. No IPC_CREAT: only the listener creates it.");
    size_t size = segment_size(sizeof(struct handshake));
    int shmid = sys_shmget(key, size, 0);
    if (shmid == -1 && errno == ENOENT)
        errx(EXIT_NO_PEER, "no listener has key %#x: start listener-handshake first",
             (unsigned)key);
    if (shmid == -1)
        err(EXIT_FAILED, "not a listener's segment, choose another --project: shmget(%#x, %zu, 0)",
            (unsigned)key, size);

    explain("Who created it, and is it alive? (kill with 0 sends no signal.)");
    pid_t listener =
        segment_listener(shmid, HANDSHAKE_LESSON, HANDSHAKE_VERSION,
                         sizeof(struct handshake)); /* exits if it is not the listener's */

    explain("Attach it, at any address. Failure is (void *)-1, not NULL.");
    struct handshake *shared = sys_shmat(shmid, NULL, 0);
    if (shared == (void *)-1)
        err(EXIT_FAILED, "shmat(%d, NULL, 0)", shmid);

    explain("Write our PID over the 0, atomically: only one talker succeeds.");
    int found = 0; /* a failed exchange stores the other PID here */
    if (!publish_if(&shared->talker, &found, (int)getpid()))
        errx(EXIT_BUSY, "busy: PID %d is the talker already, start again when it has ended", found);

    explain("First the text, then the state that says that it is there.");
    copy_text_in(shared->text, message, sizeof shared->text);
    print_line("said: %s", message); /* now: the listener may look at any moment */
    publish(&shared->state, SAID);
    if (sys_kill(listener, SIGUSR1) == -1 && errno != ESRCH) /* ESRCH: the wait below says so */
        err(EXIT_FAILED, "kill(%d, SIGUSR1)", (int)listener);

    explain("sigsuspend unblocks SIGUSR1 and sleeps in one step. Check again.");
    struct wait wait = {
        .peer = listener, .shmid = shmid, .attached = shared, .timeout = options.timeout};
    while (observe(&shared->state) != ANSWERED) {
        wait_exit_if_over(&wait); /* exits if the last look was in vain */
        do
            sys_sigsuspend(&nothing_blocked);
        while (!wait_should_look(&wait)); /* false: only the timer woke us */
    }

    explain("Copy the reply, and end it with NUL: the listener may not have.");
    char text[HANDSHAKE_TEXT];
    copy_text_out(text, shared->text, sizeof text);
    print_line("listener said: %s", text);

    explain("Detach. The listener removes the segment.");
    if (sys_shmdt(shared) == -1)
        err(EXIT_FAILED, "shmdt(%p)", (void *)shared);
    return program_end();
}
