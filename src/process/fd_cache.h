/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What is known about this process's file descriptors: a cache, never proof.
 *
 * Descriptors are closed, and their numbers used again, without any hook
 * noticing, so an entry is checked with the kernel wherever a wrong one could
 * do harm. Each entry is one 64-bit word, read and written whole: lock-free and
 * async-signal-safe. The entries lie in chunks, each mapped when the first of
 * its descriptors is entered.
 *
 * A forked child inherits the facts but none of the leases: it finds the owner
 * wiped (MADV_WIPEONFORK), begins a generation of its own and removes the
 * leases from the entries. A vfork child finds its parent as the owner, and
 * leaves the cache as it is. So does a thread that has a descriptor table of
 * its own: for it the cache is empty and takes no entry.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/atomics.h"
#include "process/facts.h"

#define FD_CHUNK_LENGTH 2048u /* 16 KiB */
#define N_FD_CHUNKS 512u
#define MAX_FDS (FD_CHUNK_LENGTH * N_FD_CHUNKS) /* default of fs.nr_open */

/* Threads of one process with a descriptor table of their own. */
#define MAX_APART 8u

struct fd_chunk {
	atomic_u64 words[FD_CHUNK_LENGTH]; /* an entry each */
};

struct fd_cache {
	atomic_u64 *ownerp;	     /* see fd_cache_own(); NULL = no cache */
	atomic_u32 n_used;	     /* one above the highest fd ever entered */
	atomic_u32 generation;	     /* counts forks; of a fact, modulo 4 */
	atomic_u32 last_copies;	     /* the last number given to copies */
	atomic_u32 n_apart;	     /* beyond MAX_APART: every thread is */
	atomic_u32 apart[MAX_APART]; /* thread ids */
	atomic_pointer chunks[N_FD_CHUNKS];
};

/*
 * Maps the owner, which is this process, and the first chunk. Without memory
 * there is no cache.
 */
void fd_cache_open(struct fd_cache *cache);

/*
 * Called in a forked child, before it goes on: makes the child the owner, also
 * where the kernel has not wiped the parent.
 */
void fd_cache_forked(struct fd_cache *cache);

/* Whether the calling thread has a descriptor table of its own. */
bool fd_cache_is_apart(const struct fd_cache *cache);

/* The calling thread has a descriptor table of its own from now on. */
void fd_cache_set_apart(struct fd_cache *cache);

/* Facts with known = 0 for an fd that is not in the cache, or cannot be. */
static inline struct fd_facts fd_cache_get(const struct fd_cache *cache, int fd)
{
	const struct fd_facts none = { 0 };
	const struct fd_chunk *chunk;
	union {
		uint64_t word;
		struct fd_facts facts;
	} entry;

	if ((uint32_t)fd >= MAX_FDS)
		return none;
	/* Acquire: pairs with the release of the chunk's maker. */
	chunk = load_acquire_pointer(
		&cache->chunks[(uint32_t)fd / FD_CHUNK_LENGTH]);
	if (chunk == NULL)
		return none;
	/* Relaxed: one word, complete in itself; the kernel orders the use of
	 * an fd by several threads. */
	entry.word =
		load_relaxed_u64(&chunk->words[(uint32_t)fd % FD_CHUNK_LENGTH]);
	/* Relaxed: a thread sees what it has done itself. */
	if (__builtin_expect(load_relaxed_u32(&cache->n_apart) != 0, 0) &&
	    fd_cache_is_apart(cache))
		return none;
	return entry.facts;
}

/* Whether an fd has an entry, which is made if there is memory. */
bool fd_cache_has_place(struct fd_cache *cache, int fd);

/*
 * Enters facts; returns what was there before, with its lease, which the caller
 * releases.
 */
struct fd_facts fd_cache_put(struct fd_cache *cache, int fd,
			     struct fd_facts facts);

/*
 * Replaces an entry that is still as given. Of several callers, one succeeds;
 * for the others *oldp holds what was found.
 */
bool fd_cache_replace(struct fd_cache *cache, int fd, struct fd_facts *oldp,
		      struct fd_facts facts);

/*
 * Removes the entry of a closed fd, if it is still as given, or has only got
 * its socket's lease from another descriptor meanwhile: *factsp then has the
 * lease. Of several callers, one succeeds.
 */
bool fd_cache_remove(struct fd_cache *cache, int fd, struct fd_facts *factsp);

/* Removes and returns an entry. Of several callers, one gets it. */
static inline struct fd_facts fd_cache_take(struct fd_cache *cache, int fd)
{
	/* An entry that is not there, as for a file, costs only one load. */
	if (!fd_cache_get(cache, fd).known)
		return (struct fd_facts){ 0 };
	return fd_cache_put(cache, fd, (struct fd_facts){ 0 });
}

/* The first fd from fd to last that is known, or -1. Scans the cache. */
int fd_cache_next(const struct fd_cache *cache, uint32_t fd, uint32_t last);

/*
 * Whether this process may change the entries: false in a vfork child, and in a
 * thread with a descriptor table of its own. In a forked child it makes the
 * entries the child's. Costs a getpid(2): the only way to tell a vfork child
 * from its parent; and in that child a getppid(2).
 */
bool fd_cache_own(struct fd_cache *cache);

/*
 * Makes the entries this process's own, if after a fork no process owns them.
 */
static inline void fd_cache_begin(struct fd_cache *cache)
{
	/* Relaxed: wiped by a fork, and written by its child alone. Negative
	 * while another thread begins the generation. */
	if (cache->ownerp != NULL &&
	    (int64_t)load_relaxed_u64(cache->ownerp) <= 0)
		fd_cache_own(cache);
}

/*
 * Whether this process was made by a fork, so that others may have its sockets.
 */
static inline bool fd_cache_is_forked(const struct fd_cache *cache)
{
	/* Relaxed: it changes in the first call of a new process only. */
	return load_relaxed_u32(&cache->generation) > 1;
}

/* Whether this process releases the lease in an entry: it has taken it. */
static inline bool fd_cache_holds(const struct fd_cache *cache,
				  const struct fd_facts *facts)
{
	/* Relaxed: it changes in the first call of a new process only. */
	return facts->use != USE_FREE &&
	       facts->generation == (load_relaxed_u32(&cache->generation) & 3);
}

/*
 * A number for the copies of a socket that no entry has; 0 where none was
 * found. Scans the cache.
 */
uint32_t fd_cache_new_copies(struct fd_cache *cache);

/*
 * The first descriptor from fd on that has this number of copies, not 0; -1 for
 * none. Scans the cache.
 */
int fd_cache_next_copy(const struct fd_cache *cache, uint32_t fd,
		       uint32_t copies);
