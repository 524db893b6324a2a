/* handshake.c (listener) - one message, one reply, with the plain calls in their order.
 *
 * The first program to read; its other half is talker/handshake.c. Truth lives in the segment: the
 * talker writes its text, then the state SAID, and sends SIGUSR1, which only says "look"; we answer
 * in the same manner. Whoever waits checks the state, sleeps in sigsuspend, and checks again.
 *
 *     $ build/listener-handshake              $ build/talker-handshake "Hello"
 *     listener: waiting for a talker ...      talker: said: Hello
 *     listener: received: Hello               talker: listener said: Have a nice day
 *     listener: replied: Have a nice day
 *
 * Add --explain to hear why each step is done, and --step to take them one by one.
 *
 * Question: How many signals do one message and one reply need?
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
    .name = "listener-handshake",
    .usage = "[options]",
    .about = "Waits for one message, and answers it: the plainest pair.",
};

int main(int argc, char **argv)
{
    struct options options = options_parse(argc, argv, &program);

    explain(
        "block SIGUSR1 before anyone can know our PID: an early one then waits, and kills nobody");
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

    explain("make the key that the talker can make as well: same file, same project, same key");
    key_t key = segment_key(options.file, options.project, true);
    if (key == -1)
        err(1, "ftok(\"%s\", %d): cannot make or reach the key file", options.file,
            options.project);

    explain("create the segment new (IPC_EXCL): one that is there already may be somebody's");
    size_t size = segment_size(sizeof(struct handshake));
    int shmid = sys_shmget(key, size, IPC_CREAT | IPC_EXCL | 0600);
    if (shmid == -1 && errno == EEXIST) {
        segment_clear(key); /* a stale one of ours; with anything else in the way, we end here */
        shmid = sys_shmget(key, size, IPC_CREAT | IPC_EXCL | 0600);
    }
    if (shmid == -1)
        err(errno == EEXIST ? 4 : 1, "shmget(%#x, %zu, IPC_CREAT | IPC_EXCL | 0600)", (unsigned)key,
            size);
    segment_remove_at_exit(shmid);

    explain("attach it where the kernel likes (NULL); failure is (void *)-1, and not NULL");
    struct handshake *shared = sys_shmat(shmid, NULL, 0);
    if (shared == (void *)-1)
        err(1, "shmat(%d, NULL, 0)", shmid);

    explain("store the magic last: the segment was born as zeros, and this opens the door");
    shared->head.lesson = HANDSHAKE_LESSON;
    shared->head.version = HANDSHAKE_VERSION;
    publish(&shared->head.magic, SEGMENT_MAGIC);
    lines_print("waiting for a talker (pid %d, key %#x, shmid %d)", (int)getpid(), (unsigned)key,
                shmid);

    explain("sleep until something is said: check, sleep, check again, and no signal is missed");
    struct wakeup_wait wait = {.shmid = shmid, .timeout = options.timeout};
    while (observe(&shared->state) != SAID) {
        sys_sigsuspend(&none);
        wait.peer = atomic_load(&shared->talker);
        enum wakeup why = wakeup_look(&wait);
        if (why == WAKEUP_GONE)
            errx(3, "the talker (PID %d) went away", (int)wait.peer);
        if (why == WAKEUP_LATE)
            errx(3, "no word from a talker within %g seconds: gave up", options.timeout);
    }

    explain("copy the text, and terminate the copy ourselves: it comes from another process");
    char text[HANDSHAKE_TEXT];
    memcpy(text, shared->text, sizeof text);
    text[sizeof text - 1] = '\0';
    narrate_observe_text("text", text, strlen(text));
    lines_say(text, strlen(text), "listener: received: ");

    explain("a PID from the segment is only a claim: the kernel must confirm it before we ring");
    pid_t talker = (pid_t)observe(&shared->talker);
    if (!wakeup_confirm(talker, shmid))
        errx(3, "the talker (PID %d) went away", (int)talker);

    explain("leave the reply first, and the state after it: whoever sees ANSWERED sees the reply");
    strcpy(text, "Have a nice day");
    strcpy(shared->text, text);
    narrate_publish_text("text", text, strlen(text));
    publish(&shared->state, ANSWERED);

    explain("ring; a talker that looked before we rang has its answer, and may have left already");
    if (sys_kill(talker, SIGUSR1) == -1 && errno != ESRCH)
        err(1, "kill(%d, SIGUSR1) to the talker", (int)talker);
    lines_say(text, strlen(text), "listener: replied: ");

    explain("detach, and remove: a segment outlives its processes until somebody removes it");
    if (sys_shmdt(shared) == -1)
        err(1, "shmdt(%p)", (void *)shared);
    if (sys_shmctl(shmid, IPC_RMID, NULL) == -1)
        err(1, "shmctl(%d, IPC_RMID)", shmid);
    segment_forget(shmid);
    wakeup_end();
    return 0;
}
