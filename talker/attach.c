/* attach.c (talker) - has the same segment at another address, and finds the listener's in /proc.
 *
 * Read listener/attach.c first, and start it first. Two processes may get the same address, most of
 * all where addresses are not randomised (setarch -R). No program may rely on it, so we make sure
 * that our address is another one.
 *
 *     $ build/listener-attach                 $ build/talker-attach
 */
#include "../common/layout/attach.h"
#include "../common/lesson.h"
#include "../common/peer.h"
#include "../common/session.h"

#include <stdio.h>

static const char *const points[] = {"compare", NULL};

static const struct program program = {
    .name = "talker-attach",
    .about = "Has the listener's segment at another address, and looks both up.",
    .points = points,
    .values = ATTACH_VALUES};

static void attach_elsewhere(const struct session *session, uintmax_t theirs);
static void look_up(const struct session *session, uintmax_t theirs);

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    struct attach *shared = session_join(&session, &options, ATTACH_LESSON, sizeof *shared);
    session_await(&session, ATTACH_PLACED);
    uintmax_t theirs = observe(&shared->place);
    trace_point("compare");
    attach_elsewhere(&session, theirs);
    look_up(&session, theirs);
    session_advance(&session, ATTACH_COMPARED);
    session_part(&session);
    return program_end();
}

static void attach_elsewhere(const struct session *session, uintmax_t theirs)
{
    uintmax_t ours = (uintptr_t)session->shared;
    print_line("the kernel chose %#jx for the listener, and %#jx for us", theirs, ours);
    if (ours == theirs) {
        explain("The listener has the same address. Attach once more: we get another one.");
        void *second = sys_shmat(session->segment.shmid, NULL, 0);
        if (second == (void *)-1)
            err(EXIT_FAILED, "shmat(%d, NULL, 0)", session->segment.shmid);
        ours = (uintptr_t)second;
    }
    check(ours != theirs, "the segment that the listener has at %#jx, we have at %#jx", theirs,
          ours);
}

/* Whether a line of /proc/PID/maps is about this segment; then where it begins and ends. */
static bool is_segment(const char *line, int shmid, unsigned long long *from,
                       unsigned long long *to)
{
    unsigned long inode;
    char name[6];
    return sscanf(line, "%llx-%llx %*s %*s %*s %lu %5s", from, to, &inode, name) == 4 &&
           inode == (unsigned long)shmid && strcmp(name, "/SYSV") == 0;
}

/* Prints where the kernel says that the listener has the segment, and its heap and stack. */
static void look_up(const struct session *session, uintmax_t theirs)
{
    explain("Linux lists what a process maps. A segment is named /SYSV and its key there.");
    char path[32], line[512];
    snprintf(path, sizeof path, "/proc/%d/maps", (int)session->peer);
    FILE *maps = peer_proc_is_ours() ? fopen(path, "r") : NULL;
    if (!maps && peer_is_alive(session->peer)) {
        print_line("skipped: %s cannot be read here", path);
        return;
    }
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t in_pages = (session->segment.size + page - 1) / page * page;
    bool found = false;
    while (maps && fgets(line, sizeof line, maps)) {
        line[strcspn(line, "\n")] = '\0';
        unsigned long long from, to;
        if (is_segment(line, session->segment.shmid, &from, &to)) {
            found = true;
            check(from == theirs && to - from == in_pages, "%s: %s", path, line);
        } else if (strstr(line, "[heap]") || strstr(line, "[stack]")) {
            print_line("%s: %s", path, line);
        }
    }
    if (maps)
        fclose(maps);
    if (!found && !peer_is_alive(session->peer))
        session_give_up(session, WAIT_GONE);
    if (!found)
        check(false, "%s: has no line for shmid %d", path, session->segment.shmid);
}
