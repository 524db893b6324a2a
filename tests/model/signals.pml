/* signals.pml - what the kernel does, for every model: SIGUSR1, the sleep, death, and the timer.
 *
 * SIGUSR1 is blocked everywhere except in the sleep. While it is blocked it is one bit: pending or not. A second signal
 * finds the bit set and changes nothing (lesson coalesce). sigsuspend unblocks the signal and sleeps in one step, and
 * the handler clears the bit.
 *
 * Each statement of a process is one step. Between two steps of one process, the other processes may take any number of
 * steps, and spin tries every order. The statements inside atomic { } are one step together.
 *
 * Only SIGUSR1 makes a sleeper look at the memory. The timer is one of three, and the first two obey that rule:
 *     TIMER_NONE     no timer at all. No process is killed, so nothing but signals may be needed.
 *     (default)      a tick checks that the peer is alive, and nothing else. One process may be killed. After the death
 *                    of the peer there is one last look.
 *     TIMER_LOOKS    a tick also makes the sleeper look at the memory. No process is killed. This breaks the rule: it
 *                    shows that such a tick hides the mistakes that lose a wakeup.
 *
 * The model that includes this file defines
 *     HAS_ARRIVED(who)    whether all that `who` has stored is in memory
 *     ALL_END             whether each side has ended or is dead
 *     THREE               if there is a third side, `other`
 * and its processes have a variable
 *     peer_found_dead     true after a tick has found the peer dead
 * and, inside #ifdef DEATH, a label
 *     peer_is_gone        where the program prints "went away" and ends.
 */
mtype = { stranger, other, listener, talker };

#define EVERYONE (1 + 3)   /* talker is 1, listener is 2, other is 3: they index the arrays */
#define none     0

bool pending[EVERYONE];    /* SIGUSR1 was sent, and is not delivered yet */
bool dead[EVERYONE];       /* killed by SIGKILL: it takes no more steps */
bool ended[EVERYONE];      /* it has come to its own end */

#define IS_OVER(who) (ended[who] || dead[who])

/* One step, and the line that tests/model/check --trail prints for it. */
#define does(step, ...) atomic { step; printf(__VA_ARGS__) }

#if !defined TIMER_NONE && !defined TIMER_LOOKS
#define DEATH
#endif

/* A process stands in { } UNLESS_DEAD(who): after its death it has no other step. */
#ifdef DEATH
#define UNLESS_DEAD(who) unless { dead[who] }
#else
#define UNLESS_DEAD(who)
#endif

/* Whether a tick would find that the peer is gone. A tick may also find a peer that has ended normally, but no side may
 * depend on that: only LATE_TICKS allows it. */
#if !defined DEATH || defined NO_PEER_CHECK
#define IS_GONE(peer) false
#elif defined LATE_TICKS
#define IS_GONE(peer) (IS_OVER(peer) && HAS_ARRIVED(peer))
#else
#define IS_GONE(peer) (dead[peer] && HAS_ARRIVED(peer))
#endif

/* ---- SIGUSR1, and the sleep ---- */

#if !defined NAIVE && !defined UNBLOCK

/* kill(who, SIGUSR1). If the process has ended, kill fails with ESRCH and changes nothing. */
inline kill(who, by)
{
    does(pending[who] = true, "%e: kill(%e, SIGUSR1)\n", by, who)
}

/* A tick that finds the peer alive changes nothing: the process goes back to sleep without a look. So it is not a step
 * of the model.
 * Ticks never stop, so a wake after the death finds it. A wake that does not find it yet is the same as a later death.
 */
inline sigsuspend(me, peer)
{
    atomic {
        printf("%e: sigsuspend: sleeps until SIGUSR1 is delivered\n", me);
        do
        :: pending[me] ->
            pending[me] = false;
            printf("%e: woken by SIGUSR1\n", me);
            break
#ifdef TICK_HIDES
        :: pending[me] ->
            pending[me] = false;
            printf("%e: woken by SIGUSR1 and a tick together: regards only the tick, and sleeps again\n", me)
#endif
#ifdef TIMER_LOOKS
        :: true -> printf("%e: woken by a tick\n", me); break
#endif
#ifdef DEATH
        :: IS_GONE(peer) -> printf("%e: woken by a tick\n", me); break
#endif
        od;
#ifdef DEATH
        if
        :: IS_GONE(peer) ->
            peer_found_dead = true;
            printf("%e: the tick has found that the %e is gone\n", me, peer)
        :: else
        fi
#endif
    }
}

