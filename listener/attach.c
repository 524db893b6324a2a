/* attach.c (listener) - an address of your own must be a multiple of SHMLBA, or SHM_RND rounds it
 * down.
 *
 * Give NULL as the address: the kernel knows what is free. An address of your own fails with EINVAL
 * unless it is free and on a page boundary. SHM_RND rounds it down to a multiple of SHMLBA. On
 * Linux SHM_REMAP replaces what is there.
 *
 *     listener                                talker
 *     NULL, then addresses of its own:
 *       EINVAL, SHM_RND, SHM_REMAP
 *     place = its address, PLACED   ------>
 *                                             has the segment at another address
 *                                             finds both in /proc/PID/maps
 *                                   <-------  COMPARED
 *
 *     $ build/listener-attach                 $ build/talker-attach
 *
 * Level: the heart; 4 minutes; after handshake
 * Question: Can a process attach a segment at any address that it likes?
 * Answer: no. The address must be free and on a page boundary, or SHM_RND must round it down.
 * Shown by: shmat at *: EINVAL
 */
#if defined(__linux__)
#define _GNU_SOURCE /* SHM_REMAP */
#endif
#include "../common/layout/attach.h"
#include "../common/lesson.h"
#include "../common/session.h"

static const char *const points[] = {"placed", NULL};

static const struct program program = {
    .name = "listener-attach",
    .about = "Attaches at an address of the kernel's choice, and at some of its own.",
    .question = "Can a process attach a segment at any address that it likes?",
    .points = points,
    .values = ATTACH_VALUES};

static char *find_free_place(int shmid);
static void attach_off_boundary(int shmid, char *place);
static void replace(char *place);
static void detach(char *place);

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    struct attach *shared = session_open(&session, &options, ATTACH_LESSON, sizeof *shared);
    session_await_talker(&session);

    char *place = find_free_place(session.segment.shmid);
    attach_off_boundary(session.segment.shmid, place);
    replace(place);
    detach(place);

    explain("Say where we have the segment: the talker has it at another address.");
    publish(&shared->place, (uintptr_t)shared);
    trace_point("placed");
    session_advance(&session, ATTACH_PLACED);
    session_await(&session, ATTACH_COMPARED);
    session_part(&session);
    return program_end();
}

static char *find_free_place(int shmid)
{
    explain("NULL lets the kernel choose an address. After shmdt the place is free again.");
    char *place = sys_shmat(shmid, NULL, 0);
    if (place == (void *)-1)
        err(EXIT_FAILED, "shmat(%d, NULL, 0)", shmid);
    if (sys_shmdt(place) == -1)
        err(EXIT_FAILED, "shmdt(%p)", (void *)place);
    return place;
}

/* Returns 0 if shmat has succeeded, or the errno. */
static int error_of(const void *attached)
{
    return attached == (void *)-1 ? errno : 0;
}

static const char *name_of(int error)
{
    return error == 0 ? "done" : calls_error_name(error);
}

/* Attaches at `place`. Prints after both calls, because a library that prints may take the place.
 */
static void attach_off_boundary(int shmid, char *place)
{
    char *off = place + 1;
    explain("Ask for one byte beyond a page boundary: EINVAL, because no page can begin there.");
    int error = error_of(sys_shmat(shmid, off, 0));

    explain("The same with SHM_RND: the kernel rounds down to a multiple of SHMLBA.");
    char *rounded = sys_shmat(shmid, off, SHM_RND);
    if (rounded == (void *)-1)
        err(EXIT_FAILED, "shmat(%d, %p, SHM_RND)", shmid, (void *)off);

    check(error == EINVAL, "shmat at %p: %s", (void *)off, name_of(error));
    check(rounded == off - (uintptr_t)off % (uintptr_t)SHMLBA,
          "shmat at %p with SHM_RND: attached at %p (SHMLBA is %ld)", (void *)off, (void *)rounded,
          (long)SHMLBA);
}

/* Puts a new segment in the place of ours at `place`. It is attached elsewhere meanwhile: where
 * kernel.shm_rmid_forced is 1, a failed shmat counts as the last detach, and removes a segment. */
static void replace(char *place)
{
#ifdef SHM_REMAP
    const struct segment_head *head = (const struct segment_head *)place;
    int shmid = segment_private(segment_size(1));
    char *elsewhere = sys_shmat(shmid, NULL, 0);
    if (elsewhere == (void *)-1)
        err(EXIT_FAILED, "shmat(%d, NULL, 0)", shmid);
    explain("Ask for a place that is taken: EINVAL, so nothing is replaced by mistake.");
    int error = error_of(sys_shmat(shmid, place, 0));
    check(error == EINVAL, "shmat at %p, where something is: %s", (void *)place, name_of(error));

    explain("SHM_REMAP replaces what is there. It needs an address: with NULL it is EINVAL.");
    error = error_of(sys_shmat(shmid, NULL, SHM_REMAP));
    check(error == EINVAL, "shmat at NULL with SHM_REMAP: %s", name_of(error));
    uint32_t before = atomic_load(&head->magic);
    error = error_of(sys_shmat(shmid, place, SHM_REMAP));
    uint32_t after = atomic_load(&head->magic);
    check(error == 0 && before == SEGMENT_MAGIC && after == 0,
          "shmat at %p with SHM_REMAP: %s; the first word there was %#x, and is %#x", (void *)place,
          name_of(error), before, after);
    if (sys_shmctl(shmid, IPC_RMID, NULL) == -1)
        err(EXIT_FAILED, "shmctl(%d, IPC_RMID)", shmid);
    if (sys_shmdt(elsewhere) == -1)
        err(EXIT_FAILED, "shmdt(%p)", (void *)elsewhere);
#else
    (void)place;
    print_line("skipped: only Linux has SHM_REMAP");
#endif
}

static void detach(char *place)
{
    explain("shmdt takes the address that shmat returned, and no other inside the segment.");
    int error = sys_shmdt(place + 1) == -1 ? errno : 0;
    check(error == EINVAL, "shmdt at %p: %s", (void *)(place + 1), name_of(error));
    if (sys_shmdt(place) == -1)
        err(EXIT_FAILED, "shmdt(%p)", (void *)place);
}
