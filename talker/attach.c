/* attach.c (talker) - has the same segment at another address, and looks the listener up in /proc.
 *
 * The other half of listener/attach.c, which tells the story and is started first. Two processes
 * may well get the same address, most of all where addresses are not randomised (setarch -R); but
 * nobody may build on it, and we make sure that ours is another one.
 *
 *     $ build/listener-attach                 $ build/talker-attach
 */
#include "../common/layout/attach.h"
#include "../common/lesson.h"
#include "../common/session.h"
#include "../common/peer.h"
#include "../common/ending.h"

#include <inttypes.h>
#include <stdio.h>

static const char *const points[] = {"compare", NULL};

static const struct program program = {
    .name = "talker-attach",
    .about = "Has the listener's segment at another address, and finds the same bytes there.",
    .points = points,
};

/* Returns where we have the segment, which is not where the listener has it. */
static const char *attach_elsewhere(const struct session *session, const void *theirs)
{
    const void *ours = session->shared;
    say("the kernel chose %p for the listener, and %p for us", theirs, ours);
    if (ours == theirs) {
        explain("the listener has the same address: attach once more, and we get another");
        ours = sys_shmat(session->segment.shmid, NULL, 0);
        if (ours == (void *)-1)
            err(1, "shmat(%d, NULL, 0)", session->segment.shmid);
    }
    check(ours != theirs, "the segment that the listener has at %p, we have at %p", theirs, ours);
    return ours;
}

/* Whether a line of /proc/PID/maps is about this segment; then where that lies. */
static bool is_segment(const char *line, int shmid, uintptr_t *from, uintptr_t *to)
{
    unsigned long inode;
    char name[6];
    return sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %*s %*s %*s %lu %5s", from, to, &inode, name) ==
               4 &&
           inode == (unsigned long)shmid && strcmp(name, "/SYSV") == 0;
}

/* Prints where the kernel says that the listener has the segment, and what lies around it. */
static void look_up(struct session *session, uintptr_t place)
{
    explain("Linux lists what a process has mapped: a segment's name there is /SYSV and its key");
    char path[32], line[512];
    snprintf(path, sizeof path, "/proc/%d/maps", (int)session->peer);
    FILE *maps = fopen(path, "r");
    if (!maps && !peer_is_alive(session->peer))
        session_await(session, ATTACH_COMPARED); /* which says that the listener is gone, and ends */
    if (!maps) {
        say("skipped: there is no %s here", path);
        return;
    }
    uintptr_t from = 0, to = 0;
    bool found = false;
    while (fgets(line, sizeof line, maps)) {
        line[strcspn(line, "\n")] = '\0';
        if (is_segment(line, session->segment.shmid, &from, &to)) {
            found = true;
            check(from == place && to - from == attach_in_pages(session->segment.size), "%s: %s", path,
                  line);
        } else if (strstr(line, "[heap]") || strstr(line, "[stack]")) {
            say("%s: %s", path, line);
        }
    }
    fclose(maps);
    if (!found)
        check(false, "%s: has no line for shmid %d", path, session->segment.shmid);
}

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    session_join(&session, &options, ATTACH_LESSON, sizeof(struct attach));
    session_await(&session, ATTACH_PLACED);
    uintptr_t place = (uintptr_t)observe(&((struct attach *)session.shared)->place);
    trace_point("compare");
    const char *bytes = attach_elsewhere(&session, (const void *)place);

    explain(
        "read beyond the size, to the end of the page: rounded up for the listener, and for us");
    size_t size = session.segment.size, last = attach_in_pages(size) - 1;
    check(bytes[size] == ATTACH_FIRST && bytes[last] == ATTACH_LAST,
          "of a segment of %zu bytes, byte %zu is '%c' and byte %zu is '%c', as the listener left "
          "them",
          size, size, bytes[size], last, bytes[last]);

    look_up(&session, place);
    session_advance(&session, ATTACH_COMPARED);
    session_part(&session);
    return program_end();
}
