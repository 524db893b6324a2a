/* handshake.c (listener) - one message and one reply arrive, and no wakeup can be lost.
 *
 * Read this first, then talker/handshake.c. The text travels through shared memory. SIGUSR1 carries
 * no data: it only means "look at the memory again".
 *
 *     $ build/listener-handshake              $ build/talker-handshake "Hello"
 *     listener: waiting for a talker ...      talker: said: Hello
 *     listener: received: Hello               talker: listener said: Have a nice day
 *     listener: replied: Have a nice day
 *
 * Level: first steps; 8 minutes; after pair
 * Question: How many signals are sent for one message and one reply?
 * Choices: 1 | 2 | 4
 * Answer: 2. The talker signals after its message, the listener after its reply.
 * Shown by calls: 2 x kill(*, SIGUSR1) = 0
 *
 * publish stores a word in the segment, observe loads one, and sys_NAME is the system call NAME.
 * All of them, and each explain, are printed with --explain. program_start lets Ctrl-C remove the
 * segment, and starts a timer: every 50 ms wait_should_look checks that the talker is alive and
 * that time is left.
 */
#include "../common/layout/handshake.h"
#include "../common/lesson.h"
#include "../common/peer.h"
#include "../common/segment.h"
#include "../common/wait.h"

static const struct program program = {
    .name = "listener-handshake",
    .about = "Waits for one message and answers it: the simplest pair.",
    .question = "How many signals are sent for one message and one reply?",
    .values = HANDSHAKE_VALUES};

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);

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

    explain("Make a key from a file. The talker makes the same key from it.");
    segment_make_file(options.file);
    key_t key = sys_ftok(options.file, options.project);
    if (key == -1)
        err(EXIT_FAILED, "ftok(\"%s\", %d)", options.file, options.project);

    explain("Look first: has a killed listener left a segment behind?");
    segment_clear(key); /* then removes it; exits if another program uses the key */

    explain("Create a new segment. IPC_EXCL: never open one that exists.");
    size_t size = segment_size(sizeof(struct handshake)); /* 4001: such sizes mark our segments */
    int shmid = sys_shmget(key, size, IPC_CREAT | IPC_EXCL | 0600);
    if (shmid == -1)
        err(errno == EEXIST ? EXIT_BUSY : EXIT_FAILED,
            "shmget(%#x, %zu, IPC_CREAT | IPC_EXCL | 0600)", (unsigned)key, size);
    segment_remove_at_exit(shmid);

    explain("Attach it, at any address. Failure is (void *)-1, not NULL.");
    struct handshake *shared = sys_shmat(shmid, NULL, 0);
    if (shared == (void *)-1)
        err(EXIT_FAILED, "shmat(%d, NULL, 0)", shmid);

    explain("Store the magic last: a talker waits until it is there.");
    shared->head.lesson = HANDSHAKE_LESSON;
    shared->head.version = HANDSHAKE_VERSION;
    publish(&shared->head.magic, SEGMENT_MAGIC);
    print_line("waiting for a talker (pid %d, key %#x, shmid %d)", (int)getpid(), (unsigned)key,
               shmid);

    explain("sigsuspend unblocks SIGUSR1 and sleeps in one step. Check again.");
    struct wait wait = {
        .peer_at = &shared->talker, .shmid = shmid, .we_created = true, .timeout = options.timeout};
    while (observe(&shared->state) != SAID) {
        wait_exit_if_over(&wait); /* exits if the last look was in vain */
        do
            sys_sigsuspend(&nothing_blocked);
        while (!wait_should_look(&wait)); /* false: only the timer woke us */
    }

    explain("Copy the text, and end it with NUL: the talker may not have.");
    char text[HANDSHAKE_TEXT];
    copy_text_out(text, shared->text, sizeof text);

    explain("The talker may be dead, or its PID wrong: ask the kernel.");
    pid_t talker = observe(&shared->talker);
    if (!peer_has_attached(talker, shmid))
        errx(EXIT_NO_PEER, "the talker (PID %d) went away", (int)talker);
    print_line("received: %s", text);

    explain("First the reply, then the state that says that it is there.");
    copy_text_in(shared->text, "Have a nice day", sizeof shared->text);
    print_line("replied: Have a nice day"); /* now: the talker may look at any moment */
    publish(&shared->state, ANSWERED);
    if (sys_kill(talker, SIGUSR1) == -1 && errno != ESRCH) /* ESRCH: it has read it, and ended */
        err(EXIT_FAILED, "kill(%d, SIGUSR1)", (int)talker);

    explain("Remove the segment, then detach: else it outlives both of us.");
    if (sys_shmctl(shmid, IPC_RMID, NULL) == -1)
        err(EXIT_FAILED, "shmctl(%d, IPC_RMID)", shmid);
    if (sys_shmdt(shared) == -1)
        err(EXIT_FAILED, "shmdt(%p)", (void *)shared);
    return program_end();
}
