/* textbook.c (talker) - says one line to the textbook's server, naps, and reads the answer.
 *
 * This is the client of the notes: it also talks to the notes' own server. Read and start
 * listener/textbook.c first. The notes call kill(atoi(argv[1]), SIGUSR1): an operand that is no PID
 * becomes 0, which is our whole process group. We check it. The PID may be left out, because the
 * kernel knows who created the segment.
 *
 *     $ build/listener-textbook               $ build/talker-textbook 4242    (the PID it printed)
 */
#include "../common/layout/textbook.h"
#include "../common/clock.h"
#include "../common/lesson.h"
#include "../common/notes.h"
#include "../common/peer.h"
#include "../common/segment.h"
#include "../common/wait.h"

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
    .about = "Says MESSAGE (default: Hello, I'm talker) to the listener with this PID (default:\n"
             "the creator of the segment), takes a nap, and prints the text that is there then.",
    .options = own_options,
    .points = points,
    .most_operands = 2,
};

static pid_t parse_pid(const char *text);
static void nap(pid_t listener, int shmid, const struct textbook *shared, const char *said);

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    pid_t given = options.operand_count > 0 ? parse_pid(options.operands[0]) : 0;
    const char *message = options.operand_count > 1 ? options.operands[1] : "Hello, I'm talker";
    char text[TEXTBOOK_SIZE];
    if (snprintf(text, sizeof text, "%s\n", message) >= TEXTBOOK_SIZE)
        errx(EXIT_FAILED, "a message of %zu bytes does not fit, the segment takes %d: not sent",
             strlen(message), TEXTBOOK_SIZE - 2);
    wait_block_sigusr1();

    explain("Find the segment. It has no magic, so check its size, its owner and its content.");
    key_t key = segment_key(&options);
    int shmid = sys_shmget(key, TEXTBOOK_SIZE, 0);
    if (shmid == -1 && errno == ENOENT)
        errx(EXIT_NO_PEER, "no segment has key %#x: start listener-textbook first", (unsigned)key);
    if (shmid == -1)
        err(EXIT_FAILED,
            "a foreign segment has this key, choose another --file: shmget(%#x, 1024, 0)",
            (unsigned)key);
    pid_t listener = notes_listener(shmid, given); /* exits if the kernel does not confirm it */
    struct textbook *shared = sys_shmat(shmid, NULL, 0);
    if (shared == (void *)-1)
        err(segment_is_gone() ? EXIT_NO_PEER : EXIT_FAILED, "shmat(%d, NULL, 0)", shmid);

    explain("Write the text, then signal. From here on it is we who remove the segment.");
    notes_leave(shared->text, text);
    print_line("said: %s", message);
    trace_point("said");
    segment_remove_at_exit(shmid);
    if (peer_signal(listener) == -1)
        err(errno == ESRCH ? EXIT_NO_PEER : EXIT_FAILED, "kill(%d, SIGUSR1)", (int)listener);

    explain("THE FLAW: nap, and hope that the answer is there when we wake up.");
    nap(listener, shmid, shared, text);

    explain("Copy the answer, at most as much as fits. The notes use strcpy, which has no limit.");
    trace_point("reading");
    if (!notes_take(text, shared->text))
        errx(EXIT_FAILED, "the listener left no string: no NUL within %d bytes", TEXTBOOK_SIZE);
    print_bytes(text, notes_line_length(text), "listener said: ");
    notes_list_segments(); /* the notes call system("ipcs -m") */

    explain("Detach, and remove the segment: no other process will.");
    if (sys_shmdt(shared) == -1)
        err(EXIT_FAILED, "shmdt(%p)", (void *)shared);
    if (sys_shmctl(shmid, IPC_RMID, NULL) == -1 && !segment_is_gone())
        err(EXIT_FAILED, "shmctl(%d, IPC_RMID)", shmid);
    segment_forget(shmid);
    return program_end();
}

static pid_t parse_pid(const char *text)
{
    errno = 0;
    long pid = strtol(text, NULL, 10);
    if (*text == '\0' || text[strspn(text, "0123456789")] != '\0' || errno != 0 || pid < 1 ||
        pid > INT_MAX)
        errx(EXIT_USAGE, "'%s' is not a PID: it is a whole number above 0", text);
    return (pid_t)pid;
}

/* Naps on, also if the answer is there; only the listener's death ends the nap. It looks now and
 * then to measure when the answer came. */
static void nap(pid_t listener, int shmid, const struct textbook *shared, const char *said)
{
    long long began = clock_now(), answered = 0;
    struct wait wait = {.timeout = nap_for};
    while (wait_tick(&wait) != WAIT_LATE) {
        bool gone = peer_is_gone(listener, shmid) && !peer_is_alive(listener);
        if (answered == 0 && !notes_is(shared->text, said))
            answered = clock_now();
        if (gone)
            break;
    }
    if (answered == 0 && !peer_is_alive(listener))
        errx(EXIT_NO_PEER, "the listener (PID %d) went away", (int)listener);
    if (answered == 0)
        errx(EXIT_NO_PEER, "the text is still our own: no answer within a nap of %g s", nap_for);
    print_line("napped for %.2f s; the answer was there after %.2f s",
               (double)(clock_now() - began) / 1e9, (double)(answered - began) / 1e9);
}
