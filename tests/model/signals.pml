/* signals.pml - what the kernel does, for both models: SIGUSR1, sleep, death, and the tick.
 *
 * SIGUSR1 is blocked everywhere but in the sleep. Until then it is one bit: pending or not. A second signal finds the
 * bit set and adds nothing (the lesson coalesce). sigsuspend lets it in and sleeps in one step, and takes the bit.
 *
 * Each statement of a process is one step; between any two of them the others may take any number of theirs, and spin
 * tries every order. What stands in atomic { } is one step.
 *
 * To be included by a model, which defines
 *     HAS_ARRIVED(who)    whether all that `who` has stored is in memory
 * and whose processes have a variable
 *     verdict             WAKEUP_GONE since the tick has noticed the peer's death (struct wakeup_wait)
 * and a label
 *     peer_is_gone        where the program says "went away", and ends.
 */
mtype = { stranger, listener, talker };

#define EVERYONE (1 + 2)   /* talker is 1, listener is 2: arrays are indexed by them */
#define nobody   0

bool pending[EVERYONE];    /* SIGUSR1 was sent, and not taken yet */
bool dead[EVERYONE];       /* of SIGKILL: takes no more steps */
bool ended[EVERYONE];      /* by itself */

#define IS_OVER(who) (ended[who] || dead[who])

#define WAKEUP_LOOK false
#define WAKEUP_GONE true

/* A step, and the line that tests/model/check --trail tells of it. */
#define does(step, ...) atomic { step; printf(__VA_ARGS__) }

/* Whether the tick would find that the peer is gone. A peer that has left in good order may be found as well, but
 * nobody must depend on that: only LATE_TICKS does so. */
#if defined NO_TICK
#define IS_GONE(peer) false
#elif defined LATE_TICKS
#define IS_GONE(peer) (IS_OVER(peer) && HAS_ARRIVED(peer))
#else
#define IS_GONE(peer) (dead[peer] && HAS_ARRIVED(peer))
#endif

#ifndef NAIVE

/* kill(who, SIGUSR1). ESRCH, where nobody is there any more, changes nothing. */
inline kill(who, by)
{
    does(pending[who] = true, "%e: kill(%e, SIGUSR1)\n", by, who)
}

/* The tick is a signal as well, but the model has none as long as the peer lives: without a crash nobody must need it.
 * Once the peer is dead, whatever wakes us finds that (tick_has_passed: it is the clock that counts). To find it some
 * wakes later would add nothing: a dead peer that nobody has noticed is one that takes its time. */
inline sigsuspend(me, peer)
{
    atomic {
        printf("%e: sigsuspend: sleeps until SIGUSR1 comes, or has come\n", me);
        if
        :: pending[me] ->
            pending[me] = false;
            printf("%e: woken by SIGUSR1\n", me)
        :: IS_GONE(peer) -> printf("%e: woken by the tick\n", me)
        fi;
        if
        :: IS_GONE(peer) ->
            verdict = WAKEUP_GONE;
            printf("%e: the tick has noticed: the %e is gone\n", me, peer)
        :: else
        fi
    }
}

#else

/* THE MISTAKE (listener/lostwakeup_no_mask.c): SIGUSR1 is let in everywhere, and the sleep is pause(2). The handler
 * runs at once, wherever the process is, and then the signal is over; it ends a pause, but only one that has begun. */
bool in_pause[EVERYONE];

inline kill(who, by)
{
    atomic {
        if
        :: in_pause[who] ->
            in_pause[who] = false;
            printf("%e: kill(%e, SIGUSR1): the handler runs, and pause returns\n", by, who)
        :: !in_pause[who] ->
            printf("%e: kill(%e, SIGUSR1): the handler runs, and the signal is over; the %e is not in pause\n",
                   by, who, who)
        fi
    }
}

inline sigsuspend(me, peer)
{
    atomic {
        in_pause[me] = true;
        printf("%e: pause: sleeps until a signal comes\n", me);
        if
        :: !in_pause[me]
        :: IS_GONE(peer) -> verdict = WAKEUP_GONE
        fi;
        in_pause[me] = false
    }
}

#endif

/* What the tick has found is told at the next sleep: whoever waits looks once more before it gives up. */
inline wakeup_sleep(me, peer)
{
#ifndef NO_LAST_LOOK
    if
    :: verdict == WAKEUP_GONE -> goto peer_is_gone
    :: else
    fi;
    sigsuspend(me, peer)
#else
    sigsuspend(me, peer);
    if
    :: verdict == WAKEUP_GONE -> goto peer_is_gone
    :: else
    fi
#endif
}

/* Somebody else's signals: as many as it likes, whenever it likes, for ever or not. */
active proctype the_stranger()
{
    do
    :: kill(talker, stranger)
    :: kill(listener, stranger)
    :: break
    od
}

/* kill -9: one of the two or none, between any two steps of it. The processes of a model stand in { } unless
 * { dead[...] }: as soon as they are dead, that is the only step they have. */
active proctype the_murderer()
{
    if
    :: does(dead[talker] = true, "the talker is killed (SIGKILL)\n")
    :: does(dead[listener] = true, "the listener is killed (SIGKILL)\n")
    :: skip
    fi
}

/* Whatever the others do, both sides come to an end, or are dead. Checked under weak fairness (pan -f), which is no
 * more than a scheduler promises: whoever could take a step all the time does take one some time. Without it, "the
 * stranger sends signals, and nobody else ever runs" were a way never to end. */
ltl both_end { <> (IS_OVER(talker) && IS_OVER(listener)) }
