/* text.c - build a line of text; see text.h. */
#include "text.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

void text_append(char *text, size_t size, const char *format, ...)
{
    size_t used = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + used, size - used, format, arguments);
    va_end(arguments);
}

/* Three octal digits where a digit follows: otherwise it would look like part of the escape. */
static void append_byte(char *text, size_t size, unsigned char byte, bool digit_follows)
{
    static const char letters[] = "\tt\nn\vv\ff\rr";
    for (const char *letter = letters; *letter; letter += 2)
        if (byte == (unsigned char)*letter) {
            text_append(text, size, "\\%c", letter[1]);
            return;
        }
    if (byte >= ' ' && byte <= '~')
        text_append(text, size, byte == '\\' ? "\\\\" : "%c", byte);
    else
        text_append(text, size, digit_follows ? "\\%03o" : "\\%o", byte);
}

static bool is_digit(const char *bytes, size_t at, size_t length)
{
    return at < length && bytes[at] >= '0' && bytes[at] <= '9';
}

void text_append_escaped(char *text, size_t size, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        append_byte(text, size, (unsigned char)bytes[i], is_digit(bytes, i + 1, length));
}

void text_append_word(char *text, size_t size, const char *word)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._/";
    if (*word != '\0' && strspn(word, plain) == strlen(word)) {
        text_append(text, size, "%s", word);
        return;
    }
    text_append(text, size, "'");
    for (; *word; word++)
        text_append(text, size, *word == '\'' ? "'\\''" : "%c", *word);
    text_append(text, size, "'");
}

void text_append_quoted(char *text, size_t size, const char *bytes, size_t length, size_t most)
{
    size_t shown = length < most ? length : most;
    text_append(text, size, "\"");
    for (size_t i = 0; i < shown; i++)
        if (bytes[i] == '"')
            text_append(text, size, "\\\"");
        else
            append_byte(text, size, (unsigned char)bytes[i], is_digit(bytes, i + 1, shown));
    text_append(text, size, length > most ? "\"..." : "\"");
}
