/* doorbell.pml - declare, look again, sleep; signal only a peer that has declared. Lesson stream does this.
 *
 *     talker                                     listener
 *     wait for room                              wait for a filled slot
 *     fill slot head                             empty slot tail
 *     head = head + 1                            tail = tail + 1
 *     fence; signal if the listener declared     fence; signal if the talker declared
 *
 * The talker sends ITEMS slots and one more that says END through a ring of two slots. Each slot carries its number.
 * Then the talker waits until the listener has counted past END. So both sides wait, and both send signals.
 *
 * What is proven: the listener takes each slot once, in order, and before the talker fills it again. No side sleeps for
 * ever, although most signals are never sent. With TIMER_NONE this holds without any timer. If one side is killed
 * between two of its steps, the other side ends, and has received all that the dead one published. With ONE_SIGNAL:
 * each declaration is answered by one signal, unless its side withdraws it.
 *
 * Memory is not plain here. A processor puts a store into its store buffer and goes on. Its next load may take place
 * before other processors see that store (x86 does this, and C11 allows it everywhere). A fence waits until the buffer
 * is empty. Stores leave the buffer in order: release guarantees that. In the model, kill and sigsuspend do not empty
 * the buffer. In the kernel they do: a process that takes a signal sees what was stored before kill. The doorbell does
 * not depend on it, so it is checked without.
 */
#define HAS_ARRIVED(who) (buffer[who].count == 0)   /* the kernel ends a process after all its stores */
#define ALL_END          IS_OVER(talker) && IS_OVER(listener)

#include "signals.pml"

#ifndef ITEMS
#define ITEMS 2
#endif
#define SLOTS 2
#define LOOKS 1     /* how often a side looks before it declares: it spins */
#define END   (ITEMS + 1)

/* ---- memory: the segment, and each side's store buffer ---- */

mtype = { slot_1, slot_0, listener_asleep, talker_asleep, tail, head };     /* from 10 down to 5 */

#define ASLEEP(who) (talker_asleep - talker + who)
#define SLOT(n)     (slot_0 + (n) % SLOTS)

byte memory[11];            /* struct stream, by these names */

typedef store_buffer {
    byte count;
    byte where[2], value[2];
};
store_buffer buffer[1 + 2];

#ifdef ONE_SIGNAL
/* Only an assertion reads this: declarations that are in memory, that their side has not withdrawn, and for which no
 * signal was sent yet. */
byte unanswered[1 + 2];
#endif

/* A side that loads what it has stored finds its own store, even if that is still in its buffer: the newest first. */
#define LOAD(me, it) \
    ((buffer[me].count == 2 && buffer[me].where[1] == (it)) -> buffer[me].value[1] : \
     ((buffer[me].count >= 1 && buffer[me].where[0] == (it)) -> buffer[me].value[0] : memory[it]))

inline store(me, it, new)
{
    atomic {
        buffer[me].count < 2;
        buffer[me].where[buffer[me].count] = it;
        buffer[me].value[buffer[me].count] = new;
        buffer[me].count++;
        printf("%e: %e = %d, in its store buffer\n", me, it, new)
    }
}

/* A store reaches memory, and the other side can see it: at any time, the oldest store first. */
inline arrive(from)
{
    atomic {
        buffer[from].count > 0;
#ifdef ONE_SIGNAL
        if
        :: buffer[from].where[0] != ASLEEP(from) || buffer[from].value[0] == memory[ASLEEP(from)]
        :: buffer[from].where[0] == ASLEEP(from) && buffer[from].value[0] > memory[ASLEEP(from)] -> unanswered[from]++
        :: buffer[from].where[0] == ASLEEP(from) && buffer[from].value[0] < memory[ASLEEP(from)] -> unanswered[from]--
        fi;
#endif
        memory[buffer[from].where[0]] = buffer[from].value[0];
        printf("(the %e's %e = %d reaches memory)\n", from, buffer[from].where[0], buffer[from].value[0]);
        buffer[from].where[0] = buffer[from].where[1];
        buffer[from].value[0] = buffer[from].value[1];
        buffer[from].where[1] = 0;
        buffer[from].value[1] = 0;
        buffer[from].count--
    }
}

active proctype the_memory()
{
end:
    do
    :: arrive(talker)
    :: arrive(listener)
    od
}

inline fence(me)                                 /* atomic_thread_fence(memory_order_seq_cst) */
{
    does(HAS_ARRIVED(me), "%e: fence: all its stores are in memory\n", me)
}

inline exchange(me, it, new, was)                /* atomic_exchange */
{
    atomic {
        HAS_ARRIVED(me);
        was = memory[it];
        memory[it] = new;
        printf("%e: exchanges %e = %d for %d\n", me, it, was, new)
    }
}

/* ---- the doorbell ---- */

bool declared[1 + 2];                            /* and has not slept since */

inline declare(me)
{
    store(me, ASLEEP(me), 1);                    /* publish(&side->mine->asleep, 1) */
#ifndef NO_WAIT_FENCE
    fence(me)
#endif
}

inline answer(me, peer)
{
#ifdef ONE_SIGNAL
    atomic { assert(unanswered[peer] > 0); unanswered[peer]-- };
#endif
    kill(peer, me)
}

