/* doorbell.c - ring only a peer that sleeps; see doorbell.h. */
#if defined(__linux__)
#define _GNU_SOURCE /* sched_getcpu, sched_getaffinity */
#include <sched.h>
#endif
#define IN_COMMON
#include "clock.h"
#include "doorbell.h"

#include <unistd.h>

/* ---- where we run ---- */

static bool has_one_cpu(void)
{
#if defined(__linux__)
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) == 0)
        return CPU_COUNT(&allowed) == 1;
#endif
    return sysconf(_SC_NPROCESSORS_ONLN) == 1;
}

static int this_cpu(void)
{
#if defined(__linux__)
    return sched_getcpu() + 1;
#else
    return 0;
#endif
}

static int cpu_of(const struct doorbell *bell)
{
    return atomic_load_explicit(&bell->cpu, memory_order_relaxed);
}

/* A store takes the cache line away from the other side, so we store only what is new. */
static void tell_cpu(struct doorbell *mine)
{
    int cpu = this_cpu();
    if (cpu != cpu_of(mine))
        atomic_store_explicit(&mine->cpu, cpu, memory_order_relaxed);
}

/* ---- spin ---- */

long doorbell_spin(long most)
{
    return has_one_cpu() ? 0 : most;
}

void doorbell_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* Whether to look again at once. Not if the peer last published on this very CPU: it cannot go on
 * before we sleep. Clock and CPU are asked only once in LOOKS looks. */
static bool spins(struct doorbell_side *side)
{
    enum { LOOKS = 64 };
    if (side->spin == 0 || side->spun)
        return false;
    if (side->looks++ % LOOKS == 0) {
        long long time = clock_now();
        if (side->looks == 1)
            side->until = time + side->spin * 1000;
        int peers = cpu_of(side->theirs);
        side->spun = time >= side->until || (peers && peers == this_cpu());
    }
    doorbell_relax();
    return !side->spun;
}

/* ---- wait, and ring ---- */

/* A declaration that still stands, after a tick or a stray signal, is as good as a new one: our
 * caller has looked since. One that is gone was answered by the peer, whose signal is on its way;
 * or somebody else has wiped it away. We sleep on that as well, until the tick: nobody may keep us
 * from sleeping, for only in a sleep do we notice a peer's death, or a signal that ends us. */
enum wakeup doorbell_wait(struct doorbell_side *side, struct wakeup_wait *wait)
{
    if (spins(side))
        return WAKEUP_LOOK;
    if (!side->declared && !atomic_load_explicit(&side->mine->asleep, memory_order_relaxed)) {
        publish(&side->mine->asleep, 1);
        atomic_thread_fence(memory_order_seq_cst);
        side->declared = true;
        return WAKEUP_LOOK; /* the recheck is our caller's */
    }
    side->slept += side->declared;
    side->declared = false;
    return wakeup_sleep(wait);
}

void doorbell_up(struct doorbell_side *side)
{
    if (atomic_load_explicit(&side->mine->asleep, memory_order_relaxed))
        atomic_store_explicit(&side->mine->asleep, 0, memory_order_relaxed);
    side->declared = false;
    side->spun = false;
    side->looks = 0;
}

/* Most often nobody sleeps, and a look is cheap; an exchange takes the cache line. It makes sure
 * that one declaration is answered with one signal. */
int doorbell_ring(struct doorbell_side *side, pid_t peer)
{
    tell_cpu(side->mine);
    atomic_thread_fence(memory_order_seq_cst);
    if (!observe(&side->theirs->asleep) || !atomic_exchange(&side->theirs->asleep, 0))
        return 0;
    side->rung++;
    return wakeup_send(peer);
}
