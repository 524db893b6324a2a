/* posix.c (talker) - the handshake over POSIX shared memory: a name, a descriptor and a mapping.
 *
 * Read listener/posix.c first, and start it first; `diff` this file with talker/handshake.c. The
 * talker never creates or removes the object: the listener does both.
 *
 *     $ build/listener-posix                  $ build/talker-posix "Hello"
 *     listener: waiting for a talker ...      talker: said: Hello
 *     listener: received: Hello               talker: listener said: Have a nice day
 *     listener: replied: Have a nice day
 */
#include "../common/layout/posix.h"
#include "../common/lesson.h"
#include "../common/posix_shm.h"
#include "../common/wait.h"

#include <fcntl.h>
#include <sys/mman.h>

static const struct program program = {
    .name = "talker-posix",
    .usage = "[options] [MESSAGE]",
    .about =
        "Says MESSAGE (default: Hello, I'm talker) and prints the reply: in POSIX shared memory.",
    .values = POSIX_VALUES,
    .most_operands = 1};

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    const char *message = options.operand_count > 0 ? options.operands[0] : "Hello, I'm talker";
    if (strlen(message) >= POSIX_TEXT)
        errx(EXIT_FAILED, "a message of %zu bytes does not fit, the object takes %d: not sent",
             strlen(message), POSIX_TEXT - 1);

    explain("Block SIGUSR1: a reply that comes before we sleep leaves the signal pending.");
    wait_block_sigusr1(); /* and install its handler, as talker/handshake.c does */

    explain("Make the same name as the listener: from the same file and the same project.");
    key_t key = sys_ftok(options.file, options.project);
    if (key == -1)
        err(errno == ENOENT ? EXIT_NO_PEER : EXIT_FAILED,
            "start listener-posix first: ftok(\"%s\", %d)", options.file, options.project);
    struct posix_shm object;
    posix_shm_name(object.name, key);

    explain("Find the object. No O_CREAT: only the listener creates it.");
    object.fd = sys_shm_open(object.name, O_RDWR, 0);
    if (object.fd == -1 && errno == ENOENT)
        errx(EXIT_NO_PEER, "no listener has %s: start listener-posix first", object.name);

    explain("Ask the kernel who has locked it: that process is the only one that we signal.");
    size_t size = sizeof(struct posix);
    pid_t listener = posix_shm_listener(&object, POSIX_LESSON, size); /* exits if fd is -1, too */

    explain("Map it at an address that the kernel chooses. Failure is MAP_FAILED, not NULL.");
    struct posix *shared = sys_mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, object.fd, 0);
    if (shared == MAP_FAILED)
        err(EXIT_FAILED, "mmap(NULL, %zu, ..., %d, 0)", size, object.fd);

    explain("Close the descriptor: what is mapped stays mapped.");
    if (sys_close(object.fd) == -1)
        err(EXIT_FAILED, "close(%d)", object.fd);

    explain("Write our PID where 0 stands, in one atomic step: only one talker can succeed.");
    int found = 0; /* a failed exchange stores the other PID here */
    if (!publish_if(&shared->talker, &found, (int)getpid()))
        errx(EXIT_BUSY, "busy: PID %d is the talker already, start again when it has ended", found);

    explain("Write the text, then the state, then signal: the order matters.");
    copy_text_in(shared->text, message, sizeof shared->text);
    print_line("said: %s", message);
    publish(&shared->state, SAID);
    if (sys_kill(listener, SIGUSR1) == -1 && errno != ESRCH)
        err(EXIT_FAILED, "kill(%d, SIGUSR1)", (int)listener);

    explain("Check, sleep, check again. sigsuspend unblocks the signal and sleeps in one step.");
    struct wait wait = {.peer = listener,
                        .is_gone = posix_shm_is_gone,
                        .object = &object,
                        .timeout = options.timeout};
    sigset_t none;
    sigemptyset(&none);
    while (observe(&shared->state) != ANSWERED) {
        if (wait.verdict != WAIT_LOOK)
            posix_shm_survive(&object); /* removes what a dead listener has left */
        wait_exit_if_over(&wait);       /* exits if the listener has died or the time is up */
        do
            sys_sigsuspend(&none);
        while (!wait_should_look(&wait)); /* the timer woke us: sleep on */
    }

    explain("Copy the reply, and end the copy with NUL: the listener may not have done so.");
    char text[POSIX_TEXT];
    copy_text_out(text, shared->text, sizeof text);
    print_line("listener said: %s", text);

    explain("Unmap. The listener removes the object.");
    if (sys_munmap(shared, size) == -1)
        err(EXIT_FAILED, "munmap(%p, %zu)", (void *)shared, size);
    return program_end();
}
