/* handshake.pml - the turn and SIGUSR1: what the pair and lesson handshake do, step by step.
 *
 *     talker                                   listener
 *     seat = talker, signal       ------->     finds it
 *                                 <-------     turn = talker, signal        you may speak
 *     text, turn = listener, signal ----->     reads it
 *                                 <-------     text, turn = talker, signal  the reply
 *     ... MESSAGES times, then
 *     seat = none, turn = listener, signal ->  the conversation is over
 *
 * (Lesson handshake does the same with one message: SAID is "turn = listener", ANSWERED is "turn = talker".)
 *
 * What is proven: the listener takes each message once and in order, and the talker each reply, whatever signals a
 * stranger sends. No side sleeps for ever. With TIMER_NONE this holds without any timer. If one side is killed between
 * two of its steps, the other side ends, and has received all that the dead one published.
 *
 * Memory is plain here: every process sees a store at once. Release and acquire (publish and observe) make text and
 * turn visible in this order; TURN_FIRST shows what may happen without them. A process that takes a signal sees what
 * the sender stored before kill, because the kernel's locks order the two. doorbell.pml models what a processor does
 * with a store that a load follows, because a signal may be saved there.
 */
#define HAS_ARRIVED(who) true
#define ALL_END          IS_OVER(talker) && IS_OVER(listener)

#include "signals.pml"

#ifndef MESSAGES
#define MESSAGES 2
#endif
#define REPLY(n) (100 + n)

/* The segment. */
mtype seat = none;
mtype turn = listener;
byte text;

/* Only the assertions read these. */
byte said, taken;               /* messages: published by the talker, taken by the listener */
byte answered, heard;           /* replies: published by the listener, taken by the talker */

/* Check, sleep, check again. */
inline await_turn(me, peer)
{
    peer_found_dead = false;
#ifndef NO_RECHECK
    do
    :: turn == me -> break                       /* while (observe(&pair->turn) != me) */
    :: does(turn != me, "%e: looks: it does not have the turn\n", me);
       sleep(me, peer)
    od
#else
    if                                           /* "if" where "while" is right */
    :: turn == me
    :: does(turn != me, "%e: looks: it does not have the turn\n", me);
       sleep(me, peer)
    fi
#endif
}

/* Stores `value` as the text, gives the turn to `peer`, then signals. The assertions use `count`: published so far. */
inline pass_text(me, peer, value, count)
{
#ifdef RING_FIRST
    kill(peer, me);
#endif
#ifdef TURN_FIRST
    does(turn = peer; count++, "%e: turn = %e\n", me, peer);
    does(text = value, "%e: text = %d\n", me, value);
#else
    does(text = value, "%e: text = %d\n", me, value);
    does(turn = peer; count++, "%e: turn = %e\n", me, peer);    /* publish(&pair->turn, ...) */
#endif
#ifndef RING_FIRST
    kill(peer, me)
#endif
}

active proctype the_talker()
{
    bool peer_found_dead;
    {
        does(seat = talker, "talker: takes a seat\n");
        kill(listener, talker);
        await_turn(talker, listener);                           /* until it is invited */

        do
        :: said < MESSAGES ->
            pass_text(talker, listener, said + 1, said);
            await_turn(talker, listener);
            does(heard++, "talker: reads %d\n", text);
            assert(text == REPLY(heard))
        :: else -> break
        od;

        does(seat = none, "talker: gives back its seat\n");
        does(turn = listener, "talker: turn = listener\n");
        kill(listener, talker);
        goto done;

#ifdef DEATH
    peer_is_gone:                                /* "the listener (PID %d) went away" */
        assert(dead[listener]);                  /* and did not end normally after its last reply */
        assert(heard == answered);               /* what it published before its death counts */
#endif

    done:
        does(ended[talker] = true, "talker: ends\n")
    } UNLESS_DEAD(talker)
}

/* From the start, its peer is the talker that will come. The real listener checks no peer before it has invited one. It
 * then goes on to wait for the next talker; this one ends. */
active proctype the_listener()
{
    bool peer_found_dead;
    {
        do
        :: seat == talker -> break
        :: does(seat != talker, "listener: looks: no talker has a seat\n");
           sleep(listener, talker)
        od;

        does(turn = talker, "listener: turn = talker\n");       /* the invitation */
        kill(talker, listener);

        do
        :: await_turn(listener, talker);
           if
           :: seat != talker -> break                           /* the talker has left */
           :: else
           fi;
           does(taken++, "listener: reads %d\n", text);
           assert(text == taken);
           pass_text(listener, talker, REPLY(taken), answered);
           if
           :: taken == MESSAGES -> break                        /* --count: this was the last message */
           :: true                                              /* or the talker says that it leaves */
           fi
        od;
        assert(taken == MESSAGES);
        goto done;

#ifdef DEATH
    peer_is_gone:                                /* "the talker (PID %d) went away" */
        assert(dead[talker]);                    /* and did not end normally after it left */
        assert(taken == said);                   /* what it published before its death counts */
#endif

    done:
        does(ended[listener] = true, "listener: ends\n")
    } UNLESS_DEAD(listener)
}
