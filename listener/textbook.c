/* textbook.c (listener) - the textbook's pair works, as long as its naps are long enough.
 *
 * The server of the notes, byte for byte on the wire (common/layout/textbook.h): whoever talks to
 * that one can talk to this one, and the notes' client can. The bounds, the checks, the blocked
 * signal and the cleanup are ours. The nap is the notes': we sleep for three seconds, so that a
 * talker that sleeps for two finds us there. That is the flaw: a nap is too long when it works, and
 * too short when it does not; what would do instead is shown in handshake.c.
 *
 *     listener                                talker
 *     makes the segment
 *                                             finds it, leaves a text
 *                                   <-------  one SIGUSR1, then a nap of 2 s
 *     reads the text, leaves a reply
 *     a nap of 3 s                            reads the reply, shows ipcs -m
 *                                             removes the segment
 *
 *     $ build/listener-textbook               $ build/talker-textbook 4242    (the PID it printed)
 *
 * Question: The talker sleeps for 2 seconds: how soon is the reply there?
 */
#include "../common/layout/textbook.h"
#include "../common/lesson.h"
#include "../common/wait.h"
#include "../common/peer.h"
#include "../common/ending.h"
#include "../common/segment.h"


static double nap_for = 3;

static const struct option_spec own_options[] = {
    {'n', "nap", "SECONDS", "how long to nap after the reply (default: 3)", OPTION_SECONDS,
     &nap_for, 0, 0},
    {0, NULL, NULL, NULL, OPTION_FLAG, NULL, 0, 0},
};

static const char *const points[] = {"received", "replied", NULL};

static const struct program program = {
    .name = "listener-textbook",
    .about = "Waits for one message of the textbook's client, answers it, and takes a nap.",
    .options = own_options,
    .points = points,
};

/* Clears the way to the key. What such a program left behind when it was killed is removed, and we
 * say so: then its creator is dead, nobody has it attached, and its mode is ours or the notes'.
 * With anything else in the way, the program ends. */
static void make_way(key_t key)
{
    struct shmid_ds about;
    int shmid = sys_shmget(key, 0, 0);
    if (shmid == -1 || sys_shmctl(shmid, IPC_STAT, &about) == -1) {
        if (errno == ENOENT || errno == EINVAL || errno == EIDRM)
            return; /* it has gone meanwhile */
        err(1, "key %#x belongs to a foreign segment, left as it is: choose another --project",
            (unsigned)key);
    }
    int mode = about.shm_perm.mode & 0777;
    bool alive = peer_is_alive(about.shm_cpid), fits = textbook_fits(shmid, &about);
    bool busy = fits && (alive || about.shm_nattch > 0);
    if (busy || !fits || (mode != 0600 && mode != 0666))
        errx(busy ? 4 : 1,
             "%s key %#x (shmid %d, %zu bytes, mode 0%o, made by PID %d, which is %s), left as it "
             "is: choose another --project or --file",
             busy ? "busy:" : "a foreign segment has", (unsigned)key, shmid,
             (size_t)about.shm_segsz, (unsigned)mode, (int)about.shm_cpid,
             alive ? "alive" : "dead");
    if (sys_shmctl(shmid, IPC_RMID, NULL) == 0)
        warnx("recovered: removed segment %d, which PID %d left behind", shmid,
              (int)about.shm_cpid);
}

/* Creates the segment new: a second server that opened what is there would share it unawares. */
static int create(const struct options *options, key_t *key)
{
    *key = segment_key(options->file, options->project, true);
    if (*key == -1)
        err(1, "ftok(\"%s\", %d): cannot make or reach the key file", options->file,
            options->project);
    int shmid;
    while ((shmid = sys_shmget(*key, TEXTBOOK_SIZE, IPC_CREAT | IPC_EXCL | 0600)) == -1) {
        if (errno != EEXIST)
            err(1, "shmget(%#x, %d, IPC_CREAT | IPC_EXCL | 0600)", (unsigned)*key, TEXTBOOK_SIZE);
        make_way(*key);
    }
    segment_remove_at_exit(shmid);
    return shmid;
}

/* Sleeps until a signal has come, and there is a text: a stray one that comes before finds none.
 * Returns who sent it. */
static pid_t await_text(const char *text, double timeout)
{
    struct wait wait = {.timeout = timeout};
    sigset_t none;
    sigemptyset(&none);
    bool rung = false;
    while (!rung || *text == '\0') {
        sys_sigsuspend(&none);
        rung = signals_usr1;
        if (wakeup_look(&wait) != WAIT_LOOK)
            errx(3, "no talker within %g seconds: gave up", timeout);
    }
    return signals_usr1_from;
}

/* Shows a line as one: the notes' programs end theirs with a newline. */
static void say_line(const char *before, const char *text)
{
    size_t length = strlen(text);
    say_bytes(text, length - (length > 0 && text[length - 1] == '\n'), "listener: %s: ", before);
}

static void receive(pid_t talker, const char *text)
{
    char received[TEXTBOOK_SIZE];
    memcpy(received, text, sizeof received);
    if (strnlen(received, sizeof received) == sizeof received)
        errx(1, "PID %d left no string: no NUL within %d bytes", (int)talker, TEXTBOOK_SIZE);
    trace_observe_text("text", received, strlen(received));
    say("Start ====");
    say_line("received", received);
}

static bool is_removed(int shmid, struct shmid_ds *about)
{
    return sys_shmctl(shmid, IPC_STAT, about) == -1 || calls_key_of(about) == IPC_PRIVATE;
}

/* Naps, as the notes do, but not for a talker that has left: removed the segment, or died. */
static void nap(pid_t talker, int shmid)
{
    struct wait wait = {.timeout = nap_for};
    struct shmid_ds about;
    while (wait_sleep(&wait) != WAIT_LATE)
        if (peer_is_gone(talker, shmid) &&
            (is_removed(shmid, &about) || (about.shm_nattch <= 1 && !peer_is_alive(talker))))
            return;
}

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    explain("block SIGUSR1 before anyone can know our PID: the notes' server can be killed by it");
    wait_block_sigusr1();

    explain("create the segment where the notes' client looks for it, and attach it");
    key_t key;
    int shmid = create(&options, &key);
    char *text = sys_shmat(shmid, NULL, 0);
    if (text == (void *)-1)
        err(1, "shmat(%d, NULL, 0)", shmid);
    say("waiting for a talker (pid %d, key %#x, shmid %d)", (int)getpid(), (unsigned)key,
                shmid);
    pid_t talker = await_text(text, options.timeout);

    explain("copy what lies there, and see that it is a string: strcpy would trust a stranger");
    trace_point("received");
    receive(talker, text);

    explain("leave the reply in its place; there is no turn and no signal to say that it is there");
    static const char reply[] = "Have a nice day\n";
    memcpy(text, reply, sizeof reply);
    trace_publish_text("text", reply, strlen(reply));
    trace_point("replied");
    say_line("replied", reply);

    explain("THE FLAW: a nap, in the hope that the talker has read it when we wake up");
    nap(talker, shmid);
    if (sys_shmdt(text) == -1)
        err(1, "shmdt(%p)", (void *)text);

    explain("the talker removes the segment, as the notes have it; one that died leaves it to us");
    struct shmid_ds about;
    if (is_removed(shmid, &about)) {
        say("the talker has removed the segment");
    } else if (about.shm_nattch > 0) {
        say("the talker is still there, and will remove the segment");
        segment_forget(shmid);
    } else if (!peer_is_alive(talker)) {
        errx(3, "the talker (PID %d) went away, and left the segment: removed it", (int)talker);
    }
    return program_end();
}