#else

/* THE MISTAKE: the check and the sleep are two steps, and SIGUSR1 can be delivered between them. The handler runs at
 * once and the signal is used up. It ends a pause(2) that has begun, and has no effect on one that begins later.
 *     NAIVE      SIGUSR1 is never blocked (listener/lostwakeup_no_mask.c)
 *     UNBLOCK    SIGUSR1 is blocked, but it is unblocked one step before pause */
bool in_pause[EVERYONE];

#ifdef NAIVE
#define IS_BLOCKED(who) false
#else
bool unblocked[EVERYONE];
#define IS_BLOCKED(who) (!unblocked[who])
#endif

inline kill(who, by)
{
    atomic {
        if
#ifdef UNBLOCK
        :: IS_BLOCKED(who) ->
            pending[who] = true;
            printf("%e: kill(%e, SIGUSR1)\n", by, who)
#endif
        :: !IS_BLOCKED(who) && in_pause[who] ->
            in_pause[who] = false;
            printf("%e: kill(%e, SIGUSR1): the handler runs, and pause returns\n", by, who)
        :: !IS_BLOCKED(who) && !in_pause[who] ->
            printf("%e: kill(%e, SIGUSR1): the handler runs and the signal is used up; the %e is not in pause\n",
                   by, who, who)
        fi
    }
}

inline sigsuspend(me, peer)
{
#ifdef UNBLOCK
    atomic {
        unblocked[me] = true;
        printf("%e: unblocks SIGUSR1\n", me);
        if
        :: pending[me] ->
            pending[me] = false;
            printf("%e: the handler runs, and the signal is used up\n", me)
        :: else
        fi
    };
#endif
    atomic {
        in_pause[me] = true;
        printf("%e: pause: sleeps until a signal is delivered\n", me)
    };
    atomic {
        if
        :: !in_pause[me]
#ifdef TIMER_LOOKS
        :: true -> printf("%e: woken by a tick\n", me)
#endif
#ifdef DEATH
        :: IS_GONE(peer) -> peer_found_dead = true
#endif
        fi;
#ifdef UNBLOCK
        unblocked[me] = false;
#endif
        in_pause[me] = false
    }
}

#endif

/* What a tick has found counts at the next sleep: the caller looks once more before it gives up. */
inline sleep(me, peer)
{
#if !defined DEATH
    sigsuspend(me, peer)
#elif !defined NO_LAST_LOOK
    if
    :: peer_found_dead -> goto peer_is_gone
    :: else
    fi;
    sigsuspend(me, peer)
#else
    sigsuspend(me, peer);
    if
    :: peer_found_dead -> goto peer_is_gone
    :: else
    fi
#endif
}

/* ---- processes that belong to no side ---- */

/* A stranger sends signals: any number, at any time, and perhaps for ever. */
active proctype the_stranger()
{
    do
    :: kill(talker, stranger)
    :: kill(listener, stranger)
#ifdef THREE
    :: kill(other, stranger)
#endif
    :: break
    od
}

#ifdef DEATH
/* kill -9: one of the two sides or none, between any two of its steps. */
active proctype the_killer()
{
    if
    :: does(dead[talker] = true, "the talker is killed (SIGKILL)\n")
    :: does(dead[listener] = true, "the listener is killed (SIGKILL)\n")
    :: skip
    fi
}
#endif

/* Whatever the other processes do, each side ends or is dead. This is checked under weak fairness (pan -f), which is
 * what every scheduler promises: a process that can always take a step takes one at some time. Without fairness, "the
 * stranger sends signals and no other process ever runs" would be a way never to end. */
ltl all_end { <> (ALL_END) }
