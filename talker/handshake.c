/* handshake.c (talker) - one message, one reply, with the plain calls in their order.
 *
 * The other half of listener/handshake.c, which is to be read first and started first. We never
 * create, and never remove: that is the listener's part. It may be gone, or a stranger may have its
 * key; so the kernel is asked before anybody is signalled.
 *
 *     $ build/listener-handshake              $ build/talker-handshake "Hello"
 *     listener: waiting for a talker ...      talker: said: Hello
 *     listener: received: Hello               talker: listener said: Have a nice day
 *     listener: replied: Have a nice day
 */
#include "../common/pairs/handshake.h"
#include "../common/lines.h"
#include "../common/options.h"
#include "../common/sys.h"
#include "../common/wakeup.h"

#include <err.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

static const struct program program = {
    .name = "talker-handshake",
    .usage = "[options] [MESSAGE]",
    .about = "Says MESSAGE (default: Hello, I'm talker), and prints the reply: the plainest pair.",
    .most_operands = 1,
};

int main(int argc, char **argv)
{
    struct options options = options_parse(argc, argv, &program);
    const char *message = options.operand_count > 0 ? options.operands[0] : "Hello, I'm talker";
    if (strlen(message) >= HANDSHAKE_TEXT)
        errx(1, "a message of %zu bytes does not fit, the segment takes %d: not sent",
             strlen(message), HANDSHAKE_TEXT - 1);

    explain("block SIGUSR1 before anyone can know our PID: the reply may come before we sleep");
    sigset_t usr1, none;
    sigemptyset(&none);
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    if (sys_sigprocmask(SIG_BLOCK, &usr1, NULL) == -1)
        err(1, "sigprocmask(SIG_BLOCK, [SIGUSR1])");

    explain("give SIGUSR1 a handler: what it does by default is kill us");
    struct sigaction action = {.sa_sigaction = wakeup_take, .sa_flags = SA_SIGINFO};
    sigemptyset(&action.sa_mask);
    if (sys_sigaction(SIGUSR1, &action, NULL) == -1)
        err(1, "sigaction(SIGUSR1)");

    explain(
        "let Ctrl-C end any wait, and let a tick look after the peer: nobody waits for the dead");
    wakeup_guard();

    explain("make the key that the listener has made: same file, same project, same key");
    key_t key = sys_ftok(options.file, options.project);
    if (key == -1)
        err(errno == ENOENT ? 3 : 1, "ftok(\"%s\", %d): start listener-handshake first",
            options.file, options.project);

    explain("find the segment: no IPC_CREAT, for it is the listener that creates it");
    int shmid = sys_shmget(key, segment_size(sizeof(struct handshake)), 0);
    if (shmid == -1 && errno == ENOENT)
        errx(3, "no listener has key %#x: start listener-handshake first", (unsigned)key);
    if (shmid == -1)
        err(1, "shmget(%#x, %zu, 0): a foreign segment, of another size or owner, has this key",
            (unsigned)key, segment_size(sizeof(struct handshake)));

    explain(
        "ask the kernel whose it is, and read its magic: its creator is the only one we signal");
    struct segment segment = {.key = key, .shmid = shmid};
    enum segment_state state = segment_classify(&segment);
    if (state == SEGMENT_FOREIGN)
        segment_refuse(&segment);
    if (state != SEGMENT_LIVE)
        errx(3, "nobody listens on key %#x: start listener-handshake", (unsigned)key);
    segment_expect(&segment, HANDSHAKE_LESSON, HANDSHAKE_VERSION, sizeof(struct handshake));

    explain("attach it where the kernel likes (NULL); failure is (void *)-1, and not NULL");
    struct handshake *shared = sys_shmat(shmid, NULL, 0);
    if (shared == (void *)-1)
        err(1, "shmat(%d, NULL, 0)", shmid);

    explain("tell the listener who we are; the first to exchange 0 for its PID is the talker");
    int nobody = 0;
    if (!atomic_compare_exchange_strong(&shared->talker, &nobody, (int)getpid()))
        errx(4, "busy: PID %d is the talker already", nobody);
    narrate_publish("talker", getpid());

    explain("leave the text first, and the state after it: whoever sees SAID sees the text");
    strcpy(shared->text, message);
    narrate_publish_text("text", message, strlen(message));
    publish(&shared->state, SAID);

    explain("ring: the signal carries nothing, it only says look");
    if (sys_kill(segment.creator, SIGUSR1) == -1 && errno != ESRCH)
        err(1, "kill(%d, SIGUSR1) to the listener", (int)segment.creator);
    lines_say(message, strlen(message), "talker: said: ");

    explain("sleep until there is an answer: check, sleep, check again, and no signal is missed");
    struct wakeup_wait wait = {.peer = segment.creator, .shmid = shmid, .timeout = options.timeout};
    while (observe(&shared->state) != ANSWERED) {
        sys_sigsuspend(&none);
        enum wakeup why = wakeup_look(&wait);
        if (why == WAKEUP_GONE) {
            segment.head = &shared->head;
            segment_survive(&segment); /* detaches, and removes what the dead cannot remove */
            errx(3, "the listener (PID %d) went away", (int)wait.peer);
        }
        if (why == WAKEUP_LATE)
            errx(3, "no answer from the listener (PID %d) within %g seconds: gave up",
                 (int)wait.peer, options.timeout);
    }

    explain("copy the reply, and terminate the copy ourselves: it comes from another process");
    char text[HANDSHAKE_TEXT];
    memcpy(text, shared->text, sizeof text);
    text[sizeof text - 1] = '\0';
    narrate_observe_text("text", text, strlen(text));
    lines_say(text, strlen(text), "talker: listener said: ");

    explain("detach; removing the segment is the listener's part");
    if (sys_shmdt(shared) == -1)
        err(1, "shmdt(%p)", (void *)shared);
    wakeup_end();
    return 0;
}
