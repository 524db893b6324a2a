/* lostwakeup.c (talker) - signals the listener between its check and its sleep.
 *
 * Read listener/lostwakeup.c and listener/lostwakeup_no_mask.c first. Start one of them first, too.
 *
 *     $ build/listener-lostwakeup             $ build/talker-lostwakeup
 */
#include "../common/layout/lostwakeup.h"
#include "../common/lesson.h"
#include "../common/session.h"

static const struct program program = {
    .name = "talker-lostwakeup",
    .about = "Says a word and signals the listener, which has checked and does not sleep yet.",
    .values = LOSTWAKEUP_VALUES};

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    struct lostwakeup *shared = session_join(&session, &options, LOSTWAKEUP_LESSON, sizeof *shared);

    explain("Wait until the listener has checked, has found nothing, and does not sleep yet.");
    session_await(&session, IN_WINDOW);

    explain("Say the word, then signal, as always: we cannot know where the listener is.");
    publish(&shared->word, SAID);
    print_line("signals the listener (PID %d) between its check and its sleep", (int)session.peer);
    if (sys_kill(session.peer, SIGUSR1) == -1 && errno != ESRCH)
        err(EXIT_FAILED, "kill(%d, SIGUSR1) to the listener", (int)session.peer);

    explain("Tell the listener that it may sleep. Do not signal: a second signal would wake it.");
    publish(&session.shared->step, SIGNALLED);

    session_await(&session, WOKEN);
    check(observe(&shared->word) == NOTHING, "the listener woke up and took the word");
    session_part(&session);
    return program_end();
}
