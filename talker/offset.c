/* offset.c (talker) - leaves a list in the segment that is linked by pointers, and by offsets.
 *
 * Read listener/offset.c first, and start it first. In the process that stored them the pointers
 * work: that is why this mistake is made. They would even work in the listener if it had the
 * segment at the same address, so we make sure that our address is another one.
 *
 *     $ build/listener-offset                 $ build/talker-offset
 */
#include "../common/layout/offset.h"
#include "../common/lesson.h"
#include "../common/session.h"

#include <stddef.h>
#include <stdio.h>

static const char *const points[] = {"link", NULL};

static const struct program program = {
    .name = "talker-offset",
    .about = "Leaves a list in the segment for a listener: linked by pointers, and by offsets.",
    .points = points,
    .values = OFFSET_VALUES};

static const char *const words[] = {"an", "offset", "means", "the", "same", "everywhere"};

enum { WORDS = sizeof words / sizeof *words };

static struct offset *attach_elsewhere(const struct session *session, struct offset *shared);
static void link_list(struct offset *shared);
static void follow_pointers(const struct offset *shared);
static void find_word_in_front(const struct offset *shared);

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    struct offset *shared = session_join(&session, &options, OFFSET_LESSON, sizeof *shared);
    int pointer_size = observe(&shared->pointer_size);
    if (pointer_size != sizeof(void *))
        errx(EXIT_FAILED,
             "a pointer has %d bytes in the listener and %zu here, so the list lies elsewhere: "
             "build both sides alike",
             pointer_size, sizeof(void *));
    shared = attach_elsewhere(&session, shared);
    trace_point("link");
    link_list(shared);
    follow_pointers(shared);
    session_advance(&session, OFFSET_LINKED);

    session_await(&session, OFFSET_WALKED);
    find_word_in_front(shared);
    session_part(&session);
    return program_end();
}

/* Returns the segment at an address that is not the listener's. */
static struct offset *attach_elsewhere(const struct session *session, struct offset *shared)
{
    if ((uintptr_t)shared != observe(&shared->place))
        return shared;
    explain("The listener has the same address. Attach once more: we get another one.");
    shared = sys_shmat(session->segment.shmid, NULL, 0);
    if (shared == (void *)-1)
        err(EXIT_FAILED, "shmat(%d, NULL, 0)", session->segment.shmid);
    return shared;
}

/* Links the words from the last to the first, through nodes that do not lie in this order. The last
 * node stays free. */
static void link_list(struct offset *shared)
{
    enum { STRIDE = 3 };
    explain("Link each node to the next one twice: by a pointer, and by an offset.");
    struct offset_node *next = NULL;
    uint32_t offset = 0;
    for (int i = WORDS - 1; i >= 0; i--) {
        struct offset_node *node = &shared->node[i * STRIDE % (OFFSET_NODES - 1)];
        strncpy(node->word, words[i], sizeof node->word);
        node->pointer = next;
        node->offset = offset;
        next = node;
        offset = (uint32_t)((char *)node - (char *)shared);
    }
    shared->first_pointer = next;
    publish(&shared->first_offset, offset);
}

/* Whether `pointer` leads to one of our nodes: another process may have written it. */
static bool leads_to_node(const struct offset *shared, const struct offset_node *pointer)
{
    uintptr_t into = (uintptr_t)pointer - (uintptr_t)shared->node; /* huge if it lies before */
    return into < sizeof shared->node && into % sizeof *shared->node == 0;
}

static void follow_pointers(const struct offset *shared)
{
    explain("Follow the pointers here. They work in this process: nothing warns us.");
    char text[OFFSET_NODES * (OFFSET_WORD + 1)] = "";
    int count = 0;
    const struct offset_node *first = shared->first_pointer;
    for (const struct offset_node *pointer = first; pointer; count++) {
        if (!leads_to_node(shared, pointer) || count == OFFSET_NODES)
            errx(EXIT_FAILED, "%p after %d pointers: there is no node: not followed",
                 (const void *)pointer, count);
        struct offset_node node = *pointer;
        size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, "%s%.*s", used ? " " : "", OFFSET_WORD,
                 node.word);
        pointer = node.pointer;
    }
    uint32_t offset = observe(&shared->first_offset);
    check(count == WORDS, "followed %d pointers, the first to %p, which is offset %u here: \"%s\"",
          count, (const void *)first, offset, text);
}

/* The listener has put its word into the last node. */
static void find_word_in_front(const struct offset *shared)
{
    explain("The listener has put a word in front. Check its offset, then look there.");
    uint32_t offset = observe(&shared->first_offset);
    enum { LAST = offsetof(struct offset, node) + (OFFSET_NODES - 1) * sizeof(struct offset_node) };
    if (offset != LAST)
        errx(EXIT_FAILED, "offset %u: not the last node: not followed", offset);
    struct offset_node node = shared->node[OFFSET_NODES - 1];
    check(node.word[0] != '\0', "the listener's word, at offset %u: %.*s", offset, OFFSET_WORD,
          node.word);
}
