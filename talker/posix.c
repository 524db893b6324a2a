/* posix.c (talker) - the handshake over POSIX shared memory: a name for a key, a descriptor for an
 * id.
 *
 * The other half of listener/posix.c, which is to be read first and started first; `diff` this one
 * with talker/handshake.c. We never create, and never remove: that is the listener's part.
 *
 *     $ build/listener-posix                  $ build/talker-posix "Hello"
 *     listener: waiting for a talker ...      talker: said: Hello
 *     listener: received: Hello               talker: listener said: Have a nice day
 *     listener: replied: Have a nice day
 */
#include "../common/layout/posix.h"
#include "../common/lesson.h"
#include "../common/segment.h"
#include "../common/ending.h"
#include "../common/posix_shm.h"

#include <fcntl.h>
#include <sys/mman.h>

static const struct program program = {
    .name = "talker-posix",
    .usage = "[options] [MESSAGE]",
    .about =
        "Says MESSAGE (default: Hello, I'm talker), and prints the reply: in POSIX shared memory.",
    .most_operands = 1,
};

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    const char *message = options.operand_count > 0 ? options.operands[0] : "Hello, I'm talker";
    if (strlen(message) >= POSIX_TEXT)
        errx(1, "a message of %zu bytes does not fit, the object takes %d: not sent",
             strlen(message), POSIX_TEXT - 1);

    explain("block SIGUSR1 before anyone can know our PID: the reply may come before we sleep");
    sigset_t usr1, none;
    sigemptyset(&none);
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    if (sys_sigprocmask(SIG_BLOCK, &usr1, NULL) == -1)
        err(1, "sigprocmask(SIG_BLOCK, [SIGUSR1])");

    explain("give SIGUSR1 a handler: what it does by default is kill us");
    struct sigaction action = {.sa_sigaction = on_sigusr1, .sa_flags = SA_SIGINFO};
    sigemptyset(&action.sa_mask);
    if (sys_sigaction(SIGUSR1, &action, NULL) == -1)
        err(1, "sigaction(SIGUSR1)");

    explain(
        "let Ctrl-C end any wait, and let a tick look after the peer: nobody waits for the dead");
    wakeup_guard();

    explain("make the key that the listener has made: same file, same project, same key");
    key_t key = sys_ftok(options.file, options.project);
    if (key == -1)
        err(errno == ENOENT ? 3 : 1, "ftok(\"%s\", %d): start listener-posix first", options.file,
            options.project);

    explain("find the object: no O_CREAT, for it is the listener that creates it");
    struct posix object;
    posix_shm_name(object.name, key);
    object.fd = sys_shm_open(object.name, O_RDWR, 0);
    if (object.fd == -1 && errno == ENOENT)
        errx(3, "no listener has %s: start listener-posix first", object.name);
    if (object.fd == -1)
        err(1, "shm_open(\"%s\", O_RDWR): choose another --project", object.name);

    explain(
        "ask whose it is: the kernel knows owner and size, but only the object says who listens");
    size_t size = sizeof(struct posix);
    enum segment_state state = posix_shm_classify(&object, size);
    if (state == SEGMENT_FOREIGN)
        posix_shm_refuse(&object);
    if (state != SEGMENT_LIVE)
        errx(3, "nobody listens on %s: start listener-posix", object.name);
    if (object.lesson != POSIX_LESSON)
        errx(1, "%s has another lesson's listener: choose another --project", object.name);

    explain("map it where the kernel likes (NULL); failure is MAP_FAILED, and not NULL");
    struct posix *shared = sys_mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, object.fd, 0);
    if (shared == MAP_FAILED)
        err(1, "mmap(NULL, %zu, ..., %d, 0)", size, object.fd);

    explain("close the descriptor: what is mapped stays mapped");
    if (sys_close(object.fd) == -1)
        err(1, "close(%d)", object.fd);

    explain("tell the listener who we are; the first to exchange 0 for its PID is the talker");
    int nobody = 0;
    if (!atomic_compare_exchange_strong(&shared->talker, &nobody, (int)getpid()))
        errx(4, "busy: PID %d is the talker already", nobody);
    trace_publish("talker", getpid());

    explain("leave the text first, and the state after it: whoever sees SAID sees the text");
    strcpy(shared->text, message);
    trace_publish_text("text", message, strlen(message));
    publish(&shared->state, SAID);

    explain("ring: the signal carries nothing, it only says look");
    if (sys_kill(object.creator, SIGUSR1) == -1 && errno != ESRCH)
        err(1, "kill(%d, SIGUSR1) to the listener", (int)object.creator);
    say_bytes(message, strlen(message), "talker: said: ");

    explain("sleep until there is an answer: check, sleep, check again, and no signal is missed");
    struct wait wait = {.timeout = options.timeout};
    bool gone = false;
    while (observe(&shared->state) != ANSWERED) {
        if (gone) {
            sys_munmap(shared, size);
            posix_shm_survive(&object); /* removes what the dead cannot remove */
            errx(3, "the listener (PID %d) went away", (int)object.creator);
        }
        sys_sigsuspend(&none);
        if (wakeup_look(&wait) == WAIT_LATE)
            errx(3, "no answer from the listener (PID %d) within %g seconds: gave up",
                 (int)object.creator, options.timeout);
        gone = posix_shm_is_gone(&object, object.creator);
    }

    explain("copy the reply, and terminate the copy ourselves: it comes from another process");
    char text[POSIX_TEXT];
    memcpy(text, shared->text, sizeof text);
    text[sizeof text - 1] = '\0';
    trace_observe_text("text", text, strlen(text));
    say_bytes(text, strlen(text), "talker: listener said: ");

    explain("unmap; removing the object is the listener's part");
    if (sys_munmap(shared, size) == -1)
        err(1, "munmap(%p, %zu)", (void *)shared, size);
    return program_end();
}
