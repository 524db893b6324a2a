/* offset_corrupt.c - stores false offsets in the list of the lesson `offset`, for the tests.
 *
 *     offset_corrupt first SHMID OFFSET   the list starts at OFFSET
 *     offset_corrupt next SHMID OFFSET    every node's successor is at OFFSET
 *     offset_corrupt width SHMID BYTES    a pointer has BYTES bytes, says the listener
 */
#include "../common/layout/offset.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/shm.h>

int main(int argc, char **argv)
{
    if (argc != 4)
        errx(2, "usage: offset_corrupt first|next|width SHMID NUMBER");
    struct offset *shared = shmat(atoi(argv[2]), NULL, 0);
    if (shared == (void *)-1)
        err(1, "shmat(%s)", argv[2]);
    uint32_t number = (uint32_t)strtoul(argv[3], NULL, 0);
    if (strcmp(argv[1], "first") == 0)
        atomic_store(&shared->first_offset, number);
    else if (strcmp(argv[1], "width") == 0)
        atomic_store(&shared->pointer_size, (int)number);
    else
        for (int i = 0; i < OFFSET_NODES; i++)
            shared->node[i].offset = number;
    return 0;
}
