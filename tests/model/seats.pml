/* seats.pml - two talkers and one listener: how a talker takes a seat, is invited, speaks and leaves (the pair).
 *
 *     talker, other                              listener
 *     exchange an empty seat for me, signal -->  finds the next seat after `front`, front = that seat
 *                                           <--  turn = that talker, signal         you may speak
 *     text, turn = listener, signal         -->  reads it
 *                                           <--  text, turn = that talker, signal   the reply
 *     seat = none, turn = listener, signal ->  the next seat; after two talkers, it ends
 *
 * Each talker says one message. SEATS is 2 (the pair has 256), or 1 in ONE_SEAT: then one talker must wait for a seat.
 * No talker is signalled when a seat becomes free, because a talker without a seat has not made its PID known. So that
 * wait looks again and again (it polls); it is the only wait that does, and ONE_SEAT_SLEEP shows why.
 *
 * What is proven, with TIMER_NONE only: each talker gets the reply to its own message, only the process that has the
 * turn touches the text, and no process sleeps for ever. Memory is plain, as in handshake.pml. That model has a death,
 * too.
 */
#define HAS_ARRIVED(who) true
#define THREE
#define ALL_END          ended[talker] && ended[other] && ended[listener]

#include "signals.pml"

#if defined ONE_SEAT || defined ONE_SEAT_SLEEP
#define SEATS 1
#else
#define SEATS 2
#endif
#define NEXT(at)   (((at) + 1) % SEATS)
#define SAYS(who)  (10 + who)
#define REPLY(who) (100 + who)

/* The segment. */
mtype seat[SEATS];
mtype turn = listener;
byte front;
byte text;

/* Only the assertions read these. */
byte answered;

inline await_turn(me, peer)
{
    do
    :: turn == me -> break
    :: does(turn != me, "%e: looks: it does not have the turn\n", me);
       sleep(me, peer)
    od
}

inline pass_turn(me, peer)
{
#ifdef RING_FIRST
    kill(peer, me);
    does(turn = peer, "%e: turn = %e\n", me, peer)
#else
    does(turn = peer, "%e: turn = %e\n", me, peer);
    kill(peer, me)
#endif
}

/* Goes from seat to seat until one is taken. */
inline take_seat(me)
{
    at = NEXT(front);
    do
#ifdef PLAIN_SEAT
    :: seat[at] == none ->                     /* a load, and then a store: two steps */
       does(seat[at] = me, "%e: takes seat %d\n", me, at);
       break
#else
    :: atomic {                                  /* atomic_compare_exchange(&pair->seat[at], none, me) */
           seat[at] == none ->
           seat[at] = me;
           printf("%e: takes seat %d\n", me, at)
       };
       break
#endif
#if SEATS > 1
    :: seat[at] != none -> at = NEXT(at)
#endif
#ifdef ONE_SEAT_SLEEP
    :: seat[at] != none -> sleep(me, listener)
#endif
    od
}

/* What a talker does. Without a free seat it waits in take_seat: the `do` there is the poll. */
inline talk(me)
{
    take_seat(me);
#ifndef NO_RING
    kill(listener, me);
#endif
    await_turn(me, listener);
    does(text = SAYS(me), "%e: text = %d\n", me, text);
    pass_turn(me, listener);
    await_turn(me, listener);
    assert(text == REPLY(me));
#ifdef TURN_FIRST
    pass_turn(me, listener);
    does(seat[at] = none, "%e: gives back seat %d\n", me, at);
#else
    does(seat[at] = none, "%e: gives back seat %d\n", me, at);
#ifdef NO_LEAVE_RING
    does(turn = listener, "%e: turn = listener\n", me);
#else
    pass_turn(me, listener);
#endif
#endif
    does(ended[me] = true, "%e: ends\n", me)
}

active proctype the_talker()
{
    byte at;
    talk(talker)
}

active proctype the_other()
{
    byte at;
    talk(other)
}

/* Looks at each seat once, from the one after `front` on; `guest` is none if all are empty. */
inline find_talker()
{
    at = NEXT(front);
    guest = seat[at];
#if SEATS > 1
    if
    :: guest == none -> at = NEXT(at); guest = seat[at]
    :: else
    fi
#endif
}

active proctype the_listener()
{
    byte at;
    mtype guest;
    do
    :: answered < 2 ->
       do
       :: find_talker();
          if
          :: guest != none -> break
          :: does(guest == none, "listener: looks: no talker has a seat\n");
             sleep(listener, none)
          fi
       od;
       does(front = at, "listener: front = %d\n", at);
       pass_turn(listener, guest);
       await_turn(listener, guest);
       assert(seat[at] == guest && text == SAYS(guest));
       does(text = REPLY(guest); answered++, "listener: reads and answers %e\n", guest);
       pass_turn(listener, guest);
       await_turn(listener, guest);
       assert(seat[at] != guest)
    :: else -> break
    od;
    does(ended[listener] = true, "listener: ends\n")
}
