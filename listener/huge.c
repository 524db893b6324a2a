/* huge.c (listener) - SHM_HUGETLB spares page faults, SHM_NORESERVE promises no memory.
 *
 * A new segment has no memory yet: each page comes when it is touched, by a page fault. In pages of
 * 4 KiB that means many faults; SHM_HUGETLB asks for pages of 2 MiB (the sizes depend on the
 * machine), which an administrator has to set aside, and grant. And what shmget grants is promised:
 * it refuses what memory and swap together could not hold, unless it is told to promise nothing
 * (SHM_NORESERVE).
 *
 *     listener                                talker
 *     three segments of one size:
 *       plain, NORESERVE, HUGETLB
 *     touches each page, counts faults
 *     asks for more than there is
 *     TOUCHED                       ------->  touches the same pages: its page table is its own
 *                                   <-------  TOUCHED_TOO
 *     OVER                          ------->
 *
 *     $ build/listener-huge                   $ build/talker-huge
 *
 * Question: How many page faults does it cost to touch each page of a new segment once?
 */
#if defined(__linux__)
#define _GNU_SOURCE /* SHM_HUGETLB, SHM_NORESERVE, MADV_NOHUGEPAGE */
#endif
#include "../common/layout/huge.h"
#include "../common/lesson.h"
#include "../common/session.h"
#include "../common/ending.h"

#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>

static const struct program program = {
    .name = "listener-huge",
    .about = "Counts the page faults of a segment in small pages and in huge ones, and asks for\n"
             "more memory than there is.",
};

#if defined(SHM_HUGETLB) && defined(SHM_NORESERVE)

static const char *const names[HUGE_KINDS] = {"no flag", "SHM_NORESERVE", "SHM_HUGETLB"};

/* ---- what Linux says of its memory ---- */

/* A line of /proc/meminfo: in KiB, or a count of pages. 0 where there is none. */
static size_t meminfo(const char *field)
{
    char line[256];
    size_t value = 0, length = strlen(field);
    FILE *file = fopen("/proc/meminfo", "r");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, field, length) == 0 && line[length] == ':')
            sscanf(line + length + 1, "%zu", &value);
    if (file)
        fclose(file);
    return value;
}

/* In bytes, of what is mapped at `place`. 0 where nobody says. */
static size_t page_size(const void *place)
{
    char line[512];
    size_t from, to, kib = 0;
    bool there = false;
    FILE *smaps = fopen("/proc/self/smaps", "r");
    while (smaps && kib == 0 && fgets(line, sizeof line, smaps))
        if (sscanf(line, "%zx-%zx ", &from, &to) == 2)
            there = from == (uintptr_t)place;
        else if (there)
            sscanf(line, "KernelPageSize: %zu kB", &kib);
    if (smaps)
        fclose(smaps);
    return kib * 1024;
}

/* ---- page faults ---- */

/* Attaches it, and marks it for removal at once: it goes when both of us have, even if killed. */
static char *attach_marked(int shmid)
{
    char *place = sys_shmat(shmid, NULL, 0);
    int error = errno;
    if (sys_shmctl(shmid, IPC_RMID, NULL) == -1)
        err(1, "shmctl(%d, IPC_RMID)", shmid);
    errno = error;
    if (place == (void *)-1)
        err(1, "shmat(%d, NULL, 0)", shmid);
    return place;
}

/* Stores one byte in each page. Returns how many page faults that took, none of them to the disk.
 */
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

/* Makes a segment, and touches it. Returns the page faults, or minus errno. */
static long measure(struct huge *shared, int kind, int flag, size_t bytes, size_t expected)
{
    int shmid = sys_shmget(IPC_PRIVATE, bytes, flag | 0600), error = errno;
    publish(&shared->shmids[kind], shmid);
    if (shmid == -1)
        return -error;
    char *place = attach_marked(shmid);
    madvise(place, bytes, MADV_NOHUGEPAGE); /* else Linux might use some behind our back */
    size_t page = page_size(place);
    long faults = touch(place, bytes);
    check(page == expected && faults >= (long)(bytes / expected),
          "%s: %zu bytes in pages of %zu took %ld page faults", names[kind], bytes, page, faults);
    return faults;
}

