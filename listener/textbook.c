/* textbook.c (listener) - a pair that waits with sleep works only if the sleep is long enough.
 *
 * This is the server of the notes. It shares the same bytes with its client, so the notes' client
 * can talk to it. The checks, the blocked signal and the clean-up are ours. The nap is the notes':
 * we sleep for three seconds, so that a talker that sleeps for two finds us here. A nap is too long
 * when it works, and too short when it does not. handshake.c shows the right way.
 *
 *     listener                                talker
 *     creates the segment
 *                                             writes a text
 *                                   <-------  one SIGUSR1, then a nap of 2 s
 *     reads the text, writes a reply
 *     a nap of 3 s                            reads the reply, shows ipcs -m
 *                                             removes the segment
 *
 *     $ build/listener-textbook               $ build/talker-textbook 4242    (the PID it printed)
 *
 * Level: first steps; 6 minutes; after handshake
 * Question: The talker sleeps for 2 seconds. After how many is the reply there?
 * Choices: at once | 1 second | 2 seconds
 * Answer: at once. The rest of the nap is wasted, and a slow listener would need more.
 * Shown by: the answer was there after 0.
 */
#include "../common/layout/textbook.h"
#include "../common/lesson.h"
#include "../common/notes.h"
#include "../common/peer.h"
#include "../common/segment.h"
#include "../common/wait.h"

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
    .question = "The talker sleeps for 2 seconds. After how many is the reply there?",
    .options = own_options,
    .points = points,
};

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);

    explain("Block SIGUSR1 before any process knows our PID. The notes' server can be killed.");
    wait_block_sigusr1();

    explain("Create the segment where the notes' client looks for it, and attach it.");
    segment_make_file(options.file);
    key_t key = segment_key(&options);
    notes_clear(key, NOTES_TEXT); /* removes what a killed one left; exits if one is in use */
    int shmid = sys_shmget(key, TEXTBOOK_SIZE, IPC_CREAT | IPC_EXCL | 0600);
    if (shmid == -1)
        err(errno == EEXIST ? EXIT_BUSY : EXIT_FAILED,
            "shmget(%#x, 1024, IPC_CREAT | IPC_EXCL | 0600)", (unsigned)key);
    segment_remove_at_exit(shmid);
    struct textbook *shared = sys_shmat(shmid, NULL, 0);
    if (shared == (void *)-1)
        err(EXIT_FAILED, "shmat(%d, NULL, 0)", shmid);
    print_line("waiting for a talker (pid %d, key %#x, shmid %d)", (int)getpid(), (unsigned)key,
               shmid);

    explain("Sleep until a signal comes and there is a text: a stray signal finds none.");
    struct wait wait = {.shmid = shmid, .we_created = true, .timeout = options.timeout};
    do
        if (wait_sleep(&wait) != WAIT_LOOK)
            wait_give_up(&wait);
    while (shared->text[0] == '\0');
    pid_t talker = signals_usr1_from; /* the kernel says who sent it */
    if (talker == 0)
        errx(EXIT_NO_PEER, "a text is there, but no talker has sent SIGUSR1 for it");
    trace_point("received");

    explain("Copy the text, at most as much as fits. The notes use strcpy, which has no limit.");
    char text[TEXTBOOK_SIZE];
    if (!notes_take(text, shared->text))
        errx(EXIT_FAILED, "PID %d left no string: no NUL within %d bytes", (int)talker,
             TEXTBOOK_SIZE);
    print_line("Start ====");
    print_bytes(text, notes_line_length(text), "received: ");

    explain("Write the reply over the message. The wire has no turn, so the talker cannot know.");
    notes_leave(shared->text, "Have a nice day\n");
    trace_point("replied");
    print_line("replied: Have a nice day");

    explain("THE FLAW: nap, and hope that the talker has read the reply when we wake up.");
    struct wait nap = {.timeout = nap_for};
    while (wait_tick(&nap) != WAIT_LATE)
        if (peer_is_gone(talker, shmid) && (notes_is_removed(shmid) || !peer_is_alive(talker)))
            break; /* no talker is left that could read it */

    explain("Detach. The talker removes the segment, as in the notes, unless it has died.");
    if (sys_shmdt(shared) == -1)
        err(EXIT_FAILED, "shmdt(%p)", (void *)shared);
    bool removed = notes_is_removed(shmid);
    if (!removed && !peer_is_alive(talker))
        errx(EXIT_NO_PEER, "the talker (PID %d) went away, and left the segment: removed it",
             (int)talker);
    segment_forget(shmid);
    print_line(removed ? "the talker has removed the segment"
                       : "the talker is still there, and will remove the segment");
    return program_end();
}
