/* offset.c (listener) - a list in shared memory is linked by offsets; pointers break in the peer.
 *
 * A pointer is an address in one process. Another process has the segment elsewhere, and whatever
 * it has at that address is not the list. An offset counts from the segment's first byte, wherever
 * that may be. The talker has linked the same list in both ways; we look where the pointer leads
 * before we follow it, and do not.
 *
 *     listener                                talker
 *     place = where it is here, PLACED ---->
 *                                             is elsewhere
 *                                   <-------  links the list twice, LINKED
 *     the pointer leads astray
 *     follows the offsets
 *     puts a word in front, WALKED  ------->  finds it by its offset
 *
 *     $ build/listener-offset                 $ build/talker-offset
 *
 * Question: Does a pointer in the segment lead to the same data in the other process?
 */
#include "../common/layout/offset.h"
#include "../common/lesson.h"
#include "../common/session.h"
#include "../common/ending.h"

#include <stdio.h>

static const char *const points[] = {"walk", NULL};

static const struct program program = {
    .name = "listener-offset",
    .about = "Walks a list that a talker has left in the segment: by pointers, and by offsets.",
    .points = points,
};

/* Says where the pointer leads, and does not follow it. */
static void look_at_pointer(const struct session *session)
{
    struct offset *shared = (struct offset *)session->shared;
    explain("look before following: a pointer from another process may lead anywhere");
    uintptr_t begin = (uintptr_t)shared, end = begin + session->segment.size;
    uintptr_t pointer = (uintptr_t)shared->first_pointer;
    check(pointer < begin || pointer >= end,
          "the first pointer is %#jx, and our segment goes from %#jx to %#jx: not followed",
          (uintmax_t)pointer, (uintmax_t)begin, (uintmax_t)end);
}

/* Copies the words of the list into text[size], with spaces in between. Returns how many. */
static int follow_offsets(struct offset *shared, char *text, size_t size)
{
    int words = 0;
    explain(
        "follow the offsets from wherever the segment is here; copy each, check it, then use it");
    for (uint32_t offset = (uint32_t)observe(&shared->first_offset); offset != 0; words++) {
        const struct offset_node *node = offset_node_at(shared, offset);
        if (!node || words == OFFSET_NODES)
            errx(1, "offset %u after %d nodes: there is no node: not followed", offset, words);
        size_t used = strlen(text);
        snprintf(text + used, size - used, "%s%.*s", used ? " " : "", OFFSET_WORD, node->word);
        offset = node->offset;
    }
    return words;
}

/* Puts `word` in front of the list, at a node that the talker has left free. */
static void put_in_front(struct offset *shared, const char *word)
{
    explain("put a word in front, by an offset as well: it will mean the same to the talker");
    struct offset_node *node = &shared->node[OFFSET_NODES - 1];
    strcpy(node->word, word);
    node->offset = atomic_load(&shared->first_offset);
    publish(&shared->first_offset, (uint32_t)((char *)node - (char *)shared));
}

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    struct offset *shared = session_open(&session, &options, OFFSET_LESSON, sizeof *shared);
    session_await_talker(&session);

    explain("say where the segment is here: the talker will make sure that it has it elsewhere");
    publish(&shared->place, (uintptr_t)shared);
    session_advance(&session, OFFSET_PLACED);
    session_await(&session, OFFSET_LINKED);
    trace_point("walk");

    look_at_pointer(&session);
    char text[OFFSET_NODES * (OFFSET_WORD + 1)] = "";
    int words = follow_offsets(shared, text, sizeof text);
    check(words > 0, "followed %d offsets: \"%s\"", words, text);
    put_in_front(shared, "Indeed,");
    session_advance(&session, OFFSET_WALKED);
    session_part(&session);
    return program_end();
}
