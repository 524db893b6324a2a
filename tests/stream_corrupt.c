/* stream_corrupt.c - stores false values in the ring of the lesson `stream`, for the tests.
 *
 *     stream_corrupt SHMID FIELD VALUE [FIELD VALUE]...     FIELD: head, length[2], refused ...
 *
 * It stores them in this order.
 */
#include "../common/layout/stream.h"

#include <err.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/shm.h>

static void lie(struct stream *stream, const char *field, uint64_t value)
{
    if (strcmp(field, "slots") == 0)
        atomic_store(&stream->slots, value);
    else if (strcmp(field, "slot_size") == 0)
        atomic_store(&stream->slot_size, value);
    else if (strcmp(field, "head") == 0)
        atomic_store(&stream->head, value);
    else if (strcmp(field, "tail") == 0)
        atomic_store(&stream->tail, value);
    else if (strncmp(field, "length[", 7) == 0)
        atomic_store(&stream->length[strtoul(field + 7, NULL, 0) % STREAM_MOST_SLOTS], value);
    else if (strcmp(field, "refused") == 0)
        atomic_store(&stream->refused, (int)value);
    else if (strcmp(field, "expected") == 0)
        atomic_store(&stream->expected, value);
    else if (strcmp(field, "asleep") == 0)
        stream->talker.asleep = stream->listener.asleep = (int)value;
    else if (strcmp(field, "cpu") == 0)
        stream->talker.cpu = stream->listener.cpu = (int)value;
    else
        errx(2, "no field '%s'", field);
}

int main(int argc, char **argv)
{
    if (argc < 4 || argc % 2 != 0)
        errx(2, "usage: stream_corrupt SHMID FIELD VALUE [FIELD VALUE]...");
    struct stream *stream = shmat(atoi(argv[1]), NULL, 0);
    if (stream == (void *)-1)
        err(1, "shmat(%s)", argv[1]);
    for (int i = 2; i < argc; i += 2)
        lie(stream, argv[i], strtoull(argv[i + 1], NULL, 0));
    return 0;
}
