/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What is known of this process's file descriptors: a cache, never the truth.
 *
 * Descriptors are closed and come back as something else without a hook seeing
 * it, so whatever an entry says is checked against the kernel before a mistake
 * could do harm. Each entry is one 64-bit word, read and written whole: lock-free
 * and async-signal-safe. A forked child finds the cache empty (MADV_WIPEONFORK),
 * and so gives back no lease of its parent's.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/atomics.h"
#include "core/ledger.h"

struct fd_cache {
	atomic_u64 *words;	/* NULL = no cache; word 0 is the owner's pid */
	uint32_t n_fds;
	atomic_u32 n_used;	/* one above the highest fd ever entered */
};

struct fd_facts {
	uint64_t known : 1;
	uint64_t covered : 1;	/* a socket of a space that Berth assigns */
	uint64_t has_port : 1;
	uint64_t has_address : 1;	/* bound to one, perhaps without a port */
	uint64_t space : 2;	/* enum space */
	uint64_t ipv6 : 1;
	uint64_t mptcp : 1;
	uint64_t own_range : 1;	/* the program set IP_LOCAL_PORT_RANGE */
	uint64_t copied : 1;	/* another fd may hold the same lease */
	uint64_t by_connect : 1;	/* the port goes when the connect fails */
	uint64_t rests : 1;	/* the port rests when the lease ends */
	uint64_t use : 2;	/* enum use of the lease, USE_FREE = none */
	uint64_t plane : 10;
	uint64_t port : 16;
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
		entry.word = load_relaxed_u64(&cache->words[1 + (uint32_t)fd]);
	return entry.facts;
}

/* Enters facts; what was there before, a lease too, is given back to the caller. */
struct fd_facts fd_cache_put(struct fd_cache *cache, int fd,
			     struct fd_facts facts);

/* Removes and returns an entry. Of several callers, one gets it. */
static inline struct fd_facts fd_cache_take(struct fd_cache *cache, int fd)
{
	/* What is not concerned, a file say, costs a load and no more. */
	if (!fd_cache_get(cache, fd).known)
		return (struct fd_facts){ 0 };
	return fd_cache_put(cache, fd, (struct fd_facts){ 0 });
}

/*
 * Whether this process made the entries; a vfork child shares them with its
 * parent and did not. Costs a getpid(2): the only way to tell the two apart.
 */
bool fd_cache_is_owner(const struct fd_cache *cache);

/* Whether another fd is known to hold the same lease. Scans the cache. */
bool fd_cache_has_lease(const struct fd_cache *cache,
			const struct fd_facts *facts);
