/* doorbell.c - ring only a peer that sleeps; see doorbell.h. */
#include "doorbell.h"
#include "clock.h"
#include "cpu.h"
#include "peer.h"
#include "trace.h"

/* ---- where we run ---- */

static int cpu_of(const struct doorbell *bell)
{
    return atomic_load_explicit(&bell->cpu, memory_order_relaxed);
}

/* A store takes the cache line away from the other side. So a value is stored only when it is new.
 */
static void store_cpu(struct doorbell *mine)
{
    int cpu = cpu_current();
    if (cpu != cpu_of(mine))
        atomic_store_explicit(&mine->cpu, cpu, memory_order_relaxed);
}

/* ---- spin ---- */

long doorbell_spin(long most)
{
    return cpu_only_one() ? 0 : most;
}

void doorbell_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* Whether to look again at once. Not if the peer last published on this CPU: it cannot go on before
 * we sleep. The clock and the CPU are asked only once in LOOKS looks. */
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
        side->spun = time >= side->until || (peers && peers == cpu_current());
    }
    doorbell_relax();
    return !side->spun;
}

/* ---- wait, and ring ---- */

/* If `asleep` is still 1 after a stray signal, there is no need to set it again: our caller has
 * looked since. If it is 0, the peer has answered it, and its signal is on its way: then we sleep
 * as well, because only in a sleep do we notice a peer's death, or a signal that ends us. */
enum wait_result doorbell_wait(struct doorbell_side *side, struct wait *wait)
{
    if (spins(side))
        return WAIT_LOOK;
    if (!side->declared && !atomic_load_explicit(&side->mine->asleep, memory_order_relaxed)) {
        publish(&side->mine->asleep, 1);
        atomic_thread_fence(memory_order_seq_cst);
        side->declared = true;
        return WAIT_LOOK; /* the recheck is our caller's */
    }
    side->slept += side->declared;
    side->declared = false;
    return wait_sleep(wait);
}

void doorbell_up(struct doorbell_side *side)
{
    if (atomic_load_explicit(&side->mine->asleep, memory_order_relaxed))
        atomic_store_explicit(&side->mine->asleep, 0, memory_order_relaxed);
    side->declared = false;
    side->spun = false;
    side->looks = 0;
}

/* Most often the peer does not sleep: the load comes first because an exchange takes the cache
 * line. The exchange makes sure that one declaration is answered with one signal. */
int doorbell_ring(struct doorbell_side *side, pid_t peer)
{
    store_cpu(side->mine);
    atomic_thread_fence(memory_order_seq_cst);
    if (!observe(&side->theirs->asleep) || !atomic_exchange(&side->theirs->asleep, 0))
        return 0;
    side->sent++;
    return peer_signal(peer);
}
