/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * All that Berth knows within one process: what the policy gives it, what the
 * kernel allows, the shared map, and its own file descriptors.
 */

#include "assign/fd_cache.h"
#include "assign/report.h"
#include "base/standard_error.h"
#include "kernel/kernel.h"
#include "map/layout.h"
#include "map/map.h"
#include "policy/source.h"

struct process {
	struct kernel kernel;
	struct map map;
	struct fd_cache cache;
	atomic_u64 pin_verified_ms;	/* when a pin was last seen to hold */
	struct standard_error standard_error;	/* as it was at the start */
	struct reporter reporter;
	atomic_u32 has_moved;	/* a thread has changed its network namespace */
	atomic_u32 shares;	/* others may have its datagram sockets too */
	atomic_u32 n_lost;	/* what it has seen of that of the map */
	bool sweeps;		/* its leases have sockets: a sweep is harmless */
	atomic_u32 pin_refused;	/* bit by protocol, and PIN_MPTCP: no such option */
	struct policy_source source;	/* the last, as its identity is there */
};

#define PIN_MPTCP N_PROTOCOLS

/* Connects its parts: before anything else, process_open() does it too. */
void process_prepare(struct process *process);

/*
 * Reads the environment and the kernel's settings, and opens the map, or a
 * private map, and the policy file. Says what is wrong on standard error, as
 * BERTH_LOG allows.
 * Never fails: without a map, the kernel chooses within the range.
 * No heap; opens and closes descriptors; to be called once.
 */
void process_open(struct process *process, char *(*lookup)(const char *name));

/* The calling thread may be in another network namespace from now on. */
void process_move(struct process *process);

/*
 * Whether the calling thread is in another network namespace than the map's: its
 * sockets have no leases then. Costs a socket where a thread has moved.
 */
bool process_is_away(const struct process *process);

/* Copies the policy in force, see policy_source_get(). */
void process_policy(struct process *process, struct policy *policyp);

/* The name of an errno, as "EACCES", or "another error". */
const char *process_reason(int error);

/* --- descriptors, in assign/descriptors.c ---------------------------------------- */

/* Gives back every lease of the process, which is about to end. */
void process_end(struct process *process);

/*
 * Asks the kernel what a descriptor is and enters the answer; a lease that the
 * cache had stays with it as long as the port is the same.
 * Returns 0 (covered or not), -EBADF, -ENOTSOCK; or another -errno, told and
 * counted, where the kernel does not say.
 */
int process_query(struct process *process, int fd, struct fd_facts *factsp);

/*
 * Tells and counts that the kernel, or a filter, does not say what a descriptor
 * is; not of what is no socket. Returns result.
 */
int process_tell_unknown(struct process *process, int result);

/* From the cache, or by asking. Returns as process_query(). */
int process_facts(struct process *process, int fd, struct fd_facts *factsp);

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
