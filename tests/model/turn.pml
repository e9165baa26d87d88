/* SPDX-License-Identifier: MIT */

/*
 * Whose turn a sweep is: src/map/turn.c, turn_take() and
 * turn_end() with interval_ms(), as sweep_if_due() calls them.
 *
 * Three processes ask for the turn, again and again, and sweep when they have
 * it. Each reads the clock, is perhaps stopped for a moment, and may die at
 * each step, with the turn too. The map may begin with a time that lies far
 * ahead, of another clock, and with a sweep that took as long as a word can
 * say.
 *
 * Left out: that the clock goes on for ever; what is done in a turn
 * (sweep.pml).
 */

#define AHEAD_TAKES 1	/* a time just ahead, of who came later, is none */
#define AHEAD_WAITS 2	/* one that is far ahead is waited for */
#define TURN_STORES 3	/* the turn is taken without a compare-and-swap */
#define TURN_HELD 4	/* until the sweep has ended */
#define NO_LIMIT 5	/* the pause after a long sweep has none */

#include "common.pml"

#define N_PROCESSES 3
/* TURN_INTERVAL_MS, of which the clock's unit is a half, and _MAX_MS. */
#define INTERVAL 2
#define INTERVAL_MAX 4
#define LONG 9
#define FIRST_TIME 4
#define LAST_TIME 12
#define FAR_AHEAD 50

byte clock = FIRST_TIME;

/* The map. */
byte swept;
byte took;
bit is_held;		/* of TURN_HELD alone */

bit has_begun;
bit was_taken;		/* swept is when the last turn began */

/* What each process has read of the clock and still goes by; 0 = nothing. */
byte now[N_PROCESSES];

#define NOW now[_pid]

/* What the dead had in mind need not be told apart. */
inline die()
{
	NOW = 0;
	last = 0;
	sweeps = 0
}

#define STEP(operation) STEP_OR(die(), operation)

#define LONGER (2 * took)
#if MUTATION == NO_LIMIT
#define PAUSE (LONGER < INTERVAL -> INTERVAL : LONGER)
#else
#define PAUSE \
	(LONGER < INTERVAL -> INTERVAL \
	 : (LONGER < INTERVAL_MAX -> LONGER : INTERVAL_MAX))
#endif

#if MUTATION == AHEAD_TAKES
#define IS_EARLY (last <= NOW && NOW - last < PAUSE)
#elif MUTATION == AHEAD_WAITS
#define IS_EARLY (NOW < last + PAUSE)
#else
#define IS_EARLY (NOW < last + PAUSE && last < NOW + PAUSE)
#endif

#if MUTATION == TURN_STORES
#define SWAPS true
#else
#define SWAPS (swept == last)
#endif

active [N_PROCESSES] proctype process()
{
	byte last;
	bit sweeps;

	has_begun;
end:
	do
	:: /* clock_now_ms(), perhaps a moment before what follows. */
	   if
	   :: atomic {
		if
		:: NOW = clock
		:: NOW = clock - 1
		fi;
		last = swept;
		if
		:: !IS_EARLY && !is_held
		:: else ->
		   /* Whoever has died, the next one does not wait for long. */
		   assert(clock <= swept + INTERVAL_MAX &&
			  swept <= clock + INTERVAL_MAX);
		   last = 0;
		   NOW = 0
		fi
	      }
	   :: atomic { die(); goto dead }
	   fi;
	   if
	   :: NOW != 0 ->
	      STEP(
		if
		:: SWAPS ->
		   assert(!was_taken || NOW >= swept + INTERVAL);
		   swept = NOW;
		   was_taken = 1;
		   is_held = (MUTATION == TURN_HELD);
		   sweeps = 1
		:: else
		fi;
		NOW = 0;
		last = 0
	      );
	      /* sweep_protocol(), turn_end(). */
	      if
	      :: sweeps -> STEP(took = 0; is_held = 0; sweeps = 0)
	      :: sweeps -> STEP(took = LONG; is_held = 0; sweeps = 0)
	      :: else
	      fi
	   :: else
	   fi
	od;
dead:
	skip
}

/* Who is stopped between the clock and the swap is so for less than this. */
#define MAY_GO_ON(id) (now[id] == 0 || clock < now[id] + INTERVAL)

active proctype ticks()
{
	atomic {
		if
		:: true
		:: swept = FAR_AHEAD
		fi;
		if
		:: true
		:: took = LONG
		fi;
		has_begun = 1
	};
end:
	do
	:: d_step {
		clock < LAST_TIME && MAY_GO_ON(0) && MAY_GO_ON(1) &&
		MAY_GO_ON(2);
		clock++
	   }
	od
}
