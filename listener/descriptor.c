/* descriptor.c (listener) - a segment is not a file descriptor, so poll and select cannot wait for
 * it.
 *
 * A shmid is a number like 32770, which names a segment for all processes. It is no index in the
 * table of open files of one process. So poll, select, epoll and close do not take it, and
 * RLIMIT_NOFILE does not count it. A write to memory is no event for the kernel, either: a process
 * that wants to be woken needs something else, as here a signal.
 *
 *     listener                                talker
 *                                             tries poll, select, epoll_ctl and close
 *                                   <-------  TRIED
 *     writes a word, WRITTEN,
 *       and sends SIGUSR1           ------->  is woken, and reads the word
 *                                   <-------  OVER
 *
 *     $ build/listener-descriptor             $ build/talker-descriptor
 *
 * Level: the heart; 3 minutes; after lostwakeup
 * Question: How can a process sleep until another one has written to a segment?
 * Choices: poll on the shmid | select on the shmid | wait for a signal
 * Answer: wait for a signal. A shmid is no file descriptor, and a store is no event for the
 * kernel.
 * Shown by: poll for shmid *: POLLNVAL
 */
#include "../common/layout/descriptor.h"
#include "../common/lesson.h"
#include "../common/session.h"

static const char *const points[] = {"write", NULL};

static const struct program program = {
    .name = "listener-descriptor",
    .about = "Writes to a segment for which a talker cannot wait as for a descriptor.",
    .question = "How can a process sleep until another one has written to a segment?",
    .points = points,
    .values = DESCRIPTOR_VALUES};

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    struct descriptor *shared = session_open(&session, &options, DESCRIPTOR_LESSON, sizeof *shared);
    session_await_talker(&session);
    session_await(&session, DESCRIPTOR_TRIED);

    explain("Write a word, then send SIGUSR1: the kernel does not notice a write to memory.");
    trace_point("write");
    print_line("writes %d to the segment", (int)getpid()); /* before the talker can see it */
    publish(&shared->word, (int)getpid());
    session_advance(&session, DESCRIPTOR_WRITTEN);

    session_await(&session, DESCRIPTOR_OVER);
    session_part(&session);
    return program_end();
}
