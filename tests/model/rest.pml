/* SPDX-License-Identifier: MIT */

/*
 * Rest: src/map/ledger.c, ledger_rest() and ledger_rests(), as they are called
 * by ledger_release() and by lease() of src/assign/pick.c.
 *
 * Two processes lease port 0, for as long as it does not rest or at any time,
 * and give it back with rest or without; a third one's port 1 shares the rest
 * words. A unit of the clock is an epoch: a port rests in the one it was given
 * back in and in the next, at least the rest time and at most twice that. A
 * process reads the clock and may then be stopped while MAX_LATE epochs begin;
 * or die, as at each step.
 *
 * A loop of compare-and-swaps is one step, the last, since those that fail
 * change nothing. ledger_find() is no step: it may find any port, what is
 * looked at once the port is leased decides. Left out: which of the ports that
 * rest has done so the longest; that epochs come round after 2^32; words that
 * lie further ahead, of another clock; planes (ledger.pml): all leases are of
 * whole ports.
 */

#define EXACT 1		/* only words of the very epoch are looked at */
#define LATE_DROPS 2	/* who comes late drops the word of the next but one */
#define ONE_EPOCH 3	/* only this epoch's word is looked at */
#define FREE_FIRST 4	/* a port is free before it rests */
#define NO_SECOND_LOOK 5	/* once it is leased nobody looks again */
#define REST_STORES 6	/* ledger_rest() without a compare-and-swap */
#define FORGETS 7	/* it begins its word anew */
#define RESTS_ON 8	/* a word counts whatever its epoch */

#include "common.pml"

#define N_PROCESSES 3
#define MAX_LATE 2
#define FIRST_EPOCH 3
#define LAST_EPOCH 6

/* The map: whether a port is leased, and a rest word of each parity. */
bit is_leased[2];
byte word_epoch[2];
byte word_bits[2];

byte clock = FIRST_EPOCH;

/* What each process has read of the clock and still goes by; 0 = nothing. */
byte now[N_PROCESSES];

/* The epoch that the last rest of port 0 began in: as its holder had read it,
 * and as it was when the map had it. 0 = it is over. */
byte rested;
byte rested_really;

#define NOW now[_pid]
#define PORT (_pid == 2)

/* What the dead had in mind need not be told apart. */
inline die()
{
	NOW = 0;
	forget()
}

#define STEP(operation) STEP_OR(die(), operation)

/* With the clock as it is, or as it was when who is stopped had read it. */
#define LATE_STEP(operation) \
	if \
	:: atomic { \
		if \
		:: NOW = clock \
		:: NOW = clock - 1 \
		:: NOW = clock - MAX_LATE \
		fi; \
		operation \
	   } \
	:: atomic { die(); goto dead } \
	fi

#define AHEAD(epoch) (word_epoch[(epoch) & 1] - (epoch))

/* resting_since() */
#if MUTATION == EXACT
#define IS_OF(epoch) (AHEAD(epoch) == 0)
#elif MUTATION == RESTS_ON
#define IS_OF(epoch) true
#else
#define IS_OF(epoch) (AHEAD(epoch) == 0 || AHEAD(epoch) == 2)
#endif
#define RESTS_SINCE(epoch) \
	(IS_OF(epoch) && (word_bits[(epoch) & 1] >> PORT & 1))

/* ledger_rests() */
inline ledger_rests()
{
	STEP(rests = RESTS_SINCE(NOW));
#if MUTATION != ONE_EPOCH
	STEP(rests = rests || RESTS_SINCE(NOW - 1);
	     /* It rests for two epochs, and no longer. */
	     assert(!rests || NOW != clock || rested_really != 0))
#endif
}

#if MUTATION == LATE_DROPS
#define KEEPS(epoch) ((epoch) == NOW)
#elif MUTATION == FORGETS
#define KEEPS(epoch) false
#else
#define KEEPS(epoch) ((epoch) == NOW || (epoch) == NOW + 2)
#endif

inline write_rest(epoch, bits)
{
	word_bits[NOW & 1] = (1 << PORT) | (KEEPS(epoch) -> bits : 0);
	word_epoch[NOW & 1] = (KEEPS(epoch) -> epoch : NOW);
	rested = (PORT == 0 && clock < NOW + 2 -> NOW : rested);
	rested_really = (PORT == 0 -> clock : rested_really)
}

/* ledger_rest() */
inline ledger_rest()
{
#if MUTATION == REST_STORES
	LATE_STEP(seen_epoch = word_epoch[NOW & 1];
		  seen_bits = word_bits[NOW & 1]);
	STEP(write_rest(seen_epoch, seen_bits); NOW = 0)
#else
	LATE_STEP(write_rest(word_epoch[NOW & 1], word_bits[NOW & 1]); NOW = 0)
#endif
}

inline forget()
{
#if MUTATION == REST_STORES
	seen_epoch = 0;
	seen_bits = 0;
#endif
	rests = 0;
	is_mine = 0;
	wants_any = 0
}

active [N_PROCESSES] proctype process()
{
	bit rests, is_mine, wants_any;
#if MUTATION == REST_STORES
	byte seen_epoch, seen_bits;
#endif

end:
	do
	:: /* port_pick_start(), ledger_lease() */
	   LATE_STEP(
		is_mine = !is_leased[PORT];
		is_leased[PORT] = 1;
		if
		:: is_mine && PORT == 0
		:: is_mine -> wants_any = 1; NOW = 0
		:: else -> NOW = 0
		fi
	   );
	   /* lease() of port_pick.c */
	   if
	   :: is_mine && !wants_any ->
	      ledger_rests();
	      STEP(
#if MUTATION == NO_SECOND_LOOK
		rests = 0;
#endif
		assert(rests || rested == 0);
		NOW = 0
	      )
	   :: else
	   fi;
	   /* ledger_release() */
	   if
	   :: is_mine && !rests ->
#if MUTATION == FREE_FIRST
	      STEP(is_leased[PORT] = 0;
		   rested = (PORT == 0 -> clock : rested));
	      ledger_rest();
	      forget()
#else
	      ledger_rest();
	      STEP(is_leased[PORT] = 0; forget())
#endif
	   :: is_mine -> STEP(is_leased[PORT] = 0; forget())
	   :: else
	   fi
	od;
dead:
	skip
}

#define MAY_GO_ON(id) (now[id] == 0 || clock < now[id] + MAX_LATE)

active proctype ticks()
{
end:
	do
	:: d_step {
		clock < LAST_EPOCH && MAY_GO_ON(0) && MAY_GO_ON(1) &&
		MAY_GO_ON(2);
		clock++;
		/* What is over need not be told apart. */
		rested = (clock < rested + 2 -> rested : 0);
		rested_really = (clock < rested_really + 2
				 -> rested_really : 0)
	   }
	od
}
