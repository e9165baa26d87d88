/* SPDX-License-Identifier: MIT */

/*
 * Leases: src/map/ledger.c, ledger_lease() and ledger_release() with join(),
 * leave() and follow().
 *
 * Three processes lease one port and give it back, for ever, for any use and on
 * any of two planes. Each atomic operation of the C code is one step, and what
 * a process does by itself goes with the step before or after it. At each step
 * a process may die instead; its leases stay.
 *
 * Left out: other ports, since nothing is read of a word but the port's own
 * bit, and or, and leave the others alone; ledger_find(), which decides
 * nothing; the sweep (sweep.pml), rest (rest.pml) and the order of memory: what
 * is shown holds for sequential consistency.
 */

#define FOLLOW_TWICE 1	/* what follow() was once: no loop */
#define FOLLOW_ONCE 2	/* the hint is written, and nothing is read again */
#define FOLLOW_LOCKED 3	/* the hint has a lock */
#define JOIN_STORES 4	/* join() writes without a compare-and-swap */
#define LEAVE_STORES 5	/* leave() does */
#define JOIN_ANY 6	/* join() does not look at the use */
#define WHOLE_JOINED 7	/* a whole lease beside another */
#define PLANE_APART 8	/* the plane is looked at, and then set */
#define PLANE_LEFT 9	/* a lease that fails keeps its plane */
#define LEAVE_ALL 10	/* leave() frees the port, whoever else has it */

#include "common.pml"

#define N_PROCESSES 3

/* The map. */
byte use_word;
bit hints[4];
bit planes[2];
bit lock;		/* of FOLLOW_LOCKED alone */

/* What the callers know: who has been granted what. */
byte held[N_PROCESSES];		/* a use; FREE = nothing */
bit held_plane[N_PROCESSES];
byte n_busy;			/* in the middle of a call */
byte n_dead;

/* What the dead had in mind need not be told apart. */
inline die()
{
	n_dead = 1;
	use = FREE;
	plane = 0;
	now = 0;
	used = 0;
	was_used = 0;
	granted = 0
}

#define STEP(operation) STEP_OR(die(), operation)

#define EXCLUDES(a, b) \
	(held[a] != FREE && held[b] != FREE && \
	 (held[a] != held[b] || held[a] == WHOLE || \
	  held_plane[a] == held_plane[b]))

#define SUM(use) \
	((held[0] == use) + (held[1] == use) + (held[2] == use))

#define HAS_PLANE(id, plane) (held[id] > WHOLE && held_plane[id] == plane)
#define PLANE_HELD(plane) \
	(HAS_PLANE(0, plane) || HAS_PLANE(1, plane) || HAS_PLANE(2, plane))

/* Nobody is in a call, and nobody has died: the map is what was granted. */
inline check_map()
{
	assert(use_word == SUM(WHOLE) * (LEASE_UNIT + WHOLE) +
			   SUM(BOUND) * LEASE_UNIT +
			   (SUM(BOUND) > 0 -> BOUND : 0) +
			   SUM(CONNECT) * LEASE_UNIT +
			   (SUM(CONNECT) > 0 -> CONNECT : 0));
	assert(hints[WHOLE] == ((use_word & USE_MASK) == WHOLE));
	assert(hints[BOUND] == ((use_word & USE_MASK) == BOUND));
	assert(hints[CONNECT] == ((use_word & USE_MASK) == CONNECT));
	assert(planes[0] == PLANE_HELD(0) && planes[1] == PLANE_HELD(1))
}

/* A call returns. */
inline end_call()
{
	n_busy--;
	now = 0;
	used = 0;
	was_used = 0;
	if
	:: n_busy == 0 && n_dead == 0 -> check_map()
	:: else
	fi
}

/* follow() */
inline follow()
{
#if MUTATION == FOLLOW_LOCKED
	do
	:: STEP(was_used = lock; lock = 1);
	   if
	   :: was_used == 0 -> break
	   :: else
	   fi
	od;
#endif
	STEP(used = (use_word & USE_MASK) == use);
#if MUTATION == FOLLOW_TWICE
	if
	:: used ->
	   STEP(hints[use] = 1);
	   STEP(was_used = (use_word & USE_MASK) == use)
	:: else
	fi;
	if
	:: !was_used ->
	   STEP(hints[use] = 0);
	   STEP(used = (use_word & USE_MASK) == use);
	   if
	   :: used -> STEP(hints[use] = 1)
	   :: else
	   fi
	:: else
	fi
#elif MUTATION == FOLLOW_ONCE
	STEP(hints[use] = used)
#else
	do
	:: STEP(hints[use] = used);
	   STEP(was_used = used; used = (use_word & USE_MASK) == use);
	   if
	   :: used == was_used -> break
	   :: else
	   fi
	od
#endif
#if MUTATION == FOLLOW_LOCKED
	;
	STEP(lock = 0)
#endif
}

