/* textbook.c (talker) - says a line to the textbook's server, naps, and reads the answer.
 *
 * The client of the notes, byte for byte on the wire; its other half is listener/textbook.c, which
 * tells the story and is started first, or the notes' own server. What atoi would make of an
 * operand, and kill of that, is checked here: 0 is our own process group, -1 is everybody. The PID
 * may be left out: the kernel knows who made the segment.
 *
 *     $ build/listener-textbook               $ build/talker-textbook 4242    (the PID it printed)
 */
#include "../common/layout/textbook.h"
#include "../common/lesson.h"
#include "../common/wait.h"
#include "../common/peer.h"
#include "../common/ending.h"
#include "../common/clock.h"
#include "../common/segment.h"

#include <limits.h>
#include <stdio.h>

static double nap_for = 2;

static const struct option_spec own_options[] = {
    {'n', "nap", "SECONDS", "how long to nap before reading the answer (default: 2)",
     OPTION_SECONDS, &nap_for, 0, 0},
    {0, NULL, NULL, NULL, OPTION_FLAG, NULL, 0, 0},
};

static const char *const points[] = {"said", "reading", NULL};

static const struct program program = {
    .name = "talker-textbook",
    .usage = "[options] [PID [MESSAGE]]",
    .about =
        "Says MESSAGE (default: Hello, I'm talker) to the listener that has this PID (default:\n"
        "whoever made the segment), takes a nap, and prints what lies there then.",
    .options = own_options,
    .points = points,
    .most_operands = 2,
};

static pid_t parse_pid(const char *text)
{
    errno = 0;
    long pid = strtol(text, NULL, 10);
    if (*text == '\0' || text[strspn(text, "0123456789")] != '\0' || errno != 0 || pid < 1 ||
        pid > INT_MAX)
        errx(2, "'%s' is not a PID: it is a whole number above 0", text);
    return (pid_t)pid;
}

static int find_segment(const struct options *options, struct shmid_ds *about)
{
    key_t key = sys_ftok(options->file, options->project);
    if (key == -1)
        err(errno == ENOENT ? 3 : 1, "ftok(\"%s\", %d): start listener-textbook first",
            options->file, options->project);
    int shmid = sys_shmget(key, TEXTBOOK_SIZE, 0);
    if (shmid == -1 && errno == ENOENT)
        errx(3, "no segment has key %#x: start listener-textbook first", (unsigned)key);
    if (shmid == -1)
        err(1, "shmget(%#x, %d, 0): a foreign segment has this key; choose another --project",
            (unsigned)key, TEXTBOOK_SIZE);
    if (sys_shmctl(shmid, IPC_STAT, about) == -1)
        err(3, "shmctl(%d, IPC_STAT): the listener went away", shmid);
    if (!textbook_fits(shmid, about))
        errx(1,
             "key %#x belongs to a foreign segment (shmid %d, %zu bytes, uid %u), left as it is: "
             "choose another --project or --file",
             (unsigned)key, shmid, (size_t)about->shm_segsz, (unsigned)about->shm_perm.uid);
    return shmid;
}

/* Whom to signal: the PID that was given, if the kernel confirms that it belongs to this segment,
 * by having made it or by having it attached. */
static pid_t find_listener(int shmid, const struct shmid_ds *about, pid_t given)
{
    pid_t pid = given ? given : about->shm_cpid;
    if (!peer_is_alive(pid))
        errx(3, "there is no process %d any more%s: start listener-textbook, nothing was signalled",
             (int)pid, given ? "" : ", which made the segment");
    if (pid != about->shm_cpid && !peer_has_attached(pid, shmid))
        errx(3, "PID %d is not the listener of shmid %d, which PID %d made: nothing was signalled",
             (int)pid, shmid, (int)about->shm_cpid);
    return pid;
}

/* Sleeps on, whether the answer is there or not; only the listener's death ends it earlier. On the
 * way we look when the answer came, to see how much of the nap was for nothing. */
