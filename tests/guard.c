/* guard.c - puts each segment between pages without access, for tests/torture/hostile.
 *
 *     cc -shared -fPIC -o guard.so guard.c; LD_PRELOAD=guard.so build/listener
 *
 * The sanitizers know the bounds of the heap and of the stack, but not those of a segment; and
 * another mapping of the process may follow it. So this replaces shmat and shmdt: an access before
 * the segment or after its last page is a SIGSEGV. An access after its last byte is a report, if
 * the program is built with AddressSanitizer.
 */
#define _GNU_SOURCE /* syscall, MAP_ANONYMOUS, SHM_REMAP */
#include <stddef.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PAGE = 4096, GUARD = 256 * PAGE };

/* NULL in a program that is built without AddressSanitizer. */
void __asan_poison_memory_region(const volatile void *address, size_t size) __attribute__((weak));
void __asan_unpoison_memory_region(const volatile void *address, size_t size) __attribute__((weak));

static struct place {
    char *segment;
    size_t pages; /* bytes, in whole pages */
} places[32];

static struct place *find(const void *segment)
{
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (places[i].segment == segment)
            return &places[i];
    return NULL;
}

/* A caller that asks for an address gets it, without guard pages. */
void *shmat(int shmid, const void *address, int flags)
{
    struct shmid_ds about;
    struct place *place = find(NULL);
    if (address || !place || shmctl(shmid, IPC_STAT, &about) == -1)
        return (void *)syscall(SYS_shmat, shmid, address, flags);

    size_t size = about.shm_segsz, pages = (size + PAGE - 1) / PAGE * PAGE;
    char *around = mmap(NULL, pages + 2 * (size_t)GUARD, PROT_NONE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (around == MAP_FAILED)
        return (void *)-1;
    void *segment = (void *)syscall(SYS_shmat, shmid, around + GUARD, flags | SHM_REMAP);
    if (segment == (void *)-1) {
        munmap(around, pages + 2 * (size_t)GUARD);
        return segment;
    }
    *place = (struct place){segment, pages};
    if (__asan_poison_memory_region)
        __asan_poison_memory_region(place->segment + size, pages - size);
    return segment;
}

int shmdt(const void *segment)
{
    int status = (int)syscall(SYS_shmdt, segment);
    struct place *place = segment ? find(segment) : NULL;
    if (status == -1 || !place)
        return status;
    if (__asan_unpoison_memory_region)
        __asan_unpoison_memory_region(place->segment, place->pages);
    munmap(place->segment - GUARD, place->pages + 2 * (size_t)GUARD);
    place->segment = NULL;
    return status;
}
