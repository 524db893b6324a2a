/* offset.c (talker) - leaves a list in the segment that is linked by pointers, and by offsets.
 *
 * The other half of listener/offset.c, which tells the story and is started first. At home the
 * pointers work: that is why the mistake is made. Where both processes happen to have the segment
 * at the same address they would work there, too; so we take care to be elsewhere.
 *
 *     $ build/listener-offset                 $ build/talker-offset
 */
#include "../common/layout/offset.h"
#include "../common/lesson.h"
#include "../common/session.h"
#include "../common/ending.h"

#include <stdio.h>

static const char *const points[] = {"link", NULL};

static const struct program program = {
    .name = "talker-offset",
    .about = "Leaves a list in the segment for a listener: linked by pointers, and by offsets.",
    .points = points,
};

static const char *const words[] = {"an", "offset", "means", "the", "same", "everywhere"};

enum { WORDS = sizeof words / sizeof *words };

/* Returns the segment at an address that is not the listener's. */
static struct offset *attach_elsewhere(const struct session *session)
{
    struct offset *shared = (struct offset *)session->shared;
    if ((uintptr_t)shared != (uintptr_t)observe(&shared->place))
        return shared;
    explain("the listener has the same address: attach once more, and we get another");
    shared = sys_shmat(session->segment.shmid, NULL, 0);
    if (shared == (void *)-1)
        err(1, "shmat(%d, NULL, 0)", session->segment.shmid);
    return shared;
}

/* Links the words in their order, from the last to the first, through nodes that lie in disorder;
 * the last node of the array stays free. */
static void link_list(struct offset *shared)
{
    enum { STRIDE = 3 };
    explain("link each node to the next: by a pointer, as in memory of our own, and by an offset");
    shared->first_pointer = NULL;
    uint32_t first = 0;
    for (int i = WORDS - 1; i >= 0; i--) {
        struct offset_node *node = &shared->node[i * STRIDE % (OFFSET_NODES - 1)];
        strcpy(node->word, words[i]);
        node->pointer = shared->first_pointer;
        node->offset = first;
        shared->first_pointer = node;
        first = (uint32_t)((char *)node - (char *)shared);
    }
    publish(&shared->first_offset, first);
}

/* Where a pointer leads, if that is one of our nodes: anybody may have written it. */
static const struct offset_node *node_at_pointer(struct offset *shared, uintptr_t pointer)
{
    uintptr_t offset = pointer - (uintptr_t)shared;
    return offset > sizeof *shared ? NULL : offset_node_at(shared, (uint32_t)offset);
}

static void follow_pointers(struct offset *shared)
{
    explain("at home the pointers work: nothing warns us, so look before following even here");
    char text[OFFSET_NODES * (OFFSET_WORD + 1)] = "";
    int count = 0;
    for (uintptr_t pointer = (uintptr_t)shared->first_pointer; pointer != 0; count++) {
        const struct offset_node *node = node_at_pointer(shared, pointer);
        if (!node || count == OFFSET_NODES)
            errx(1, "%#jx after %d pointers: there is no node: not followed", (uintmax_t)pointer,
                 count);
        size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, "%s%.*s", used ? " " : "", OFFSET_WORD,
                 node->word);
        pointer = (uintptr_t)node->pointer;
    }
    check(count == WORDS, "followed %d pointers, the first to %p, which is offset %u here: \"%s\"",
          count, (void *)shared->first_pointer, (uint32_t)observe(&shared->first_offset), text);
}

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    session_join(&session, &options, OFFSET_LESSON, sizeof(struct offset));
    session_await(&session, OFFSET_PLACED);
    struct offset *shared = attach_elsewhere(&session);
    trace_point("link");
    link_list(shared);
    follow_pointers(shared);
    session_advance(&session, OFFSET_LINKED);

    session_await(&session, OFFSET_WALKED);
    explain("the listener has put a word in front: check its offset, then look there");
    uint32_t offset = (uint32_t)observe(&shared->first_offset);
    const struct offset_node *node = offset_node_at(shared, offset);
    if (!node)
        errx(1, "offset %u: there is no node: not followed", offset);
    check(node == &shared->node[OFFSET_NODES - 1], "the listener's word, at offset %u: %.*s",
          offset, OFFSET_WORD, node->word);
    session_part(&session);
    return program_end();
}
