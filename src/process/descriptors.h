/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What happens to a process's descriptors: the facts in the cache, and the
 * leases in them.
 *
 * The descriptors that dup() has made of one socket have a number in common,
 * and the same facts: a change that is seen by one is entered for all. One of
 * them has the lease, so that it is released once, and with the last
 * descriptor.
 */

#include "process/process.h"

/* Gives the socket a lease that was just taken. The caller enters the facts. */
void process_note_lease(struct process *process, const struct lease *lease,
			struct fd_facts *factsp);

/*
 * Undoes an entry that a call made before it failed, for the copies of the
 * socket too. Returns false where the descriptor has another entry meanwhile.
 */
bool process_withdraw(struct process *process, int fd, struct fd_facts entered,
		      struct fd_facts facts);

/*
 * Releases the lease of an entry that was removed from the cache; if another
 * descriptor of the socket is known, that one gets the lease instead.
 */
void process_release(struct process *process, const struct fd_facts *facts);

/*
 * Other processes may have the sockets of this one from now on, or have had
 * them.
 */
void process_share(struct process *process);

/*
 * A datagram socket has lost its port. Processes that may have the same socket,
 * by fork or by SCM_RIGHTS, learn of it, since a send uses a cache entry with a
 * port without asking the kernel.
 */
void process_tell_others(struct process *process);

/* Whether no process has reported a loss since the last process_catch_up(). */
static inline bool process_is_current(const struct process *process)
{
	const struct map_memory *memory = process->map.memory;

	/* Relaxed: a process that knows of the loss has synchronized with the
	 * one that reported it, for example by waiting for it. */
	return memory == NULL || load_relaxed_u32(&memory->turn.n_lost) ==
					 load_relaxed_u32(&process->n_lost);
}

/* Has each datagram socket queried again, at its next use. */
void process_catch_up(struct process *process);

/* Releases the lease of a socket that has no port (any more). */
void process_drop_port(struct process *process, int fd,
		       struct fd_facts *factsp);

/*
 * Keeps an entry, such as that of a vfork child's parent, and has it queried
 * again at its next use.
 */
void process_invalidate(struct process *process, int fd);

/* The descriptors from first to last are closed: releases their leases. */
void process_forget(struct process *process, unsigned int first,
		    unsigned int last);

/* copy is now a second descriptor of the socket of fd. */
void process_copy(struct process *process, int fd, int copy);

/*
 * The calling thread has a descriptor table of its own, unless it is the only
 * one.
 */
void process_part(struct process *process);

/*
 * Enters facts of a new socket or a change, which then holds for the copies
 * with the same number too; releases a lease that they replace. Returns false
 * where they cannot be entered: beyond the cache, or in a vfork child whose
 * parent holds a lease that they would replace.
 */
bool process_set(struct process *process, int fd, struct fd_facts facts);
