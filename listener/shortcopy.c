/* shortcopy.c (listener) - sizeof of a pointer is 8, so a copy of that many bytes is too short.
 *
 * The reader of the notes copies `sizeof(outBuf)` bytes out of the segment. outBuf is a pointer
 * there, so it copies the size of a pointer, however long the message is. We copy the message
 * twice: first as long as the talker says, after a check that so much fits, and then with the
 * mistake.
 *
 *     $ build/listener-shortcopy              $ build/talker-shortcopy "Hello, world"
 *     listener: received: Hello, world
 *     listener: a copy of sizeof outBuf, 8 bytes, received: Hello, w
 *
 * Level: first steps; 2 minutes; after handshake
 * Question: How many bytes of the message does the reader of the notes get?
 * Choices: 4 | 8 | all
 * Answer: 8. sizeof of a pointer is the size of an address, not of the text.
 * Shown by: that is 8 of
 */
#include "../common/layout/shortcopy.h"
#include "../common/lesson.h"
#include "../common/session.h"

static const struct program program = {
    .name = "listener-shortcopy",
    .about = "Copies a message as the notes do, with sizeof of a pointer, and with its length.",
    .question = "How many bytes of the message does the reader of the notes get?",
    .values = SHORTCOPY_VALUES};

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    struct shortcopy *shared = session_open(&session, &options, SHORTCOPY_LESSON, sizeof *shared);
    session_await_talker(&session);
    session_await(&session, SHORTCOPY_SAID);

    explain("Load the length once, check it, then copy so much: another process has written it.");
    char text[SHORTCOPY_TEXT];
    size_t length = observe(&shared->length);
    if (length > sizeof text)
        errx(EXIT_FAILED, "the talker says that its text has %zu bytes, but only %zu fit: refused",
             length, sizeof text);
    copy_bytes_out(text, shared->text, length);
    print_bytes(text, length, "received: ");

    explain("THE MISTAKE of the notes: outBuf is a pointer, so its size is that of a pointer.");
    char buffer[SHORTCOPY_TEXT] = "", *outBuf = buffer;
    copy_bytes_out(outBuf, shared->text, sizeof(outBuf));
    size_t copied = strnlen(outBuf, sizeof buffer);
    print_bytes(outBuf, copied, "a copy of sizeof outBuf, %zu bytes, received: ", sizeof(outBuf));
    check(memcmp(buffer, text, copied) == 0 && copied <= sizeof(char *), "that is %zu of %zu bytes",
          copied, length);

    session_advance(&session, SHORTCOPY_HEARD);
    session_part(&session);
    return program_end();
}
