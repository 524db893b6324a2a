/* persist.c (talker) - a POSIX object is a file in memory, and it stays until it is unlinked.
 *
 * The other half of listener/persist.c: read that first, and start it first.
 *
 *     $ build/listener-persist                $ build/talker-persist "Remember me"
 */
#include "../common/layout/persist.h"
#include "../common/lesson.h"
#include "../common/posix_shm.h"
#include "../common/session.h"

#include <fcntl.h>
#include <sys/mman.h>

static const struct program program = {
    .name = "talker-persist",
    .usage = "[options] [TEXT]",
    .about = "Writes TEXT (default: Remember me) into a POSIX object, and leaves it.",
    .values = PERSIST_VALUES,
    .most_operands = 1};

enum { SIZE = sizeof(struct posix) };

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    const char *text = options.operand_count > 0 ? options.operands[0] : "Remember me";
    if (strlen(text) >= POSIX_TEXT || *text == '\0')
        errx(EXIT_FAILED, "a text of %zu bytes does not fit, the object takes 1 to %d: not written",
             strlen(text), POSIX_TEXT - 1);
    struct session session;
    session_join(&session, &options, PERSIST_LESSON, sizeof(struct persist));
    session_await(&session, PERSIST_MADE);

    explain("Open the object by its name: the listener has closed it.");
    char name[POSIX_SHM_NAME];
    posix_shm_name(name, session.segment.key);
    int fd = sys_shm_open(name, O_RDWR, 0);
    if (fd == -1)
        err(EXIT_FAILED, "shm_open(\"%s\", O_RDWR)", name);
    struct posix *shared = sys_mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (shared == MAP_FAILED)
        err(EXIT_FAILED, "mmap(NULL, %d, ..., %d, 0)", SIZE, fd);

    explain("Write a text, unmap and close: again no process has the object.");
    copy_text_in(shared->text, text, sizeof shared->text);
    if (sys_munmap(shared, SIZE) == -1)
        err(EXIT_FAILED, "munmap(%p, %d)", (void *)shared, SIZE);
    if (sys_close(fd) == -1)
        err(EXIT_FAILED, "close(%d)", fd);
    print_line("wrote into %s, and left it: %s", name, text);
    session_advance(&session, PERSIST_WRITTEN);

    session_await(&session, PERSIST_UNLINKED);
    explain("Look for the name again: the listener has removed it.");
    fd = sys_shm_open(name, O_RDWR, 0);
    check(fd == -1 && errno == ENOENT, "after the listener's shm_unlink, shm_open: %s",
          fd == -1 ? calls_error_name(errno) : "still there");
    session_part(&session);
    return program_end();
}