/* join(): the loop's choice, by what was read last. */
#if MUTATION == JOIN_ANY
#define MAY_JOIN (now != FREE)
#elif MUTATION == WHOLE_JOINED
#define MAY_JOIN ((now & USE_MASK) == use)
#else
#define MAY_JOIN ((now & USE_MASK) == use && use != WHOLE)
#endif

#if MUTATION == JOIN_STORES
#define JOIN_SWAPS true
#else
#define JOIN_SWAPS (use_word == now)
#endif

#if MUTATION == LEAVE_STORES
#define LEAVE_SWAPS true
#else
#define LEAVE_SWAPS (use_word == now)
#endif

/* join() */
inline join()
{
	STEP(now = use_word);
	do
	:: now != FREE && !(MAY_JOIN) ->
	   granted = 0;
	   break
	:: else ->
	   STEP(
		/* The compare-and-swap. */
		if
		:: JOIN_SWAPS ->
		   use_word = (now == FREE -> LEASE_UNIT + use
					   : now + LEASE_UNIT);
		   granted = 1
		:: else -> now = use_word
		fi
	   );
	   if
	   :: granted -> break
	   :: else
	   fi
	od;
	if
	:: granted && now == FREE -> follow()
	:: else
	fi
}

/* leave() */
inline leave()
{
	STEP(now = use_word);
	do
	:: (now & USE_MASK) != use -> break
	:: else ->
	   STEP(
		assert(now >= LEASE_UNIT);
		/* The compare-and-swap. */
		if
		:: LEAVE_SWAPS ->
#if MUTATION == LEAVE_ALL
		   use_word = FREE;
#else
		   use_word = (now < 2 * LEASE_UNIT -> FREE
						    : now - LEASE_UNIT);
#endif
		   granted = 0
		:: else -> now = use_word
		fi
	   );
	   if
	   :: !granted -> break
	   :: else
	   fi
	od;
	if
	:: !granted && now < 2 * LEASE_UNIT -> follow()
	:: else
	fi
}

/* ledger_lease() */
inline ledger_lease()
{
	if
	:: use == WHOLE -> join()
	:: else ->
#if MUTATION == PLANE_APART
	   STEP(was_used = planes[plane]);
	   if
	   :: !was_used -> STEP(planes[plane] = 1)
	   :: else
	   fi;
#else
	   STEP(was_used = planes[plane]; planes[plane] = 1);
#endif
	   if
	   :: !was_used ->
	      join();
#if MUTATION != PLANE_LEFT
	      if
	      :: !granted -> STEP(planes[plane] = 0)
	      :: else
	      fi
#endif
	   :: else
	   fi
	fi
}

/* ledger_release() */
inline ledger_release()
{
	if
	:: use != WHOLE ->
	   STEP(was_used = planes[plane]; planes[plane] = 0);
	   /* Only the sweep takes away what somebody holds. */
	   assert(was_used == 1);
	   was_used = 0
	:: else
	fi;
	leave()
}

active [N_PROCESSES] proctype process()
{
	byte use;
	bit plane;
	byte now;
	bit used, was_used, granted;

	do
	:: true ->
end:
progress_lease:
	   atomic {
		if
#if USES == 1
		:: use = WHOLE
		:: use = BOUND
		:: use = BOUND; plane = 1
#elif USES == 2
		:: use = BOUND
		:: use = CONNECT
		:: use = CONNECT; plane = 1
#else
		:: use = WHOLE
		:: use = CONNECT
#endif
		fi;
		n_busy++
	   }
	   ledger_lease();
	   atomic {
		if
		:: granted ->
		   held[_pid] = use;
		   held_plane[_pid] = plane;
		   assert(!EXCLUDES(0, 1) && !EXCLUDES(0, 2) &&
			  !EXCLUDES(1, 2))
		:: else ->
		   use = FREE;
		   plane = 0
		fi;
		end_call()
	   }
	   if
	   :: granted ->
end_held:
progress_release:
	      atomic {
		n_busy++;
		/* The map shows what a living process holds. */
		assert((use_word & USE_MASK) == use);
		assert(use == WHOLE || planes[plane]);
		held[_pid] = FREE;
		held_plane[_pid] = 0
	      }
	      ledger_release();
	      atomic {
		use = FREE;
		plane = 0;
		granted = 0;
		end_call()
	      }
	   :: else
	   fi
	od;
dead:
	skip
}
