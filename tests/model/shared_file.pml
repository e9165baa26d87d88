/* SPDX-License-Identifier: MIT */

/*
 * The map's file: src/map/shared_file.c, open_in_folder() with open_named(),
 * check_file(), remove_stale() and make(), and fill_file() of src/map/map.c.
 *
 * Three processes open the map at once, where there is none yet, or one of
 * another version or namespace, or a symlink in its place. Each system call
 * that looks at the folder or changes it is a step; those on a file that is
 * open, or has no name yet, go with it, since nobody else changes that. At each
 * step a process may die, and the kernel takes back its lock and its unnamed
 * file; or be stopped for ever with its lock.
 *
 * Left out: the folders, which are only added to; the roots, which are tried
 * one after the other; file systems without O_TMPFILE; those that fill up,
 * where make() returns and nothing has changed; the last two rounds, in which
 * a lock that is still held is passed over.
 */

#define LINK_FIRST 1	/* the file has its name before it is filled */
#define RENAMES 2	/* rename(2) over what is there, in place of link(2) */
#define MAPS_OWN 3	/* who was second maps the file that he has made */
#define NOT_CHECKED 4	/* the header is not looked at */
#define UNLOCKED 5	/* between look and unlink another replaces the file */
#define NOT_COMPARED 6	/* the name is unlinked, whatever it leads to by then */
#define LINK_UNLOOKED 7	/* the same, for what was a symlink */
#define LOCK_WAITS 8	/* for who has the lock */
#define TRIES_ONCE 9	/* who was second gives up */

#include "common.pml"

#define N_PROCESSES 3
/* Eight in C: three processes need no more. */
#define MAX_ROUNDS 3

/* What the name leads to: nothing, what was there before, a process's file. */
#define NOTHING 0
#define STALE 1
#define SYMLINK 2
#define FILE_OF(id) (3 + (id))

byte name;
bit is_filled[N_PROCESSES];	/* the file that a process has made */
bit is_locked;			/* the folder */
bit has_begun;

/* What each has mapped, and whether it has come to its end. */
byte mapped[N_PROCESSES];
bit has_ended[N_PROCESSES];

inline end()
{
	round = 0;
	opened = NOTHING;
	looked = NOTHING;
	has_lock = 0;
	met_lock = 0;
	has_ended[_pid] = 1
}

/* The file of who dies before it has a name is gone. */
inline die()
{
	is_filled[_pid] = is_filled[_pid] && name == FILE_OF(_pid);
	is_locked = is_locked && !has_lock;
	mapped[_pid] = NOTHING;
	end()
}

#define STEP(operation) \
	if \
	:: d_step { operation } \
	:: atomic { die(); goto dead } \
	:: atomic { has_lock; end(); goto dead } \
	fi

#define IS_GOOD(file) \
	((file) == FILE_OF(0) && is_filled[0] || \
	 (file) == FILE_OF(1) && is_filled[1] || \
	 (file) == FILE_OF(2) && is_filled[2])
#define ARE_APART(a, b) \
	(mapped[a] != NOTHING && mapped[b] != NOTHING && \
	 mapped[a] != mapped[b])

inline map(file)
{
	mapped[_pid] = file;
	assert(IS_GOOD(file));
	assert(!ARE_APART(0, 1) && !ARE_APART(0, 2) && !ARE_APART(1, 2))
}

#if MUTATION == LOCK_WAITS
#define MAY_LOCK !is_locked
#else
#define MAY_LOCK true
#endif

/* remove_stale(). Who finds the lock taken goes on to make(). */
inline remove_stale()
{
#if MUTATION != UNLOCKED
	if
	:: MAY_LOCK ->
	   STEP(has_lock = !is_locked;
		met_lock = met_lock || is_locked;
		is_locked = 1)
	fi;
#else
	has_lock = 1;
#endif
	if
	:: has_lock ->
	   /* fstatat(2): the same file, or no file still. */
	   STEP(looked = name);
#if MUTATION == NOT_COMPARED
	   looked = (looked == NOTHING -> NOTHING : opened);
#elif MUTATION == LINK_UNLOOKED
	   looked = (opened == SYMLINK && looked != NOTHING -> opened : looked);
#endif
	   if
	   :: looked == opened ->
	      STEP(assert(!IS_GOOD(name)); name = NOTHING; looked = NOTHING)
	   :: else
	   fi;
	   STEP(is_locked = 0; has_lock = 0; looked = NOTHING; opened = NOTHING)
	:: else
	fi
}

/* make(). The first has the name; for the others it is EEXIST. */
inline make()
{
	STEP(
		opened = NOTHING;
		looked = name;
		is_filled[_pid] = (MUTATION != LINK_FIRST);
		if
		:: name == NOTHING || MUTATION == RENAMES ->
		   name = FILE_OF(_pid);
		   looked = NOTHING
		:: else
		fi;
		if
		:: looked != NOTHING && MUTATION == MAPS_OWN ->
		   map(FILE_OF(_pid))
		:: looked != NOTHING && MUTATION != MAPS_OWN ->
		   is_filled[_pid] = 0
		:: else
		fi;
		round = (looked != NOTHING && MUTATION == TRIES_ONCE
			 -> MAX_ROUNDS : round);
#if MUTATION != LINK_FIRST
		looked = NOTHING
#endif
	);
#if MUTATION == LINK_FIRST
	if
	:: looked == NOTHING -> STEP(is_filled[_pid] = 1)
	:: else -> looked = NOTHING
	fi
#endif
}

active [N_PROCESSES] proctype process()
{
	byte round;
	byte opened, looked;
	bit has_lock, met_lock;

	/* What is there before them all. */
	atomic {
		if
		:: _pid == 0 && !has_begun
		:: _pid == 0 && !has_begun -> name = STALE
		:: _pid == 0 && !has_begun -> name = SYMLINK
		:: has_begun
		fi;
		has_begun = 1
	}
	/* open_in_folder() */
	do
	:: mapped[_pid] != NOTHING -> break
	:: mapped[_pid] == NOTHING && round < MAX_ROUNDS ->
	   /* open_named(), which looks at what it has opened, whatever becomes
	    * of the name. */
	   STEP(
		round++;
		opened = name;
		if
#if MUTATION == NOT_CHECKED
		:: opened != NOTHING && opened != SYMLINK ->
#else
		:: IS_GOOD(opened) ->
#endif
		   map(opened);
		   opened = NOTHING
		:: else
		fi
	   );
	   if
	   :: opened != NOTHING -> remove_stale()
	   :: else
	   fi;
	   if
	   :: mapped[_pid] == NOTHING -> make()
	   :: else
	   fi
	:: else ->
	   /* Only where another is about to replace the file. */
	   assert(met_lock);
	   break
	od;
	atomic {
		assert(met_lock || mapped[_pid] == name);
		end()
	}
dead:
	skip
}

/* What the name has led to once it leads to for good. */
ltl stays { [] (IS_GOOD(name) -> [] IS_GOOD(name)) }

/* Nobody waits for another one. */
ltl ends { <> (has_ended[0] && has_ended[1] && has_ended[2]) }
