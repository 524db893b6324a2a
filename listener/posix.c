/* posix.c (listener) - POSIX shared memory needs other calls, but the handshake stays the same.
 *
 * Run `diff` on this file and listener/handshake.c. The rules and the signals are the same; the
 * calls that reach the memory are not. shm_open finds an object by its name and gives a descriptor.
 * ftruncate gives it a size, mmap an address, and shm_unlink removes the name. On Linux an object
 * is a file in /dev/shm. The kernel counts no shm_nattch and no shm_cpid for it, so we lock it: the
 * lock says that we are alive. Lesson "persist" shows how long an object lives.
 *
 *     $ build/listener-posix                  $ build/talker-posix "Hello"
 *     listener: waiting for a talker ...      talker: said: Hello
 *     listener: received: Hello               talker: listener said: Have a nice day
 *     listener: replied: Have a nice day
 *
 * Level: beyond; 4 minutes; after handshake
 * Question: Which calls of the handshake change, and which stay the same?
 * Choices: those that reach the memory change | those of the signals change | all change
 * Answer: those that reach the memory change. shm_open and mmap instead of shmget and shmat; the
 * signals stay.
 * Shown by calls: shm_open(
 */
#include "../common/layout/posix.h"
#include "../common/lesson.h"
#include "../common/posix_shm.h"
#include "../common/segment.h"
#include "../common/wait.h"

#include <fcntl.h>
#include <sys/mman.h>

static const struct program program = {
    .name = "listener-posix",
    .about = "Waits for one message and answers it, in POSIX shared memory.",
    .question = "Which calls of the handshake change, and which stay the same?",
    .values = POSIX_VALUES};

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);

    explain("Block SIGUSR1 before any process knows our PID: an early signal stays pending.");
    wait_block_sigusr1(); /* and install its handler, as listener/handshake.c does */

    explain("Make the object's name from a key.");
    segment_make_file(options.file);
    struct posix_shm object;
    key_t key = segment_key(&options);
    posix_shm_name(object.name, key);

    explain("Create a new object. O_EXCL: never use one that another process created.");
    posix_shm_clear(object.name, sizeof(struct posix)); /* as segment_clear in the handshake */
    object.fd = sys_shm_open(object.name, O_RDWR | O_CREAT | O_EXCL, 0600);
    if (object.fd == -1)
        err(errno == EEXIST ? EXIT_BUSY : EXIT_FAILED, "shm_open(\"%s\", O_CREAT | O_EXCL)",
            object.name);
    posix_shm_own(&object); /* locks it, and has it removed at exit */

    explain("Give it a size: a new object is empty, where a new segment has its size.");
    size_t size = sizeof(struct posix);
    if (sys_ftruncate(object.fd, (off_t)size) == -1)
        err(EXIT_FAILED, "ftruncate(%d, %zu)", object.fd, size);

    explain("Reserve its memory now: later, a store into a full /dev/shm is death by SIGBUS.");
    int error;
    while ((error = sys_posix_fallocate(object.fd, 0, (off_t)size)) == EINTR)
        ;
    errno = error;
    if (error != 0)
        err(EXIT_FAILED,
            "cannot reserve memory (see \"df /dev/shm\"): posix_fallocate(%d, 0, %zu) of %s",
            object.fd, size, object.name);

    explain("Map it at an address that the kernel chooses. Failure is MAP_FAILED, not NULL.");
    struct posix *shared = sys_mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, object.fd, 0);
    if (shared == MAP_FAILED)
        err(EXIT_FAILED, "mmap(NULL, %zu, ..., %d, 0)", size, object.fd);

    explain("Store the magic last: a talker that sees it knows that the rest is ready.");
    shared->head.lesson = POSIX_LESSON;
    shared->head.version = POSIX_VERSION;
    publish(&shared->head.magic, SEGMENT_MAGIC);
    print_line("waiting for a talker (pid %d, key %#x, name %s)", (int)getpid(), (unsigned)key,
               object.name);

    explain("Check, sleep, check again. sigsuspend unblocks the signal and sleeps in one step.");
    struct wait wait = {.peer_at = &shared->talker,
                        .is_gone = posix_shm_is_gone,
                        .object = &object,
                        .timeout = options.timeout};
    sigset_t none;
    sigemptyset(&none);
    while (observe(&shared->state) != SAID) {
        wait_exit_if_over(&wait); /* exits if the talker has died or the time is up */
        do
            sys_sigsuspend(&none);
        while (!wait_should_look(&wait)); /* the timer woke us: sleep on */
    }

    explain("Copy the text, and end the copy with NUL: the talker may not have done so.");
    char text[POSIX_TEXT];
    copy_text_out(text, shared->text, sizeof text);

    explain("Do not trust a PID from the object. Ask the kernel whether it has the object mapped.");
    pid_t talker = observe(&shared->talker);
    if (!posix_shm_has_mapped(&object, talker))
        errx(EXIT_NO_PEER, "the talker (PID %d) went away", (int)talker);
    print_line("received: %s", text);

    explain("Write the reply, then the state, then signal: the order matters.");
    copy_text_in(shared->text, "Have a nice day", sizeof shared->text);
    print_line("replied: Have a nice day");
    publish(&shared->state, ANSWERED);
    if (sys_kill(talker, SIGUSR1) == -1 &&
        errno != ESRCH) /* it may have seen the state, and left */
        err(EXIT_FAILED, "kill(%d, SIGUSR1)", (int)talker);

    explain(
        "Unmap, remove the name, and close: an object outlives its processes, as a segment does.");
    if (sys_munmap(shared, size) == -1)
        err(EXIT_FAILED, "munmap(%p, %zu)", (void *)shared, size);
    if (sys_shm_unlink(object.name) == -1)
        err(EXIT_FAILED, "shm_unlink(\"%s\")", object.name);
    if (sys_close(object.fd) == -1)
        err(EXIT_FAILED, "close(%d)", object.fd);
    return program_end();
}
