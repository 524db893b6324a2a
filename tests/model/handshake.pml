/* handshake.pml - the turn, and SIGUSR1: what common/pairs/pair.h tells, and talker.c and listener.c do, step by step.
 *
 *     talker                                   listener
 *     seat = talker, ring         ------->     finds it
 *                                 <-------     turn = talker, ring          you may speak
 *     text, turn = listener, ring ------->     reads it
 *                                 <-------     text, turn = talker, ring    the reply
 *     ... MESSAGES times, then
 *     seat = nobody, turn = listener, ring ->  the conversation is over
 *
 * (In handshake.c it is the same with one message: SAID is "turn = listener", ANSWERED is "turn = talker".)
 *
 * What is shown: each message is taken once and in its order, and so is each reply, whatever signals a stranger sends;
 * nobody sleeps for ever; and if one of the two is killed, between any two steps, the other one ends, and has what was
 * published before. Without a crash the model has no tick: it must not be needed.
 *
 * Memory is plain here, a store is seen at once. That text and turn are seen in this order is what release and acquire
 * are for (publish and observe in common/narrate.h); TURN_FIRST is what may happen without. That whoever takes a signal
 * sees what was stored before kill is the kernel's doing: its locks order what lies before and behind them. What a
 * processor does to a store with a load behind it matters where signals are saved: in doorbell.pml.
 */
#define HAS_ARRIVED(who) true

#include "signals.pml"

#ifndef MESSAGES
#define MESSAGES 2
#endif
#define REPLY(n) (100 + n)

/* The segment: struct pair. */
mtype seat = nobody;
mtype turn = listener;          /* open_house */
byte text;

/* What only the assertions read. */
byte said, taken;               /* messages: published by the talker, taken by the listener */
byte answered, heard;           /* replies: published by the listener, taken by the talker */

/* Check, sleep, check again. */
inline await_turn(me, peer)
{
    verdict = WAKEUP_LOOK;                       /* struct wakeup_wait wait = wait_for(...) */
#ifndef NO_RECHECK
    do
    :: turn == me -> break                       /* while (observe(&pair->turn) != me) */
    :: does(turn != me, "%e: looks: the turn is not mine\n", me);
       wakeup_sleep(me, peer)                    /*     wakeup_sleep(&wait) */
    od
#else
    if                                           /* "if" where "while" should be */
    :: turn == me
    :: does(turn != me, "%e: looks: the turn is not mine\n", me);
       wakeup_sleep(me, peer)
    fi
#endif
}

/* Leaves `value` as the text, then the turn to `peer`, then rings. The assertions' `count` counts it as published. */
inline pass_text(me, peer, value, count)
{
#ifdef RING_FIRST
    kill(peer, me);
#endif
#ifdef TURN_FIRST
    does(turn = peer; count++, "%e: turn = %e\n", me, peer);
    does(text = value, "%e: text = %d\n", me, value);
#else
    does(text = value, "%e: text = %d\n", me, value);           /* memcpy(pair->text, ...) */
    does(turn = peer; count++, "%e: turn = %e\n", me, peer);    /* pass_turn: publish(&pair->turn, ...) */
#endif
#ifndef RING_FIRST
    kill(peer, me)                                              /*            wakeup_send(...) */
#endif
}

active proctype the_talker()
{
    bool verdict = WAKEUP_LOOK;
    {
        does(seat = talker, "talker: takes a seat\n");          /* be_seated: take_seat */
        kill(listener, talker);                                 /*            ring */
        await_turn(talker, listener);                           /*            await_turn: invited */

        do
        :: said < MESSAGES ->                                   /* say */
            pass_text(talker, listener, said + 1, said);
            await_turn(talker, listener);
            does(heard++, "talker: reads %d\n", text);          /* memcpy(talker->text, talker->pair->text, ...) */
            assert(text == REPLY(heard))
        :: else -> break
        od;

        does(seat = nobody, "talker: gives back its seat\n");   /* leave */
        does(turn = listener, "talker: turn = listener\n");     /*     pass_turn */
        kill(listener, talker);
        goto done;

    peer_is_gone:                                /* give_up: "the listener (PID %d) went away" */
        assert(dead[listener]);                  /* and did not just leave after its last reply */
        assert(heard == answered);               /* what it published before it died counts */

    done:
        does(ended[talker] = true, "talker: ends\n")
    } unless { dead[talker] }
}

/* Its peer is, from the start, the talker that is to come. The real listener is told of no death before it has invited
 * somebody; it goes on to wait for the next talker, where this one ends. */
active proctype the_listener()
{
    bool verdict = WAKEUP_LOOK;
    {
        do                                                      /* await_talker */
        :: seat == talker -> break                              /*     find_talker */
        :: does(seat != talker, "listener: looks: nobody has a seat\n");
           wakeup_sleep(listener, talker)
        od;

        does(turn = talker, "listener: turn = talker\n");       /* converse: pass_turn, you may speak */
        kill(talker, listener);

        do
        :: await_turn(listener, talker);
           if
           :: seat != talker -> break                           /* TALKER_LEFT */
           :: else
           fi;
           does(taken++, "listener: reads %d\n", text);         /* read_message */
           assert(text == taken);
           pass_text(listener, talker, REPLY(taken), answered); /* send_reply */
           if
           :: taken == MESSAGES -> break                        /* ALL_ANSWERED: --count says that this was the last */
           :: true                                              /* or the talker is to say so */
           fi
        od;
        assert(taken == MESSAGES);
        goto done;

    peer_is_gone:                                /* TALKER_GONE: "the talker (PID %d) went away" */
        assert(dead[talker]);                    /* and did not just leave after its goodbye */
        assert(taken == said);                   /* what it published before it died counts */

    done:
        does(ended[listener] = true, "listener: ends\n")
    } unless { dead[listener] }
}
