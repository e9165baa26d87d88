/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What becomes of a process's descriptors: the facts of the cache, and the leases
 * in them.
 *
 * The descriptors that dup() has made of one socket have a number in common,
 * and the facts: a change that one of them has seen is entered for all. One of
 * them has the lease, so that it is given back once, and by the last.
 */

#include "process/process.h"

/* Gives back every lease of the process, which is about to end. */
void process_end(struct process *process);

/* Makes a lease that was just taken the socket's. The caller enters the facts. */
void process_note_lease(struct process *process, const struct lease *lease,
		  struct fd_facts *factsp);

/*
 * Takes an entry back that a call made before it failed, and what the copies of the
 * socket were told with it. Returns false where the descriptor has another meanwhile.
 */
bool process_withdraw(struct process *process, int fd, struct fd_facts entered,
		      struct fd_facts facts);

/*
 * Gives back the lease in an entry that was taken out of the cache; if another
 * descriptor of the socket is known, it has the lease from now on.
 */
void process_release(struct process *process, const struct fd_facts *facts);

/* Another process may have the sockets of this one from now on, or has had them. */
void process_share(struct process *process);

/*
 * A datagram socket has lost its port. Whoever may have it too, by fork or by
 * SCM_RIGHTS, is told, since an entry of a cache that says "has a port" is
 * believed by sends.
 */
void process_tell_others(struct process *process);

/* Whether nobody has told anything since the last process_catch_up(). */
static inline bool process_is_current(const struct process *process)
{
	const struct map_memory *memory = process->map.memory;

	/* Relaxed: whoever knows of the loss has synchronized with the one who
	 * told it, by waiting for it, say. */
	return memory == NULL || load_relaxed_u32(&memory->turn.n_lost) ==
					 load_relaxed_u32(&process->n_lost);
}

/* What is known of datagram sockets is asked anew, each at its next use. */
void process_catch_up(struct process *process);

/* Gives back what the socket has leased: it has no port (any more). */
void process_drop_port(struct process *process, int fd,
		       struct fd_facts *factsp);

/* Keeps an entry, a vfork child's parent's, and has the next who looks at it ask. */
void process_invalidate(struct process *process, int fd);

/* The descriptors from first to last are closed: gives their leases back. */
void process_forget(struct process *process, unsigned int first,
		    unsigned int last);

/* copy is now another descriptor of what fd is. */
void process_copy(struct process *process, int fd, int copy);

/* The calling thread has a descriptor table of its own, if it is not alone. */
void process_part(struct process *process);

/*
 * Enters facts of a new socket or a change, which then holds for the copies with
 * the same number too; gives back a lease they displace.
 * Returns false where they have no place: beyond the cache, or in a vfork child
 * whose parent has leased what they would displace.
 */
bool process_set(struct process *process, int fd, struct fd_facts facts);