static void tell_way_out(int error, size_t more_pages)
{
    if (error == EPERM)
        say("skipped: SHM_HUGETLB: EPERM, without CAP_IPC_LOCK it is for one group; as "
                    "root: sysctl vm.hugetlb_shm_group=%u",
                    (unsigned)getegid());
    else if (error == ENOMEM)
        say("skipped: SHM_HUGETLB: ENOMEM, %zu huge pages are free; as root: sysctl "
                    "vm.nr_hugepages=%zu",
                    meminfo("HugePages_Free"), meminfo("HugePages_Total") + more_pages);
    else
        say("skipped: SHM_HUGETLB: %s", calls_error_name(error));
}

static void count_faults(struct huge *shared)
{
    enum { PAGES = 2 };
    size_t page = (size_t)sysconf(_SC_PAGESIZE), huge = meminfo("Hugepagesize") * 1024;
    huge = huge > 0 ? huge : 512 * page;
    size_t bytes = PAGES * huge;

    explain("a new segment has no memory: a page comes when it is touched, by a page fault");
    long plain = measure(shared, HUGE_PLAIN, 0, bytes, page);
    explain("SHM_NORESERVE is about what is promised; pages come as before");
    long unpromised = measure(shared, HUGE_NORESERVE, SHM_NORESERVE, bytes, page);
    if (plain < 0 || unpromised < 0)
        errx(1, "shmget(IPC_PRIVATE, %zu, 0600): %s", bytes,
             calls_error_name((int)-(plain < 0 ? plain : unpromised)));
    explain("SHM_HUGETLB takes pages that root has set aside: few, and so few faults");
    long few = measure(shared, HUGE_HUGETLB, SHM_HUGETLB, bytes, huge);
    if (few < 0)
        tell_way_out((int)-few, PAGES);
    else
        check(few < plain / 4, "%ld page faults instead of %ld", few, plain);
}

/* ---- more than there is ---- */

/* Returns 0 where it is granted, and removed at once; else the error. */
static int try(size_t bytes, int flag)
{
    int shmid = sys_shmget(IPC_PRIVATE, bytes, flag | 0600);
    if (shmid == -1)
        return errno;
    if (sys_shmctl(shmid, IPC_RMID, NULL) == -1)
        err(1, "shmctl(%d, IPC_RMID)", shmid);
    return 0;
}

/* vm.overcommit_memory (proc(5)). 0: Linux refuses what could not be held in any case; 1: it
 * refuses nothing; 2: it refuses what is not covered, and SHM_NORESERVE changes nothing. */
static int overcommit(void)
{
    int mode = 0;
    FILE *file = fopen("/proc/sys/vm/overcommit_memory", "r");
    if (!file || fscanf(file, "%d", &mode) != 1)
        mode = 0;
    if (file)
        fclose(file);
    return mode;
}

static void ask_for_too_much(void)
{
    explain("ask for twice all memory and swap: nobody touches it, but shmget would promise it");
    size_t kib = meminfo("MemTotal") + meminfo("SwapTotal");
    size_t bytes = kib > SIZE_MAX / 2048 ? SIZE_MAX / 2 : kib * 2048;
    int promised = try(bytes, 0);
    explain("SHM_NORESERVE: the same again, and nothing is promised");
    int unpromised = try(bytes, SHM_NORESERVE);
    if (promised == EINVAL || promised == ENOSPC) {
        say("skipped: %zu bytes: %s, SHMMAX or SHMALL is lower than that", bytes,
                    calls_error_name(promised));
        return;
    }
    int mode = overcommit();
    check(promised == (mode == 1 ? 0 : ENOMEM) && unpromised == (mode == 2 ? ENOMEM : 0),
          "%zu bytes, twice what there is: %s; with SHM_NORESERVE: %s (vm.overcommit_memory=%d)",
          bytes, promised ? calls_error_name(promised) : "granted",
          unpromised ? calls_error_name(unpromised) : "granted", mode);
}

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    struct huge *shared = session_open(&session, &options, HUGE_LESSON, sizeof *shared);
    session_await_talker(&session);

    count_faults(shared);
    ask_for_too_much();
    session_advance(&session, HUGE_TOUCHED);
    session_await(&session, HUGE_TOUCHED_TOO);
    session_advance(&session, HUGE_OVER);
    session_part(&session);
    return program_end();
}

#else /* no SHM_HUGETLB */

int main(int argc, char **argv)
{
    struct options options = program_start(argc, argv, &program);
    struct session session;
    session_open(&session, &options, HUGE_LESSON, sizeof(struct huge));
    session_await_talker(&session);
    session_skip(&session, "this system has neither SHM_HUGETLB nor SHM_NORESERVE");
}

#endif
