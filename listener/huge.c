/* huge.c (listener) - SHM_HUGETLB saves page faults, because its pages are larger.
 *
 * A new segment has no memory yet. Each page comes when a process touches it for the first time, by
 * a page fault. In pages of 4 KiB that means many faults. SHM_HUGETLB asks for pages of 2 MiB (the
 * sizes depend on the machine). Root has to set them aside first, and to permit their use.
 *
 *     listener                                talker
 *     two segments of one size:
 *       plain, SHM_HUGETLB
 *     touches each page, counts faults
 *     TOUCHED                       ------->  touches the same pages: its page table is its own
 *                                   <-------  TOUCHED_TOO
 *     OVER                          ------->
 *
 *     $ build/listener-huge                   $ build/talker-huge
 *
 * Level: beyond; 3 minutes; after pages
 * Question: How many page faults does it cost to touch each page of a new segment once?
 * Choices: one in all | one a page | none
 * Answer: one a page. A page has no memory until it is touched. Larger pages are fewer.
 * Shown by: bytes in pages of * took * page faults
 */
#if defined(__linux__)
#define _GNU_SOURCE /* SHM_HUGETLB, MADV_NOHUGEPAGE */
#endif
#include "../common/layout/huge.h"
#include "../common/lesson.h"
#include "../common/memory.h"
#include "../common/session.h"

#include <stdio.h>
#include <sys/mman.h>

static const struct program program = {
    .name = "listener-huge",
    .about = "Counts the page faults of a segment in small pages, and of one in huge pages.",
    .question = "How many page faults does it cost to touch each page of a new segment once?",
    .values = HUGE_VALUES};

#ifdef SHM_HUGETLB

enum { HUGE_PAGES = 2 };

static size_t page_size(const void *place);
static long measure(const char *name, int shmid, size_t bytes, size_t expected);
static void print_way_out(int error);

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    struct huge *shared = session_open(&session, &options, HUGE_LESSON, sizeof *shared);
    session_await_talker(&session);
    if (memory_info("MemTotal") == 0 || page_size(shared) == 0)
        session_skip(&session, "/proc/meminfo and /proc/self/smaps cannot be read here");
    size_t page = (size_t)sysconf(_SC_PAGESIZE), huge = memory_info("Hugepagesize") * 1024;
    huge = huge > 0 ? huge : 512 * page;
    size_t bytes = HUGE_PAGES * huge;

    explain("A new segment has no memory: a page comes when it is touched, by a page fault.");
    int shmid = segment_private(bytes);
    publish(&shared->plain, shmid);
    long plain = measure("no flag", shmid, bytes, page);

    explain("SHM_HUGETLB takes pages that root has set aside: few pages, and so few faults.");
    shmid = sys_shmget(IPC_PRIVATE, bytes, SHM_HUGETLB | 0600);
    int error = errno;
    publish(&shared->hugetlb, shmid);
    if (shmid == -1) {
        print_way_out(error);
    } else {
        segment_remove_at_exit(shmid);
        long few = measure("SHM_HUGETLB", shmid, bytes, huge);
        check(few < plain / 4, "%ld page faults instead of %ld", few, plain);
    }

    session_advance(&session, HUGE_TOUCHED);
    session_await(&session, HUGE_TOUCHED_TOO);
    session_advance(&session, HUGE_OVER);
    session_part(&session);
    return program_end();
}

/* The page size of what is mapped at `place`, in bytes. 0 where it cannot be read. */
static size_t page_size(const void *place)
{
    char line[512];
    unsigned long long from, to;
    size_t kib = 0;
    bool is_there = false;
    FILE *smaps = fopen("/proc/self/smaps", "r");
    if (!smaps)
        return 0;
    while (kib == 0 && fgets(line, sizeof line, smaps))
        if (sscanf(line, "%llx-%llx ", &from, &to) == 2)
            is_there = from == (uintptr_t)place;
        else if (is_there)
            sscanf(line, "KernelPageSize: %zu kB", &kib);
    fclose(smaps);
    return kib * 1024;
}

/* Attaches the segment, and touches it. Returns the page faults. The segment stays attached: it is
 * marked for removal, so it goes when both of us have gone, even if we are killed. */
static long measure(const char *name, int shmid, size_t bytes, size_t expected)
{
    char *place = sys_shmat(shmid, NULL, 0);
    if (place == (void *)-1)
        err(EXIT_FAILED, "shmat(%d, NULL, 0)", shmid);
    if (sys_shmctl(shmid, IPC_RMID, NULL) == -1)
        err(EXIT_FAILED, "shmctl(%d, IPC_RMID)", shmid);
    madvise(place, bytes, MADV_NOHUGEPAGE); /* fails where the kernel has no such pages to forbid */
    size_t page = page_size(place);
    long faults = memory_touch(place, bytes);
    check(page == expected && faults >= (long)(bytes / expected),
          "%s: %zu bytes in pages of %zu took %ld page faults", name, bytes, page, faults);
    return faults;
}

static void print_way_out(int error)
{
    if (error == EPERM)
        print_line(
            "skipped: SHM_HUGETLB: EPERM, without CAP_IPC_LOCK it is for one group; as root: "
            "sysctl vm.hugetlb_shm_group=%u",
            (unsigned)getegid());
    else if (error == ENOMEM)
        print_line("skipped: SHM_HUGETLB: ENOMEM, %zu huge pages are free; as root: sysctl "
                   "vm.nr_hugepages=%zu",
                   memory_info("HugePages_Free"), memory_info("HugePages_Total") + HUGE_PAGES);
    else
        print_line("skipped: SHM_HUGETLB: %s", calls_error_name(error));
}

#else

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    session_open(&session, &options, HUGE_LESSON, sizeof(struct huge));
    session_await_talker(&session);
    session_skip(&session, "this system has no SHM_HUGETLB");
}

#endif
