/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What is known of this process's file descriptors: a cache, never the truth.
 *
 * Descriptors are closed and come back as something else without a hook seeing
 * it, so whatever an entry says is checked against the kernel before a mistake
 * could do harm. Each entry is one 64-bit word, read and written whole:
 * lock-free and async-signal-safe. A forked child inherits the facts but none
 * of the leases: it finds the owner's pid wiped (MADV_WIPEONFORK) and begins a
 * generation of its own. A vfork child finds its parent's pid, and leaves the
 * cache as it is.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/atomics.h"
#include "core/ledger.h"

struct fd_cache {
	atomic_u64 *ownerp;	/* the owner's pid, 0 in a new child; NULL = none */
	atomic_u64 *words;	/* an entry each; NULL = no cache */
	uint32_t n_fds;
	atomic_u32 n_used;	/* one above the highest fd ever entered */
	atomic_u32 generation;	/* counts forks; of a fact, modulo 256 */
};

struct fd_facts {
	uint64_t known : 1;
	uint64_t covered : 1;	/* a socket of a space that Berth assigns */
	uint64_t has_port : 1;
	uint64_t has_address : 1;	/* bound to one, perhaps without a port */
	uint64_t space : 2;	/* enum space */
	uint64_t ipv6 : 1;
	uint64_t mptcp : 1;
	uint64_t many : 1;	/* SCTP: of many associations, SOCK_SEQPACKET */
	uint64_t own_range : 1;	/* the program set IP_LOCAL_PORT_RANGE */
	uint64_t copied : 1;	/* another fd may hold the same lease */
	uint64_t loose : 1;	/* the port was not named: the kernel takes it back
				   with the connection */
	uint64_t connecting : 1;	/* the next connect is told of the last one */
	uint64_t hides_reuse : 1;	/* SO_REUSEADDR is Berth's, not the program's */
	uint64_t rests : 1;	/* the port rests when the lease ends */
	uint64_t doubted : 1;	/* a vfork child has a socket of its own there */
	uint64_t use : 2;	/* enum use of the lease, USE_FREE = none */
	uint64_t plane : 10;
	uint64_t port : 16;
	uint64_t generation : 8;	/* of the process that took the lease */
};

_Static_assert(sizeof(struct fd_facts) == sizeof(uint64_t), "one word");
_Static_assert(N_PLANES_TCP <= 1u << 10, "a plane fits its field");

/* Room for as many fds as the hard RLIMIT_NOFILE allows, 1,048,576 at most. */
void fd_cache_open(struct fd_cache *cache);

/* Facts with known = 0 for an fd that the cache has not, or cannot have. */
static inline struct fd_facts fd_cache_get(const struct fd_cache *cache, int fd)
{
	union {
		uint64_t word;
		struct fd_facts facts;
	} entry = { .word = 0 };

	/* Relaxed: one word, complete in itself; the kernel orders the use of
	 * an fd by several threads. */
	if ((uint32_t)fd < cache->n_fds)
		entry.word = load_relaxed_u64(&cache->words[fd]);
	return entry.facts;
}

/* Enters facts; what was there before, a lease too, is given back to the caller. */
struct fd_facts fd_cache_put(struct fd_cache *cache, int fd,
			     struct fd_facts facts);

/*
 * Enters facts in place of an entry that still is as given. Of several callers,
 * one is told so.
 */
bool fd_cache_replace(struct fd_cache *cache, int fd, struct fd_facts old,
		      struct fd_facts facts);

/* Removes an entry, in the same way. */
static inline bool fd_cache_remove(struct fd_cache *cache, int fd,
				   struct fd_facts old)
{
	return fd_cache_replace(cache, fd, old, (struct fd_facts){ 0 });
}

/* Removes and returns an entry. Of several callers, one gets it. */
static inline struct fd_facts fd_cache_take(struct fd_cache *cache, int fd)
{
	/* What is not concerned, a file say, costs a load and no more. */
	if (!fd_cache_get(cache, fd).known)
		return (struct fd_facts){ 0 };
	return fd_cache_put(cache, fd, (struct fd_facts){ 0 });
}

/*
 * Whether the entries are this process's own to change: not in a vfork child. A
 * forked child makes them so. Costs a getpid(2): the only way to tell the two.
 */
bool fd_cache_own(struct fd_cache *cache);

/* Makes the entries this process's own, if a fork has left them to nobody. */
static inline void fd_cache_begin(struct fd_cache *cache)
{
	/* Relaxed: wiped by a fork, and written by its child alone. */
	if (cache->ownerp != NULL && load_relaxed_u64(cache->ownerp) == 0)
		fd_cache_own(cache);
}

/* The lease in an entry is this process's to give back: it was taken by it. */
static inline bool fd_cache_holds(const struct fd_cache *cache,
				  const struct fd_facts *facts)
{
	/* Relaxed: it changes in the first call of a new process only. */
	return facts->use != USE_FREE &&
	       facts->generation ==
		       (load_relaxed_u32(&cache->generation) & 255);
}

/*
 * Another descriptor of the same open socket: an entry of the same space and
 * port that dup() has made or copied. Returns -1 for none. Scans the cache.
 */
int fd_cache_find_copy(const struct fd_cache *cache, int fd,
		       const struct fd_facts *facts);
