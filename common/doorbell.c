/* doorbell.c - spin, declare, recheck, sleep; see doorbell.h. */
#if defined(__linux__)
#define _GNU_SOURCE /* sched_getcpu, sched_getaffinity */
#endif
#define IN_COMMON
#include "doorbell.h"

#include <err.h>
#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <time.h>
#include <unistd.h>

long doorbell_spin_default(long usual)
{
#if defined(__linux__)
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) == 0)
        return CPU_COUNT(&allowed) > 1 ? usual : 0;
#endif
    return sysconf(_SC_NPROCESSORS_ONLN) > 1 ? usual : 0;
}

/* The CPU that we run on, from 1; 0 where that cannot be told. */
static int this_cpu(void)
{
#if defined(__linux__)
    return sched_getcpu() + 1;
#else
    return 0;
#endif
}

/* Tells the CPU that somebody spins: it may give the pipeline to another thread
 * meanwhile. */
static void pause_a_little(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static bool has_changed(const _Atomic uint64_t *counter, uint64_t old)
{
    return atomic_load_explicit(counter, memory_order_acquire) != old;
}

/* Looks for spin_us. Returns whether there is news. */
static bool spin(const struct doorbell_keeper *keeper, const _Atomic uint64_t *counter,
                 uint64_t old)
{
    enum { LOOKS = 64 }; /* between two looks at the clock */
    struct timespec start, now;
    clock_gettime(CLOCK_MONOTONIC, &start);
    do {
        for (int i = 0; i < LOOKS; i++) {
            if (has_changed(counter, old))
                return true;
            pause_a_little();
        }
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while ((now.tv_sec - start.tv_sec) * 1000000 + (now.tv_nsec - start.tv_nsec) / 1000 <
             keeper->spin_us);
    return false;
}

enum wakeup doorbell_wait(struct doorbell_keeper *keeper, const _Atomic uint64_t *counter,
                          uint64_t old)
{
    if (has_changed(counter, old))
        return WAKEUP_LOOK;
    int cpu = this_cpu();
    atomic_store_explicit(&keeper->mine->cpu, cpu, memory_order_relaxed);
    int peers_cpu = atomic_load_explicit(&keeper->peers->cpu, memory_order_relaxed);
    bool apart = cpu == 0 || cpu != peers_cpu;
    if (keeper->spin_us > 0 && apart && spin(keeper, counter, old))
        return WAKEUP_LOOK;

    atomic_store(&keeper->mine->asleep, 1); /* declare, */
    enum wakeup why = WAKEUP_LOOK;
    if (atomic_load(counter) == old) { /* recheck, */
        keeper->slept++;
        why = wakeup_sleep(&keeper->wait); /* sleep */
    }
    atomic_store_explicit(&keeper->mine->asleep, 0, memory_order_relaxed);
    return why;
}

void doorbell_ring(struct doorbell_keeper *keeper)
{
    atomic_thread_fence(memory_order_seq_cst); /* the news first, the look second */
    if (atomic_load_explicit(&keeper->peers->asleep, memory_order_relaxed) == 0)
        return;
    if (atomic_exchange(&keeper->peers->asleep, 0) == 0)
        return;
    keeper->rung++;
    if (wakeup_send(keeper->wait.peer) == -1 && errno != ESRCH)
        err(1, "kill(%d, SIGUSR1) to our peer", (int)keeper->wait.peer);
}
