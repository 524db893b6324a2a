/* attach.c (listener) - shmat finds a free place; one of your own must be on a page boundary.
 *
 * NULL is the address to give: the kernel knows what is free. Whoever wants a place of their own
 * gets EINVAL unless it is free and lies on a page boundary; SHM_RND rounds it down to SHMLBA, and
 * on Linux SHM_REMAP replaces what was there. A new segment is zero, and comes in whole pages: the
 * rest of the last one can be used, and is shared, but nobody has promised it.
 *
 *     listener                                talker
 *     looks through new memory: zero
 *     attaches where it likes: EINVAL,
 *       SHM_RND, SHM_REMAP
 *     stores beyond the size, PLACED ------>
 *                                             has it at another address
 *                                             reads what lies beyond the size
 *                                             looks us up in /proc/PID/maps
 *                                   <-------  COMPARED
 *
 *     $ build/listener-attach                 $ build/talker-attach
 *
 * Question: Can a process attach a segment at any address that it likes?
 */
#if defined(__linux__)
#define _GNU_SOURCE /* SHM_REMAP */
#endif
#include "../common/layout/attach.h"
#include "../common/lesson.h"
#include "../common/session.h"
#include "../common/ending.h"

#include <sys/mman.h>

static const char *const points[] = {"placed", NULL};

static const struct program program = {
    .name = "listener-attach",
    .about = "Attaches where the kernel likes, and at addresses of its own; a talker compares.",
    .points = points,
};

static int make_new(size_t bytes)
{
    int shmid = sys_shmget(IPC_PRIVATE, segment_size(bytes), 0600);
    if (shmid == -1)
        err(1, "shmget(IPC_PRIVATE, %zu, 0600)", segment_size(bytes));
    segment_remove_at_exit(shmid);
    return shmid;
}

/* It is attached, so it stays until we detach it, or die. */
static void mark_for_removal(int shmid)
{
    if (sys_shmctl(shmid, IPC_RMID, NULL) == -1)
        err(1, "shmctl(%d, IPC_RMID)", shmid);
    segment_forget(shmid);
}

/* Returns a free place: where a segment of `bytes` lay, which is gone again. */
static char *look_through_new_memory(size_t bytes)
{
    explain("NULL lets the kernel choose the place; look at every byte before anybody has used it");
    int shmid = make_new(bytes);
    char *place = sys_shmat(shmid, NULL, 0);
    if (place == (void *)-1)
        err(1, "shmat(%d, NULL, 0)", shmid);
    mark_for_removal(shmid);
    size_t whole = attach_in_pages(segment_size(bytes)), zero = 0;
    for (size_t i = 0; i < whole; i++)
        zero += place[i] == 0;
    check(zero == whole, "a new segment: %zu of its %zu bytes are zero", zero, whole);
    if (sys_shmdt(place) == -1)
        err(1, "shmdt(%p)", (void *)place);
    return place;
}

/* Returns 0 where it was attached, or the errno. */
static int error_of(const void *attached)
{
    return attached == (void *)-1 ? errno : 0;
}

static const char *name_of(int error)
{
    return error == 0 ? "done" : calls_error_name(error);
}

/* msync(2) is called only because it can tell whether there is memory (ENOMEM: none). */
static bool is_mapped(char *at)
{
    return msync(at, 1, MS_ASYNC) == 0;
}

/* Attaches at `place`, which is free and has room. Nothing may take it between the calls: so their
 * results are printed only after both. */
static void attach_off_a_boundary(const struct session *session, char *place)
{
    char *off = place + 1;
    explain("ask for a place one byte beyond a page boundary: EINVAL, no page can begin there");
    int error = error_of(sys_shmat(session->segment.shmid, off, 0));

    explain("the same with SHM_RND: the address is rounded down to a multiple of SHMLBA");
    char *rounded = sys_shmat(session->segment.shmid, off, SHM_RND);
    if (rounded == (void *)-1)
        err(1, "shmat(%d, %p, SHM_RND)", session->segment.shmid, (void *)off);
    size_t whole = attach_in_pages(session->segment.size);
    bool last = is_mapped(rounded + whole - attach_page()), beyond = is_mapped(rounded + whole);

    check(error == EINVAL, "shmat at %p: %s", (void *)off, name_of(error));
    check(rounded == off - (uintptr_t)off % (uintptr_t)SHMLBA,
          "shmat at %p with SHM_RND: attached at %p (SHMLBA is %ld)", (void *)off, (void *)rounded,
          (long)SHMLBA);
    check(last && !beyond, "its %zu bytes take %zu of memory: byte %zu is %s, byte %zu is %s",
          session->segment.size, whole, whole - 1, last ? "there" : "not there", whole,
          beyond ? "there" : "not there");
}

/* Puts a new segment in the place of ours at `place`. */
static void replace(char *place)
{
#ifdef SHM_REMAP
    const struct segment_head *head = (const struct segment_head *)place;
    int shmid = make_new(1);
    explain("ask for a place that is taken: EINVAL, nothing is overwritten by mistake");
    int error = error_of(sys_shmat(shmid, place, 0));
    check(error == EINVAL, "shmat at %p, where something is: %s", (void *)place, name_of(error));

    explain("SHM_REMAP replaces what is there; so it must be told where, and NULL is EINVAL");
    error = error_of(sys_shmat(shmid, NULL, SHM_REMAP));
    check(error == EINVAL, "shmat at NULL with SHM_REMAP: %s", name_of(error));
    uint32_t before = atomic_load(&head->magic);
    error = error_of(sys_shmat(shmid, place, SHM_REMAP));
    if (error == 0)
        mark_for_removal(shmid);
    uint32_t after = atomic_load(&head->magic);
    check(error == 0 && before == SEGMENT_MAGIC && after == 0,
          "shmat at %p with SHM_REMAP: %s; the first word there was %#x, and is %#x", (void *)place,
          name_of(error), before, after);
#else
    say("skipped: SHM_REMAP is Linux's own");
#endif
}

static void detach(char *place)
{
    explain("shmdt takes the address that shmat gave, and no other inside the segment");
    int error = sys_shmdt(place + 1) == -1 ? errno : 0;
    check(error == EINVAL, "shmdt at %p: %s", (void *)(place + 1), name_of(error));
    if (sys_shmdt(place) == -1)
        err(1, "shmdt(%p)", (void *)place);
}

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    struct attach *shared = session_open(&session, &options, ATTACH_LESSON, sizeof *shared);
    session_await_talker(&session);

    char *place = look_through_new_memory(attach_in_pages(session.segment.size) + 1);
    attach_off_a_boundary(&session, place);
    replace(place);
    detach(place);

    explain("store beyond the size, up to the end of the page: the talker will look for it");
    char *bytes = (char *)shared;
    bytes[session.segment.size] = ATTACH_FIRST;
    bytes[attach_in_pages(session.segment.size) - 1] = ATTACH_LAST;
    publish(&shared->place, (uintptr_t)shared);
    trace_point("placed");
    session_advance(&session, ATTACH_PLACED);
    session_await(&session, ATTACH_COMPARED);
    session_part(&session);
    return program_end();
}