/* One step of a wait. After a declaration it returns, and its caller looks again: that is the recheck. A declaration
 * that still stands after a sleep needs no new one, because the caller has looked since. */
inline doorbell_wait(me, peer)
{
    if
#ifdef SPIN_ONLY
    :: true
#else
    :: looks < LOOKS -> looks++                  /* it spins */
    :: looks == LOOKS ->
       if
#ifdef NO_REDECLARE
       :: !declared[me] -> declared[me] = true; declare(me)
       :: declared[me] -> sleep(me, peer)
#else
       :: !declared[me] && !LOAD(me, ASLEEP(me)) ->
          declare(me);
#ifdef NO_RECHECK
          sleep(me, peer)                        /* declared after the last look, instead of before it */
#else
          declared[me] = true
#endif
       :: declared[me] || LOAD(me, ASLEEP(me)) ->
          declared[me] = false;
          sleep(me, peer)
#endif
       fi
#endif
    fi
}

/* The wait is over. */
inline doorbell_up(me)
{
#ifndef NO_UP
    if
    :: LOAD(me, ASLEEP(me)) -> store(me, ASLEEP(me), 0)
    :: else
    fi;
#endif
    declared[me] = false;
    looks = 0
}

inline doorbell_ring(me, peer)
{
#ifndef NO_FENCE
    fence(me);
#endif
    if
    :: does(!memory[ASLEEP(peer)], "%e: looks: the %e has not declared that it sleeps\n", me, peer)
    :: memory[ASLEEP(peer)] ->
#if defined NO_RESET
       answer(me, peer)
#elif defined PLAIN_RESET || defined FENCED_RESET
       store(me, ASLEEP(peer), 0);
#ifdef FENCED_RESET
       fence(me);
#endif
       answer(me, peer)
#elif defined RESET_LATE
       answer(me, peer);
       exchange(me, ASLEEP(peer), 0, was)
#else
       exchange(me, ASLEEP(peer), 0, was);
       if
       :: was -> answer(me, peer)
       :: else
       fi
#endif
    fi;
    was = 0                                      /* not used any more: it would only make more states */
}

/* Looks and waits, until `there`. */
inline await(me, peer, there)
{
    peer_found_dead = false;
    do
    :: there -> break
    :: does(!(there), "%e: looks: nothing to do\n", me);
       doorbell_wait(me, peer)
    od;
    doorbell_up(me)
}

/* ---- talker/stream.c ---- */

/* A side that reads stdin or writes to stdout unblocks SIGUSR1 meanwhile, and ignores it when it is delivered then. */
inline let_in(me)
{
    if
    :: true
#if !defined NAIVE
    :: pending[me] -> pending[me] = false
#endif
    fi
}

/* Only the assertions read these. */
byte sent, taken;       /* slots: published by the talker, taken by the listener */
byte emptied;           /* slots that the listener has given back */

active proctype the_talker()
{
    bool peer_found_dead, was;
    byte looks;
    {
        do
        :: sent < END ->
            await(talker, listener, sent - memory[tail] < SLOTS);        /* room for one slot */
            let_in(talker);                                              /* read(2) from stdin into the slot */
#ifdef RING_FIRST
            doorbell_ring(talker, listener);
#endif
#ifdef HEAD_FIRST
            atomic { store(talker, head, sent + 1); sent++ };
            store(talker, SLOT(sent - 1), sent);
#else
            store(talker, SLOT(sent), sent + 1);                         /* the slot, and its length */
            atomic { store(talker, head, sent + 1); sent++ };            /* publish(&stream->head, ...) */
#endif
#ifndef RING_FIRST
            doorbell_ring(talker, listener)
#endif
        :: else -> break
        od;
        await(talker, listener, sent == memory[tail]);                   /* every slot is empty again */
        goto done;

#ifdef DEATH
    peer_is_gone:                                /* "the listener (PID %d) went away" */
        assert(dead[listener]);
        assert(emptied < END);                   /* and had not taken everything */
#endif

    done:
        does(ended[talker] = true, "talker: ends\n")
    } UNLESS_DEAD(talker)
}

/* ---- listener/stream.c ---- */

active proctype the_listener()
{
    bool peer_found_dead, was;
    byte looks, slot;
    {
        do
        :: await(listener, talker, memory[head] != taken);               /* a filled slot */
#ifdef TAIL_FIRST
           atomic { store(listener, tail, taken + 1); emptied++ };
#endif
           does(slot = memory[SLOT(taken)]; taken++, "listener: takes %d\n", slot);
           assert(slot == taken);
           let_in(listener);                                             /* write(2) from the slot to stdout */
#ifndef TAIL_FIRST
           atomic { store(listener, tail, taken); emptied++ };           /* publish(&stream->tail, ...) */
#endif
           doorbell_ring(listener, talker);
           if
           :: slot == END -> break
           :: else
           fi
        od;
        assert(taken == END);
        goto done;

#ifdef DEATH
    peer_is_gone:                                /* "stream broke off after %llu bytes" */
        assert(dead[talker]);
        assert(taken == sent);                   /* what it published before its death counts */
#endif

    done:
        does(ended[listener] = true, "listener: ends\n")
    } UNLESS_DEAD(listener)
}
