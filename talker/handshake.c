/* handshake.c (talker) - one message and one reply.
 *
 * Read listener/handshake.c first, and start it first. The talker never creates or removes the
 * segment: the listener does both. Another program may have the same key, so the talker asks the
 * kernel who created the segment before it signals anyone.
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
    .about = "Says MESSAGE (default: Hello, I'm talker) and prints the reply: the plainest pair.",
    .values = HANDSHAKE_VALUES,
    .most_operands = 1};

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    const char *message = options.operand_count > 0 ? options.operands[0] : "Hello, I'm talker";
    if (strlen(message) >= HANDSHAKE_TEXT)
        errx(EXIT_FAILED, "a message of %zu bytes does not fit, the segment takes %d: not sent",
             strlen(message), HANDSHAKE_TEXT - 1);

    explain("Block SIGUSR1 first: an early signal then stays pending.");
    sigset_t usr1, none;
    sigemptyset(&none);
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    if (sys_sigprocmask(SIG_BLOCK, &usr1, NULL) == -1)
        err(EXIT_FAILED, "sigprocmask(SIG_BLOCK, [SIGUSR1])");

    explain("Install a handler: by default, SIGUSR1 kills the process.");
    struct sigaction action = {.sa_sigaction = on_sigusr1, .sa_flags = SA_SIGINFO};
    sigemptyset(&action.sa_mask);
    if (sys_sigaction(SIGUSR1, &action, NULL) == -1)
        err(EXIT_FAILED, "sigaction(SIGUSR1)");

    explain("Make the key that the listener has made from the same file.");
    key_t key = sys_ftok(options.file, options.project);
    if (key == -1)
        err(errno == ENOENT ? EXIT_NO_PEER : EXIT_FAILED,
            "ftok(\"%s\", %d): start listener-handshake first", options.file, options.project);

    explain("Find the segment. No IPC_CREAT: only the listener creates it.");
    size_t size = segment_size(sizeof(struct handshake));
    int shmid = sys_shmget(key, size, 0);
    if (shmid == -1 && errno == ENOENT)
        errx(EXIT_NO_PEER, "no listener has key %#x: start listener-handshake first",
             (unsigned)key);
    if (shmid == -1)
        err(EXIT_FAILED, "shmget(%#x, %zu, 0): a foreign segment, of another size or owner",
            (unsigned)key, size);

    explain("Ask the kernel who created it: we signal only that process.");
    pid_t listener =
        segment_listener(shmid, HANDSHAKE_LESSON, HANDSHAKE_VERSION,
                         sizeof(struct handshake)); /* exits if it is not the listener's */

    explain("Attach it, at any address. Failure is (void *)-1, not NULL.");
    struct handshake *shared = sys_shmat(shmid, NULL, 0);
    if (shared == (void *)-1)
        err(EXIT_FAILED, "shmat(%d, NULL, 0)", shmid);

    explain("Write our PID over the 0, atomically: only one talker succeeds.");
    int none_yet = 0;
    if (!atomic_compare_exchange_strong(&shared->talker, &none_yet, (int)getpid()))
        errx(EXIT_BUSY, "busy: PID %d is the talker already", none_yet);
    trace_publish("talker", getpid());

    explain("Write the text, then the state, then signal: the order matters.");
    leave_text(shared->text, message, sizeof shared->text);
    publish(&shared->state, SAID);
    say("said: %s", message);
    if (sys_kill(listener, SIGUSR1) == -1 && errno != ESRCH)
        err(EXIT_FAILED, "kill(%d, SIGUSR1)", (int)listener);

    explain("Check, sleep, check. sigsuspend unblocks and sleeps in one step.");
    struct wait wait = {
        .peer = listener, .shmid = shmid, .attached = shared, .timeout = options.timeout};
    while (observe(&shared->state) != ANSWERED) {
        wait_or_exit(&wait); /* exits if the listener has died or the time is up */
        do
            sys_sigsuspend(&none);
        while (!wait_was_rung(&wait)); /* the timer woke us: sleep on */
    }

    explain("Copy the reply, and end the copy with NUL. Trust nothing.");
    char text[HANDSHAKE_TEXT];
    take_text(text, shared->text, sizeof text);
    say("listener said: %s", text);

    explain("Detach. The listener removes the segment.");
    if (sys_shmdt(shared) == -1)
        err(EXIT_FAILED, "shmdt(%p)", (void *)shared);
    return program_end();
}
