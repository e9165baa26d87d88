/* SPDX-License-Identifier: MIT */

/*
 * The sweep: src/map/sweep.c, sweep_protocol() with all that it calls, beside
 * ledger_lease() and ledger_release() of src/map/ledger.c.
 *
 * One port with two planes, whose map may show anything at first: what others
 * have left who died. Two processes lease the port, have a socket on it, which
 * the kernel's table shows, and close it and give it back; or have one without
 * a lease, as programs outside Berth do; meanwhile a third sweeps. Or one does,
 * and two sweep. At each step a process may die: its socket is closed, its
 * lease stays; in place of a sweeper another begins anew. Two sweeps that are
 * alone at last make the map right.
 *
 * Each atomic operation is a step, and so is each socket that the kernel tells
 * of, the first time and the second. A loop of compare-and-swaps is one step, the
 * last, since those that fail change nothing. A sweeper's death before a read is
 * one before its next write.
 *
 * Left out: the hints, which follow the use word and decide nothing
 * (ledger.pml); rest (rest.pml); whose turn it is (turn.pml). A socket may have
 * been leased on one plane here, on any of seven in C.
 */

#define CLEAR_LEAVES 1	/* a lost plane is taken from the use, counted or not */
#define MARK_GIVES_UP 2	/* a socket whose plane is set is not counted again */
#define LOW_STAYS 3	/* a count that is too low is not raised */
#define SETTLE_STORES 4	/* ledger_settle() without a compare-and-swap */
#define KERNEL_FIRST 5	/* the kernel is asked, and then the map is read */
#define NOT_ASKED 6	/* it is not asked at all */
#define NO_SETTLE 7	/* counts are not looked at */
#define NO_MARK 8	/* what the map does not show is not marked */
#define TAKES_UNCONNECTED 9	/* between bind and connect a lease is lost */
#define NO_CLEAR 10	/* planes without a socket stay */
#define MARK_AT_ONCE 11	/* the kernel is not asked again before a mark */

#include "common.pml"

/* Who uses the port for what, see start(). */
#ifndef USES
#define USES 1
#endif
#ifndef N_WORKERS
#define N_WORKERS 2
#endif
#define N_SWEEPERS (3 - N_WORKERS)

/* The map. */
byte use_word;
bit planes[2];

/* The kernel's table: a socket of each worker's. */
byte socket[2];
bit socket_plane[2];
bit is_unconnected[2];

/* What the workers have, or had, of the map. */
byte lease[2];			/* a use; FREE = nothing */
bit lease_plane[2];
bit has_plane[2];
bit is_counted[2];
bit was_counted[2];		/* when the socket was opened */

/*
 * What a sweep may do. It takes the lease of a living process that has no
 * socket. And where uses change while it looks at them, it may count one too
 * few. Then nothing is sure any more, but what the last two sweeps make of it.
 */
bit is_unsure;
bit is_disturbed[2];	/* of each sweep: uses have changed since it began */
bit is_steady[4];	/* of each sweep and worker: has a socket since then */

byte n_moving = N_WORKERS + N_SWEEPERS - 1;
bit has_begun;

#define READ(operation) d_step { operation }

#define COUNT (use_word / LEASE_UNIT)
#define USE (use_word & USE_MASK)

#define JOINS (use_word == FREE || USE == use && use != WHOLE)
#define JOINED (use_word == FREE -> LEASE_UNIT + use : use_word + LEASE_UNIT)
#define LEFT (use_word < 2 * LEASE_UNIT -> FREE : use_word - LEASE_UNIT)

/* Who is granted what the map does not show any more, or not often enough? */
#define MISSES(id) \
	(is_counted[id] && (USE != lease[id] || \
			    lease[id] != WHOLE && !planes[lease_plane[id]]))
#define COUNTS_LOW (COUNT < is_counted[0] + is_counted[1])
#define IS_WRONG (MISSES(0) || MISSES(1) || COUNTS_LOW)
#define EXCLUDE_EACH_OTHER \
	(is_counted[0] && is_counted[1] && \
	 (lease[0] != lease[1] || lease[0] == WHOLE || \
	  lease_plane[0] == lease_plane[1]))

inline check_leases()
{
	assert(is_unsure || !IS_WRONG);
	assert(is_unsure || !EXCLUDE_EACH_OTHER)
}

