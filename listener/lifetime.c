/* lifetime.c (listener) - a segment outlives its processes with its contents, until it is removed.
 *
 * The memory of a process ends with the process; a segment does not. The listener creates one,
 * writes a text into it, and exits without shmdt and without IPC_RMID. The kernel detaches it,
 * counts 0 attachments, and keeps the text.
 *
 *     listener                                talker
 *     writes a text, WRITTEN       ------->
 *                                  <-------   HEIR: will remove it; detaches
 *     exits without shmdt                     no process has it attached: finds it by the key,
 *                                             reads the text, removes it
 *
 *     $ build/listener-lifetime               $ build/talker-lifetime
 *
 * Level: first steps; 3 minutes; after handshake
 * Question: Is the text still there after the process that wrote it has ended?
 * Answer: yes. A segment belongs to the kernel, and stays until it is removed.
 * Shown by: the text is still there
 */
#include "../common/layout/lifetime.h"
#include "../common/ending.h"
#include "../common/lesson.h"
#include "../common/peer.h"
#include "../common/session.h"

#include <stdio.h>

static void write_text(struct lifetime *shared);
static void await_heir(struct session *session);

static const char *const points[] = {"writing", "leaving", NULL};

static const struct program program = {
    .name = "listener-lifetime",
    .about = "Creates a segment, writes a text into it, and exits with neither shmdt nor IPC_RMID.",
    .question = "Is the text still there after the process that wrote it has ended?",
    .points = points,
    .values = LIFETIME_VALUES};

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    struct lifetime *shared = session_open(&session, &options, LIFETIME_LESSON, sizeof *shared);
    session_await_talker(&session);
    if (!segment_outlives_processes())
        session_skip(&session, "kernel.shm_rmid_forced is 1: this system removes a segment when "
                               "the last process detaches it");

    explain("Write a text. When both of us have exited, only the segment has it.");
    write_text(shared);
    session_advance(&session, WRITTEN);
    await_heir(&session);

    explain(
        "Exit without shmdt and without IPC_RMID. The kernel detaches us, and removes nothing.");
    trace_point("leaving");
    ending_obey(); /* the last moment at which Ctrl-C removes the segment */
    segment_forget(session.segment.shmid);
    print_line("exits without shmdt and without IPC_RMID");
    _exit(check_status());
}

static void write_text(struct lifetime *shared)
{
    char text[LIFETIME_TEXT];
    snprintf(text, sizeof text, "PID %d was here", (int)getpid());
    trace_point("writing");
    copy_text_in(shared->text, text, sizeof shared->text);
}

/* Waits until the talker has promised to remove the segment, and has detached. */
static void await_heir(struct session *session)
{
    session_await(session, HEIR);
    session_await_attached(session, 1);
    if (!peer_is_alive(session->peer))
        errx(EXIT_NO_PEER, "the talker (PID %d) went away", (int)session->peer);
}
