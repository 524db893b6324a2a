/* doorbell.pml - declare, look again, sleep; ring only who has declared: common/doorbell.c, as the stream uses it.
 *
 *     talker                                     listener
 *     wait for room                              wait for a filled slot
 *     fill slot head                             empty slot tail
 *     head = head + 1                            tail = tail + 1
 *     fence; ring if the listener has declared   fence; ring if the talker has declared
 *
 * The talker sends ITEMS slots and one more that says END through a ring of two, each with its number in it; then it
 * waits until the listener has counted past END. So both sides wait, and both ring.
 *
 * What is shown: each slot is taken once, in its order, and before it is filled again; nobody sleeps for ever, although
 * most signals are never sent; and if one of the two is killed, between any two steps, the other one ends, and has what
 * was published before. Without a crash the model has no tick: it must not be needed.
 *
 * Memory is not plain here. A processor puts a store into its store buffer and goes on; what it loads next may be older
 * than what it has just stored, as others see it (x86 does this, and C11 allows it everywhere). A fence waits until the
 * buffer is empty. Stores leave it in their order: that is what release is for. kill and sigsuspend wait for no buffer:
 * the kernel's locks do see to it that who takes a signal sees what was stored before kill, but the doorbell does not
 * depend on that, and is checked without.
 */
#define HAS_ARRIVED(who) (buffer[who].count == 0)   /* the kernel ends a process behind all that it has stored */

#include "signals.pml"

#ifndef ITEMS
#define ITEMS 2
#endif
#define SLOTS 2
#define LOOKS 1     /* how often to look before it declares: spins */
#define END   (ITEMS + 1)

/* ---- memory: the segment, and each side's store buffer ---- */

mtype = { slot_1, slot_0, listener_asleep, talker_asleep, tail, head };     /* from 9 down to 4 */

#define ASLEEP(who) (talker_asleep - talker + who)
#define SLOT(n)     (slot_0 + (n) % SLOTS)

byte memory[10];            /* struct stream, by these names */

typedef store_buffer {
    byte count;
    byte where[2], value[2];
};
store_buffer buffer[EVERYONE];

/* A side that loads what it has stored finds it, even if it is in its buffer still: the newest first. */
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

/* A store reaches memory, and is seen by the other side: any time, some time; the oldest first. */
inline arrive(from)
{
    atomic {
        buffer[from].count > 0;
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
    does(HAS_ARRIVED(me), "%e: fence: all that it has stored is in memory\n", me)
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

/* ---- common/doorbell.c ---- */

bool declared[EVERYONE];                         /* and has not slept since */

inline declare(me)
{
    store(me, ASLEEP(me), 1);                    /* publish(&side->mine->asleep, 1) */
#ifndef NO_WAIT_FENCE
    fence(me)
#endif
}

/* One step of a wait. After a declaration it returns, and its caller looks: that is the recheck. A declaration that
 * nobody has taken back in a sleep is still good after it, for the caller has looked since. */
inline doorbell_wait(me, peer)
{
    if
#ifdef SPIN_ONLY
    :: true
#else
    :: looks < LOOKS -> looks++                  /* spins(side) */
    :: looks == LOOKS ->
       if
#ifdef NO_REDECLARE
       :: !declared[me] -> declared[me] = true; declare(me)
       :: declared[me] -> wakeup_sleep(me, peer)
#else
       :: !declared[me] && !LOAD(me, ASLEEP(me)) ->
          declare(me);
#ifdef NO_RECHECK
          wakeup_sleep(me, peer)                 /* declared after the last look, instead of before it */
#else
          declared[me] = true
#endif
       :: declared[me] || LOAD(me, ASLEEP(me)) ->
          declared[me] = false;
          wakeup_sleep(me, peer)
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
       kill(peer, me)
#elif defined PLAIN_RESET || defined FENCED_RESET
       store(me, ASLEEP(peer), 0);
#ifdef FENCED_RESET
       fence(me);
#endif
       kill(peer, me)
#elif defined RESET_LATE
       kill(peer, me);
       exchange(me, ASLEEP(peer), 0, was)
#else
       exchange(me, ASLEEP(peer), 0, was);
       if
       :: was -> kill(peer, me)                  /* wakeup_send(peer) */
       :: else
       fi
#endif
    fi;
    was = 0                                      /* is of no use any more, and would only make more states */
}

/* Looks, and waits, until `there`. */
inline await(me, peer, there)
{
    verdict = WAKEUP_LOOK;
    do
    :: there -> break
    :: does(!(there), "%e: looks: nothing to do\n", me);
       doorbell_wait(me, peer)
    od;
    doorbell_up(me)
}

/* ---- talker/stream.c ---- */

/* Who reads stdin or writes to stdout lets SIGUSR1 in meanwhile, and thinks nothing of it. */
inline let_in(me)
{
    if
    :: true
    :: pending[me] -> pending[me] = false
    fi
}

/* What only the assertions read. */
byte sent, taken;       /* slots: published by the talker, taken by the listener */
byte emptied;           /* slots that the listener has given back */

active proctype the_talker()
{
    bool verdict, was;
    byte looks;
    {
        do                                                               /* send_all */
        :: sent < END ->
            await(talker, listener, sent - memory[tail] < SLOTS);        /* await_room(talker, slots - 1) */
            let_in(talker);                                              /* read_slot: wakeup_sleep_on */
#ifdef HEAD_FIRST
            atomic { store(talker, head, sent + 1); sent++ };
            store(talker, SLOT(sent - 1), sent);
#else
            store(talker, SLOT(sent), sent + 1);                         /* read_slot, and its length */
            atomic { store(talker, head, sent + 1); sent++ };            /* publish(&stream->head, ...) */
#endif
            doorbell_ring(talker, listener)
        :: else -> break
        od;
        await(talker, listener, sent == memory[tail]);                   /* await_room(talker, 0) */
        goto done;

    peer_is_gone:                                /* give_up: "the listener (PID %d) went away" */
        assert(dead[listener]);
        assert(emptied < END);                   /* and had not taken everything */

    done:
        does(ended[talker] = true, "talker: ends\n")
    } unless { dead[talker] }
}

/* ---- listener/stream.c ---- */

active proctype the_listener()
{
    bool verdict, was;
    byte looks, slot;
    {
        do                                                               /* receive */
        :: await(listener, talker, memory[head] != taken);               /* await_slot */
#ifdef TAIL_FIRST
           atomic { store(listener, tail, taken + 1); emptied++ };
#endif
           does(slot = memory[SLOT(taken)]; taken++, "listener: takes %d\n", slot);
           assert(slot == taken);
           let_in(listener);                                             /* write_slot: wakeup_write */
#ifndef TAIL_FIRST
           atomic { store(listener, tail, taken); emptied++ };           /* give_back: publish(&stream->tail, ...) */
#endif
           doorbell_ring(listener, talker);
           if
           :: slot == END -> break
           :: else
           fi
        od;
        assert(taken == END);
        goto done;

    peer_is_gone:                                /* break_off: "stream broke off after %llu bytes" */
        assert(dead[talker]);
        assert(taken == sent);                   /* what it published before it died counts */

    done:
        does(ended[listener] = true, "listener: ends\n")
    } unless { dead[listener] }
}