/* --- those who lease ----------------------------------------------------- */

inline change()
{
	is_disturbed[0] = 1;
	is_disturbed[1] = 1
}

#define OTHER 1 - _pid
#define OTHER_HAS(u, p) (socket[OTHER] == u && socket_plane[OTHER] == p)

/* Whom the kernel lets in beside the other: a connection beside a listener. */
#define KERNEL_ALLOWS \
	(use == CONNECT -> !OTHER_HAS(CONNECT, plane) \
	 : !OTHER_HAS(WHOLE, 0) && !OTHER_HAS(BOUND, plane) && \
	   (use == BOUND || !OTHER_HAS(BOUND, 1)))

inline open_socket()
{
	if
	:: KERNEL_ALLOWS ->
	   socket[_pid] = use;
	   socket_plane[_pid] = plane;
	   was_counted[_pid] = is_counted[_pid];
	   is_unconnected[_pid] = (use == CONNECT)
	:: else
	fi
}

inline close_socket()
{
	socket[_pid] = FREE;
	socket_plane[_pid] = 0;
	is_unconnected[_pid] = 0;
	is_steady[_pid] = 0;
	is_steady[2 + _pid] = 0
}

inline end_lease()
{
	lease[_pid] = FREE;
	lease_plane[_pid] = 0;
	has_plane[_pid] = 0;
	is_counted[_pid] = 0
}

inline end_worker()
{
	use = FREE;
	plane = 0;
	now = 0;
	n_moving--
}

inline die()
{
	close_socket();
	end_lease();
	end_worker()
}

#define STEP(operation) STEP_OR(die(), operation)

/* ledger_lease(), join() */
inline worker_leases()
{
	d_step { lease[_pid] = use; lease_plane[_pid] = plane };
	if
	:: use != WHOLE ->
	   STEP(has_plane[_pid] = !planes[plane];
		planes[plane] = 1;
		change())
	:: else
	fi;
	if
	:: use == WHOLE || has_plane[_pid] ->
	   STEP(
		is_counted[_pid] = JOINS;
		use_word = (JOINS -> JOINED : use_word);
		change();
		check_leases()
	   );
	   if
	   :: !is_counted[_pid] && use != WHOLE ->
	      STEP(planes[plane] = 0; has_plane[_pid] = 0)
	   :: else
	   fi
	:: else
	fi
}

/* ledger_release(), leave() */
inline worker_releases()
{
	if
	:: use != WHOLE ->
	   STEP(now = planes[plane];
		planes[plane] = 0;
		is_counted[_pid] = 0;
		change())
	:: else -> now = 1
	fi;
	if
	:: now ->
	   STEP(use_word = (USE == use -> LEFT : use_word);
		end_lease();
		change())
	:: else
	fi
}

inline start()
{
	if
#if USES == 1
	:: use = BOUND; plane = _pid
#elif USES == 2
	:: _pid == 0 -> use = BOUND
	:: _pid == 1 -> use = WHOLE
#elif USES == 3
	:: use = CONNECT; plane = _pid
#elif USES == 4
	:: _pid == 0 -> use = BOUND
	:: _pid == 1 -> use = CONNECT; plane = 1
#else
	:: use = WHOLE
	:: use = CONNECT
#endif
	fi
}

active [N_WORKERS] proctype worker()
{
	byte use;
	bit plane, now;

	atomic {
		has_begun;
		start()
	}
	if
	:: worker_leases();
	   if
	   :: !is_counted[_pid] -> atomic { die(); goto dead }
	   :: else
	   fi
	:: true
	fi;
	/* bind(); connect() */
	STEP(open_socket());
	if
	:: is_unconnected[_pid] -> STEP(is_unconnected[_pid] = 0)
	:: else
	fi;
	if
	:: atomic { end_worker(); goto dead }
	:: d_step { check_leases(); close_socket() }
	fi;
	if
	:: is_counted[_pid] -> worker_releases()
	:: else
	fi;
	atomic { die() };
dead:
	skip
}

#undef STEP
#define STEP(operation) STEP_OR(begin_sweep(), operation)

/* --- sweepers ------------------------------------------------------------ */

#define SWEEPER (_pid - N_WORKERS)
#define IS_STEADY(id) is_steady[2 * SWEEPER + id]