static void nap(pid_t listener, int shmid, const char *text, const char *said)
{
    long long began = clock_now(), answered = 0;
    struct wait wait = {.timeout = nap_for};
    while (wait_sleep(&wait) != WAIT_LATE) {
        if (answered == 0 && strncmp(text, said, TEXTBOOK_SIZE) != 0)
            answered = clock_now();
        if (peer_is_gone(listener, shmid) && !peer_is_alive(listener))
            break;
    }
    if (answered > 0)
        say("napped for %.2f s; the answer was there after %.2f s",
                    (double)(clock_now() - began) / 1e9, (double)(answered - began) / 1e9);
    else if (!peer_is_alive(listener))
        errx(3, "the listener (PID %d) went away", (int)listener);
    else
        errx(3, "what lies there is what we said: no answer within a nap of %g s", nap_for);
}

/* Shows a line as one: the notes' programs end theirs with a newline. */
static void say_line(const char *before, const char *text)
{
    size_t length = strlen(text);
    say_bytes(text, length - (length > 0 && text[length - 1] == '\n'), "talker: %s: ", before);
}

/* What the notes' client does with system("ipcs -m"). */
static void show_segments(void)
{
    char line[256];
    FILE *list = popen("ipcs -m 2>/dev/null || cat /proc/sysvipc/shm", "r");
    if (!list)
        err(1, "popen(\"ipcs -m\")");
    while (fgets(line, sizeof line, list))
        if (*line != '\n')
            say("%.*s", (int)strcspn(line, "\n"), line);
    if (pclose(list) != 0)
        say("skipped: neither ipcs nor /proc/sysvipc/shm is here to list the segments");
}

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    pid_t given = options.operand_count > 0 ? parse_pid(options.operands[0]) : 0;
    char said[TEXTBOOK_SIZE];
    const char *message = options.operand_count > 1 ? options.operands[1] : "Hello, I'm talker";
    int length = snprintf(said, sizeof said, "%s\n", message);
    if (length < 0 || (size_t)length >= sizeof said)
        errx(1, "a message of %zu bytes does not fit, the segment takes %d: not sent",
             strlen(message), TEXTBOOK_SIZE - 2);
    wait_block_sigusr1();

    explain("find the segment, and ask the kernel what it knows: there is no magic to go by");
    struct shmid_ds about;
    int shmid = find_segment(&options, &about);
    pid_t listener = find_listener(shmid, &about, given);
    char *text = sys_shmat(shmid, NULL, 0);
    if (text == (void *)-1)
        err(errno == EINVAL || errno == EIDRM ? 3 : 1, "shmat(%d, NULL, 0)", shmid);

    explain(
        "leave the text, its first byte last: whoever looks too early finds none, not half of it");
    memcpy(text + 1, said + 1, (size_t)length);
    atomic_thread_fence(memory_order_release);
    *text = *said;
    trace_publish_text("text", said, (size_t)length);
    say_line("said", said);
    trace_point("said");

    explain("ring once; from here on it is our part to remove the segment, as in the notes");
    segment_remove_at_exit(shmid);
    if (peer_signal(listener) == -1)
        err(errno == ESRCH ? 3 : 1, "kill(%d, SIGUSR1) to the listener", (int)listener);

    explain("THE FLAW: a nap, in the hope that the answer is there when we wake up");
    nap(listener, shmid, text, said);

    explain("copy what lies there, and see that it is a string: strcpy would trust a stranger");
    trace_point("reading");
    char answer[TEXTBOOK_SIZE];
    memcpy(answer, text, sizeof answer);
    if (strnlen(answer, sizeof answer) == sizeof answer)
        errx(1, "the listener left no string: no NUL within %d bytes", TEXTBOOK_SIZE);
    trace_observe_text("text", answer, strlen(answer));
    say_line("listener said", answer);
    show_segments();

    explain("detach, and remove: nobody else will");
    if (sys_shmdt(text) == -1)
        err(1, "shmdt(%p)", (void *)text);
    if (sys_shmctl(shmid, IPC_RMID, NULL) == -1 && errno != EINVAL && errno != EIDRM)
        err(1, "shmctl(%d, IPC_RMID)", shmid);
    segment_forget(shmid);
    return program_end();
}
