/* handshake.c (listener) - one message and one reply.
 *
 * Read this first, then talker/handshake.c. The text travels through shared memory. SIGUSR1 carries
 * no data: it only means "look at the memory again".
 *
 *     $ build/listener-handshake              $ build/talker-handshake "Hello"
 *     listener: waiting for a talker ...      talker: said: Hello
 *     listener: received: Hello               talker: listener said: Have a nice day
 *     listener: replied: Have a nice day
 *
 * Question: How many signals do one message and one reply need?
 *
 * program_start also lets Ctrl-C clean up, and starts a timer that notices a dead talker.
 */
#include "../common/layout/handshake.h"
#include "../common/lesson.h"
#include "../common/peer.h"
#include "../common/segment.h"
#include "../common/wait.h"

static const struct program program = {
    .name = "listener-handshake",
    .about = "Waits for one message and answers it: the plainest pair.",
    .question = "How many signals do one message and one reply need?",
    .values = HANDSHAKE_VALUES};

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);

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

    explain("Make a key from a file. The talker makes the same key from it.");
    segment_make_file(options.file);
    key_t key = sys_ftok(options.file, options.project);
    if (key == -1)
        err(EXIT_FAILED, "ftok(\"%s\", %d)", options.file, options.project);

    explain("Create a new segment. IPC_EXCL: never open one that exists.");
    segment_clear(key); /* removes what a killed listener left; exits if anyone else is there */
    size_t size = segment_size(sizeof(struct handshake));
    int shmid = sys_shmget(key, size, IPC_CREAT | IPC_EXCL | 0600);
    if (shmid == -1)
        err(errno == EEXIST ? EXIT_BUSY : EXIT_FAILED, "shmget(%#x, %zu)", (unsigned)key, size);
    segment_remove_at_exit(shmid);

    explain("Attach it, at any address. Failure is (void *)-1, not NULL.");
    struct handshake *shared = sys_shmat(shmid, NULL, 0);
    if (shared == (void *)-1)
        err(EXIT_FAILED, "shmat(%d, NULL, 0)", shmid);

    explain("Store the magic last: it says that the rest is ready.");
    shared->head.lesson = HANDSHAKE_LESSON;
    shared->head.version = HANDSHAKE_VERSION;
    publish(&shared->head.magic, SEGMENT_MAGIC);
    say("waiting for a talker (pid %d, key %#x, shmid %d)", (int)getpid(), (unsigned)key, shmid);

    explain("Check, sleep, check. sigsuspend unblocks and sleeps in one step.");
    struct wait wait = {
        .peer_is = &shared->talker, .shmid = shmid, .owner = true, .timeout = options.timeout};
    while (observe(&shared->state) != SAID) {
        wait_or_exit(&wait); /* exits if the talker has died or the time is up */
        do
            sys_sigsuspend(&none);
        while (!wait_was_rung(&wait)); /* the timer woke us: sleep on */
    }

    explain("Copy the text, and end the copy with NUL. Trust nothing.");
    char text[HANDSHAKE_TEXT];
    take_text(text, shared->text, sizeof text);

    explain("A PID in the segment may be wrong: ask the kernel about it.");
    pid_t talker = observe(&shared->talker);
    if (!peer_has_attached(talker, shmid))
        errx(EXIT_NO_PEER, "the talker (PID %d) went away", (int)talker);
    say("received: %s", text);

    explain("Write the reply, then the state, then signal: the order matters.");
    leave_text(shared->text, "Have a nice day", sizeof shared->text);
    publish(&shared->state, ANSWERED);
    say("replied: Have a nice day");
    if (sys_kill(talker, SIGUSR1) == -1 &&
        errno != ESRCH) /* it may have seen the state, and left */
        err(EXIT_FAILED, "kill(%d, SIGUSR1)", (int)talker);

    explain("Detach, and remove: a segment outlives its processes.");
    if (sys_shmdt(shared) == -1)
        err(EXIT_FAILED, "shmdt(%p)", (void *)shared);
    if (sys_shmctl(shmid, IPC_RMID, NULL) == -1)
        err(EXIT_FAILED, "shmctl(%d, IPC_RMID)", shmid);
    return program_end();
}