/* After each write: is what the map has lost one that a sweep may take? */
inline check_taken()
{
	is_disturbed[1 - SWEEPER] = 1;
	assert(is_unsure || is_disturbed[SWEEPER] || !IS_WRONG ||
	       is_counted[0] && !IS_STEADY(0) ||
	       is_counted[1] && !IS_STEADY(1));
	is_unsure = is_unsure || IS_WRONG ||
		    has_plane[0] && !planes[lease_plane[0]] ||
		    has_plane[1] && !planes[lease_plane[1]]
}

/* No sweep takes the plane of who has had a socket, whatever else goes on. */
inline clear(p)
{
	assert(is_unsure || !planes[p] ||
	       (!is_counted[0] || lease_plane[0] != p ||
		lease[0] == WHOLE || !IS_STEADY(0)) &&
	       (!is_counted[1] || lease_plane[1] != p ||
		lease[1] == WHOLE || !IS_STEADY(1)));
	planes[p] = 0;
	check_taken()
}

/* Nobody is between a plane and its use, and nobody else sweeps. */
#define IS_CALM \
	(has_plane[0] == (is_counted[0] && lease[0] != WHOLE) && \
	 has_plane[1] == (is_counted[1] && lease[1] != WHOLE) && \
	 N_SWEEPERS == 1)

/* remember_map() */
inline remember_map()
{
	READ(uses = use_word;
	     is_disturbed[SWEEPER] = n_moving > 0 && !IS_CALM;
	     IS_STEADY(0) = socket[0] != FREE;
	     IS_STEADY(1) = socket[1] != FREE);
	READ(leased[0] = planes[0]);
	READ(leased[1] = planes[1])
}

/* mark(): ledger_lease(), after what is not counted is taken away. */
inline mark(id)
{
	READ(now = use_word; assert(is_unsure || !was_counted[id]));
#if MUTATION != MARK_GIVES_UP
	if
	:: now == FREE && use != WHOLE -> STEP(clear(plane))
	:: else
	fi;
#endif
	if
	:: use != WHOLE ->
	   STEP(is_set = planes[plane]; planes[plane] = 1; check_taken())
	:: else
	fi;
	if
	:: !is_set ->
	   STEP(
		is_set = JOINS;
		use_word = (JOINS -> JOINED : use_word);
		check_taken()
	   );
	   if
	   :: !is_set && use != WHOLE -> STEP(clear(plane))
	   :: else
	   fi
	:: else
	fi
}

/* candidates() and lease_of() for the planes. */
#define TAKE_SOCKET(id) \
	now = 0; \
	is_set = 0; \
	use = (is_unconnected[id] -> WHOLE : socket[id]); \
	plane = socket_plane[id]

/* is_shown() */
#define IS_SHOWN \
	(use_word != FREE && (USE == WHOLE || USE != use || planes[plane]))

inline mark_unshown(id)
{
	if
	:: use != FREE && unshown[id] ->
	   READ(is_set = IS_SHOWN);
	   if
	   :: !is_set -> mark(id)
	   :: else
	   fi
	:: else
	fi
}

inline visit(id)
{
	READ(
		TAKE_SOCKET(id);
		is_present = is_present || use != FREE;
		may_connect = may_connect || is_unconnected[id];
		known[plane] = known[plane] || use >= BOUND
	);
	if
	:: use != FREE -> READ(unshown[id] = !IS_SHOWN)
	:: else
	fi;
#if MUTATION == MARK_AT_ONCE
	mark_unshown(id)
#endif
}

/* A worker has one socket, and no other ever: it is known by the worker. */
inline visit_again(id)
{
	if
	:: unshown[id] -> READ(TAKE_SOCKET(id)); mark_unshown(id)
	:: else
	fi
}

inline ask_kernel()
{
	visit(0);
#if N_WORKERS > 1
	visit(1);
#endif
#if MUTATION != NO_MARK && MUTATION != MARK_AT_ONCE
	visit_again(0);
#if N_WORKERS > 1
	visit_again(1);
#endif
#endif
	READ(use = FREE; plane = 0; now = 0; is_set = 0)
}

