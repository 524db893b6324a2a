/* text.h - build a line of text in a buffer of fixed size. */
#ifndef TEXT_H
#define TEXT_H

#include <stddef.h>

/* Appends to text[size], which holds a string, as printf would. What does not fit is cut. */
void text_append(char *text, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Appends bytes as strace shows a string: quoted, escaped, and cut after `most` bytes. */
void text_append_quoted(char *text, size_t size, const char *bytes, size_t length, size_t most);

/* Appends bytes with the control bytes escaped, so that the result has no tab and no newline. */
void text_append_escaped(char *text, size_t size, const char *bytes, size_t length);

/* Appends a word as one types it in a shell: in single quotes, if it has other characters than
 * letters, digits and those of "-._/". */
void text_append_word(char *text, size_t size, const char *word);

#endif
