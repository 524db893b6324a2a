/* offset.c (listener) - a list in a segment must be linked by offsets: pointers break in the peer.
 *
 * A pointer is an address in one process. Another process has the segment at another address, and
 * has something else, or nothing, where the pointer leads. An offset counts from the first byte of
 * the segment, so it is right in every process. The talker has linked the same list in both ways.
 * We check where the pointer leads, and do not follow it.
 *
 *     listener                                talker
 *     place = its address
 *                                             has another address
 *                                   <-------  links the list twice, LINKED
 *     the pointer leads outside
 *     follows the offsets
 *     puts a word in front, WALKED  ------->  finds it by its offset
 *
 *     $ build/listener-offset                 $ build/talker-offset
 *
 * Level: the heart; 4 minutes; after attach
 * Question: Does a pointer in the segment lead to the same data in the other process?
 * Answer: no. A pointer is an address in one process, and the other has the segment elsewhere.
 * Shown by: not followed
 */
#include "../common/layout/offset.h"
#include "../common/lesson.h"
#include "../common/session.h"

#include <stddef.h>
#include <stdio.h>

static const char *const points[] = {"walk", NULL};

static const struct program program = {
    .name = "listener-offset",
    .about = "Walks a list that a talker has left in the segment: by pointers, and by offsets.",
    .question = "Does a pointer in the segment lead to the same data in the other process?",
    .points = points,
    .values = OFFSET_VALUES};

static void check_pointer(const struct offset *shared, size_t size);
static void follow_offsets(const struct offset *shared, size_t size);
static void put_in_front(struct offset *shared, const char *word);

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    struct offset *shared = session_create(&session, &options, OFFSET_LESSON, sizeof *shared, 0);
    explain("Say where the segment is here. The talker makes sure that it has another address.");
    publish(&shared->pointer_size, (int)sizeof(void *));
    publish(&shared->place, (uintptr_t)shared);
    session_announce(&session);
    session_await_talker(&session);
    session_await(&session, OFFSET_LINKED);
    trace_point("walk");

    check_pointer(shared, session.segment.size);
    follow_offsets(shared, session.segment.size);
    put_in_front(shared, "Indeed,");
    session_advance(&session, OFFSET_WALKED);
    session_part(&session);
    return program_end();
}

/* Prints where the pointer leads, and does not follow it. */
static void check_pointer(const struct offset *shared, size_t size)
{
    explain("Check a pointer from another process before you follow it: it may lead anywhere.");
    uintptr_t begin = (uintptr_t)shared, end = begin + size;
    uintptr_t pointer = (uintptr_t)shared->first_pointer;
    check(pointer < begin || pointer >= end,
          "the first pointer is %#jx, and our segment goes from %#jx to %#jx: not followed",
          (uintmax_t)pointer, (uintmax_t)begin, (uintmax_t)end);
}

/* The node at `offset`, or NULL. An offset in the segment is only a claim: it must lie inside the
 * real size, which the kernel knows (shm_segsz), and a node must begin there. */
static const struct offset_node *node_at(const struct offset *shared, size_t size, uint32_t offset)
{
    if (offset < offsetof(struct offset, node) || offset > size - sizeof *shared->node)
        return NULL;
    size_t into = offset - offsetof(struct offset, node);
    if (into >= sizeof shared->node || into % sizeof *shared->node != 0)
        return NULL;
    return &shared->node[into / sizeof *shared->node];
}

static void follow_offsets(const struct offset *shared, size_t size)
{
    explain("Follow the offsets from our own address. Copy each one, check it, then use it.");
    char text[OFFSET_NODES * (OFFSET_WORD + 1)] = "";
    int words = 0;
    for (uint32_t offset = observe(&shared->first_offset); offset != 0; words++) {
        const struct offset_node *found = node_at(shared, size, offset);
        if (!found || words == OFFSET_NODES)
            errx(EXIT_FAILED, "offset %u after %d nodes: there is no node: not followed", offset,
                 words);
        struct offset_node node = *found;
        size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, "%s%.*s", used ? " " : "", OFFSET_WORD,
                 node.word);
        offset = node.offset;
    }
    check(words > 0, "followed %d offsets: \"%s\"", words, text);
}

/* The talker has left the last node free. */
static void put_in_front(struct offset *shared, const char *word)
{
    explain("Put a word in front, and link it by its offset: the talker will find it there.");
    struct offset_node *node = &shared->node[OFFSET_NODES - 1];
    copy_text_in(node->word, word, sizeof node->word);
    node->offset = atomic_load(&shared->first_offset);
    publish(&shared->first_offset, (uint32_t)((char *)node - (char *)shared));
}