/* clear_plane() */
inline clear_plane(p)
{
	if
	:: leased[p] && !known[p] &&
	   !(MUTATION != TAKES_UNCONNECTED && may_connect &&
	     (uses & USE_MASK) == CONNECT) ->
	   STEP(clear(p); leased[p] = 0);
#if MUTATION == CLEAR_LEAVES
	   STEP(use_word = (USE >= BOUND -> LEFT : use_word); check_taken())
#endif
	:: else
	fi
}

#define N_LEASED (leased[0] + leased[1])
#define SETTLED \
	((uses & USE_MASK) == WHOLE || N_LEASED == 0 \
	 -> FREE : N_LEASED * LEASE_UNIT + (uses & USE_MASK))

/* settle_port(), ledger_settle() */
inline settle_port()
{
	if
	:: uses == FREE || (uses & USE_MASK) == WHOLE && is_present ||
	   uses == SETTLED
#if MUTATION == LOW_STAYS
	:: SETTLED > uses
#endif
	:: else ->
	   STEP(
		if
		:: MUTATION == SETTLE_STORES || use_word == uses ->
		   /* Who has changed it is alive. */
		   assert(use_word == uses);
		   use_word = SETTLED;
		   check_taken()
		:: else
		fi
	   )
	fi
}

inline begin_sweep()
{
	uses = 0;
	leased[0] = 0;
	leased[1] = 0;
	known[0] = 0;
	known[1] = 0;
	is_present = 0;
	may_connect = 0;
	unshown[0] = 0;
	unshown[1] = 0;
	use = FREE;
	plane = 0;
	now = 0;
	is_set = 0;
	is_alone = (n_moving == 0);
	has_swept = 1
}

/* sweep_protocol() */
inline sweep_protocol()
{
#if MUTATION == KERNEL_FIRST
	ask_kernel();
	remember_map();
#else
	remember_map();
#if MUTATION != NOT_ASKED
	ask_kernel();
#endif
#endif
#if MUTATION != NO_CLEAR
	clear_plane(0);
	clear_plane(1);
#endif
#if MUTATION != NO_SETTLE
	settle_port()
#endif
}

#define HAS_PLANE(id, p) (socket[id] >= BOUND && socket_plane[id] == p)
#define SHOWS_SOCKET(id) \
	(socket[id] == FREE || \
	 use_word != FREE && (socket[id] == WHOLE || USE != socket[id] || \
			      planes[socket_plane[id]]))

/* There is a lease for each socket, and no other. */
inline check_map()
{
	assert(SHOWS_SOCKET(0) && SHOWS_SOCKET(1));
	assert(use_word == FREE || socket[0] != FREE || socket[1] != FREE);
	assert(!planes[0] || HAS_PLANE(0, 0) || HAS_PLANE(1, 0));
	assert(!planes[1] || HAS_PLANE(0, 1) || HAS_PLANE(1, 1));
	assert(USE < BOUND || COUNT == planes[0] + planes[1]);
	assert(USE != WHOLE || COUNT == 1)
}

/* What the dead may have left. */
inline begin_map()
{
	if
	:: true
	:: use_word = LEASE_UNIT + WHOLE
	:: use_word = LEASE_UNIT + BOUND
	:: use_word = 2 * LEASE_UNIT + BOUND
	:: use_word = LEASE_UNIT + CONNECT
	:: use_word = 2 * LEASE_UNIT + CONNECT
	fi;
	if
	:: true
	:: planes[0] = 1
	fi;
	if
	:: true
	:: planes[1] = 1
	fi;
	has_begun = 1
}

active [N_SWEEPERS] proctype sweeper()
{
	byte use, now;
	bit plane, is_set;
	byte uses;
	bit leased[2], known[2], is_present, may_connect, unshown[2];
	byte n_alone;
	bit has_swept, is_alone;

	atomic {
		if
		:: SWEEPER == 0 -> begin_map()
		:: else -> has_begun
		fi
	}
again:
	if
	:: !has_swept || SWEEPER == 0 && n_moving == 0 && n_alone < 2 ->
	   READ(begin_sweep());
	   sweep_protocol();
	   READ(n_alone = (is_alone -> n_alone + 1 : 0));
	   goto again
	:: else
	fi;
	goto stop;
dead:
	goto again;
stop:
	atomic {
		begin_sweep();
		if
		:: n_alone == 2 -> check_map()
		:: else
		fi;
		n_moving = (SWEEPER == 1 -> n_moving - 1 : n_moving)
	}
}
