/* huge.c (talker) - touches the same pages: the memory is shared, the page table is not.
 *
 * The other half of listener/huge.c, which tells the story and is started first. The pages are
 * there already; but each process has a page table of its own, which says where they are. It is
 * filled in page by page, and each entry takes a page fault. With huge pages there are fewer.
 *
 *     $ build/listener-huge                   $ build/talker-huge
 */
#include "../common/pairs/huge.h"
#include "../common/claim.h"
#include "../common/lines.h"
#include "../common/sys.h"

#include <err.h>
#include <errno.h>
#include <sys/resource.h>
#include <unistd.h>

static const struct program program = {
    .name = "talker-huge",
    .usage = "[options]",
    .about = "Touches the segments that a listener has touched, and counts page faults of its own.",
};

static const char *const names[] = {"no flag", "SHM_NORESERVE"};

/* Stores one byte in each page. Returns how many page faults that took. */
static long touch(volatile char *place, size_t bytes)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    struct rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    for (size_t at = 0; at < bytes; at += page)
        place[at] = 1;
    getrusage(RUSAGE_SELF, &after);
    return after.ru_minflt - before.ru_minflt;
}

/* A segment that is not there any more was the listener's, and went with it: meet_await says so. */
static _Noreturn void fail(struct meet *meet, const char *call, int shmid)
{
    int error = errno;
    if (wakeup_gone(meet->peer, meet->segment.shmid))
        meet_await(meet, HUGE_OVER);
    errno = error;
    err(1, "%s(%d)", call, shmid);
}

/* Attaches one of the listener's segments, touches it, and detaches it. Returns the page faults. */
static long measure(struct meet *meet, int shmid, size_t *bytes)
{
    struct shmid_ds about;
    if (sys_shmctl(shmid, IPC_STAT, &about) == -1)
        fail(meet, "shmctl", shmid);
    if (about.shm_cpid != meet->peer)
        errx(1, "segment %d is not the listener's, but PID %d's", shmid, (int)about.shm_cpid);
    char *place = sys_shmat(shmid, NULL, 0);
    if (place == (void *)-1)
        fail(meet, "shmat", shmid);
    *bytes = about.shm_segsz;
    long faults = touch(place, *bytes);
    if (sys_shmdt(place) == -1)
        err(1, "shmdt(%p)", (void *)place);
    return faults;
}

int main(int argc, char **argv)
{
    struct options options = options_parse(argc, argv, &program);
    wakeup_block();
    struct meet meet;
    meet_find(&meet, &options, HUGE_LESSON, sizeof(struct huge));
    struct huge *shared = (struct huge *)meet.shared;
    meet_await(&meet, HUGE_TOUCHED);

    explain("attach what the listener has touched: the pages are there, and still we fault");
    size_t bytes;
    for (int kind = 0; kind < HUGE_HUGETLB; kind++) {
        long faults = measure(&meet, (int)observe(&shared->shmids[kind]), &bytes);
        claim(faults >= (long)bytes / sysconf(_SC_PAGESIZE),
              "%s: the same %zu bytes took %ld page faults here, too", names[kind], bytes, faults);
    }
    int shmid = (int)observe(&shared->shmids[HUGE_HUGETLB]);
    if (shmid == -1) {
        lines_print("skipped: the listener has no segment with SHM_HUGETLB");
    } else {
        explain("in huge pages there are fewer entries to fill in, and so there are fewer faults");
        long faults = measure(&meet, shmid, &bytes);
        claim(faults < (long)bytes / sysconf(_SC_PAGESIZE) / 4,
              "SHM_HUGETLB: the same %zu bytes took %ld page faults here, too", bytes, faults);
    }
    meet_advance(&meet, HUGE_TOUCHED_TOO);
    meet_await(&meet, HUGE_OVER);
    meet_part(&meet);
    wakeup_end();
    return claim_status();
}
