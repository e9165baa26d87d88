/* SPDX-License-Identifier: MIT */
#include "process/fd_cache.h"

#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "base/raw.h"

#define COPIES_MASK ((1u << 17) - 1)
#define MAX_COPIES_TRIED 64

/*
 * The owner is its pid; while its generation is being begun, also BEGINNING and
 * the generation before, modulo 2^31.
 */
#define BEGINNING (UINT64_C(1) << 63)
#define BEFORE_SHIFT 32
#define GENERATION_MASK 0x7fffffffu

_Static_assert(N_PLANES_TCP <= 1u << 8 && N_PLANES_UDP <= 1u << 8 &&
		       N_PLANES_SCTP <= 1u << 8,
	       "a plane fits its field");

union entry {
	uint64_t word;
	struct fd_facts facts;
};

void fd_cache_open(struct fd_cache *cache)
{
	const size_t page = getauxval(AT_PAGESZ);
	void *owner = raw_map_private(page);

	if (owner == NULL)
		return;
	/* Where the call is not made, there is an inherited filter, see raw.h:
	 * then fd_cache_forked() wipes the owner in children that libc makes.
	 * Other children find their parent's pid, and release nothing: that is
	 * left to the sweep. */
	raw_madvise(owner, page, MADV_WIPEONFORK);
	cache->ownerp = owner;
	/* Before a vfork child can become the owner. */
	fd_cache_own(cache);
	/* Now, since the program may forbid itself mmap() later. */
	(void)fd_cache_has_place(cache, 0);
}

void fd_cache_forked(struct fd_cache *cache)
{
	if (cache->ownerp == NULL)
		return;
	/* Relaxed: like the kernel's wipe, before the child's first thread
	 * runs. */
	store_relaxed_u64(cache->ownerp, 0);
	fd_cache_own(cache);
}

/* --- the entries ---------------------------------------------------------- */

static struct fd_chunk *chunk_of(const struct fd_cache *cache, uint32_t fd)
{
	/* Acquire: pairs with the release of the chunk's maker. */
	return (struct fd_chunk *)load_acquire_pointer(
		&cache->chunks[fd / FD_CHUNK_LENGTH]);
}

/* NULL for an fd that has no place. */
static atomic_u64 *word_of(const struct fd_cache *cache, int fd)
{
	struct fd_chunk *chunk = (uint32_t)fd < MAX_FDS
					 ? chunk_of(cache, (uint32_t)fd)
					 : NULL;

	/* Relaxed: a thread sees what it has done itself. */
	if (chunk == NULL || (load_relaxed_u32(&cache->n_apart) != 0 &&
			      fd_cache_is_apart(cache)))
		return NULL;
	return &chunk->words[(uint32_t)fd % FD_CHUNK_LENGTH];
}

bool fd_cache_has_place(struct fd_cache *cache, int fd)
{
	const void *expected = NULL;
	struct fd_chunk *chunk;

	if ((uint32_t)fd >= MAX_FDS || cache->ownerp == NULL)
		return false;
	if (chunk_of(cache, (uint32_t)fd) == NULL) {
		chunk = raw_map_private(sizeof(*chunk));
		if (chunk == NULL)
			return false;
		/* Acq_rel: the chunk is mapped before any thread finds it; and
		 * the second of two threads finds the first one's. */
		if (!swap_if_acq_rel_pointer(
			    &cache->chunks[(uint32_t)fd / FD_CHUNK_LENGTH],
			    &expected, chunk))
			raw_unmap(chunk, sizeof(*chunk));
	}
	return word_of(cache, fd) != NULL;
}

/* Raises a bound to at least this value. */
static void raise_bound(atomic_u32 *boundp, uint32_t bound)
{
	/* Relaxed: the compare-and-swap decides; the bound only grows. */
	uint32_t now = load_relaxed_u32(boundp);

	/* Acq_rel: the bound is stored before an entry below it, for a scan. */
	while (now < bound && !swap_if_acq_rel_u32(boundp, &now, bound))
		;
}

struct fd_facts fd_cache_put(struct fd_cache *cache, int fd,
			     struct fd_facts facts)
{
	union entry entry = { .facts = facts };
	atomic_u64 *wordp = word_of(cache, fd);

	if (wordp == NULL)
		return (struct fd_facts){ 0 };
	if (facts.known)
		raise_bound(&cache->n_used, (uint32_t)fd + 1);
	/* Acq_rel: use of the old entry has ended before the thread that gets
	 * it here releases its lease. */
	entry.word = swap_acq_rel_u64(wordp, entry.word);
	return entry.facts;
}

bool fd_cache_replace(struct fd_cache *cache, int fd, struct fd_facts *oldp,
		      struct fd_facts facts)
{
	union entry expected = { .facts = *oldp };
	const union entry entry = { .facts = facts };
	atomic_u64 *wordp = word_of(cache, fd);
	/* Acq_rel: as in fd_cache_put(). */
	const bool is_replaced = wordp != NULL &&
				 swap_if_acq_rel_u64(wordp, &expected.word,
						     entry.word);

	*oldp = wordp != NULL ? expected.facts : (struct fd_facts){ 0 };
	return is_replaced;
}

bool fd_cache_remove(struct fd_cache *cache, int fd, struct fd_facts *factsp)
{
	struct fd_facts now = *factsp;

	/* Each further turn is caused by another descriptor's close. */
	while (!fd_cache_replace(cache, fd, &now, (struct fd_facts){ 0 }))
		if (now.copies == 0 || now.copies != factsp->copies)
			return false;
	*factsp = now;
	return true;
}

int fd_cache_next(const struct fd_cache *cache, uint32_t fd, uint32_t last)
{
	/* Relaxed: an fd entered meanwhile need not be found. */
	const uint32_t n_used = load_relaxed_u32(&cache->n_used);

	while (fd <= last && fd < n_used) {
		if (chunk_of(cache, fd) == NULL)
			fd = (fd / FD_CHUNK_LENGTH + 1) * FD_CHUNK_LENGTH;
		else if (fd_cache_get(cache, (int)fd).known)
			return (int)fd;
		else
			fd++;
	}
	return -1;
}

int fd_cache_next_copy(const struct fd_cache *cache, uint32_t fd,
		       uint32_t copies)
{
	int at = fd_cache_next(cache, fd, MAX_FDS);

	while (at >= 0 && fd_cache_get(cache, at).copies != copies)
		at = fd_cache_next(cache, (uint32_t)at + 1, MAX_FDS);
	return at;
}

uint32_t fd_cache_new_copies(struct fd_cache *cache)
{
	for (int i = 0; i < MAX_COPIES_TRIED; i++) {
		/* Relaxed: each caller gets a different number, nothing else is
		 * ordered. */
		const uint32_t copies =
			(add_relaxed_u32(&cache->last_copies, 1) + 1) &
			COPIES_MASK;

		if (copies != 0 && fd_cache_next_copy(cache, 0, copies) < 0)
			return copies;
	}
	return 0;
}

/* --- which process owns the entries --------------------------------------- */

bool fd_cache_is_apart(const struct fd_cache *cache)
{
	/* Relaxed: a thread sees what it has done itself. */
	const uint32_t n_apart = load_relaxed_u32(&cache->n_apart);
	const long tid = raw_call(SYS_gettid);

	for (uint32_t i = 0; i < n_apart && i < MAX_APART; i++)
		/* Relaxed: as above. */
		if (load_relaxed_u32(&cache->apart[i]) == (uint32_t)tid)
			return true;
	/* Where a filter refuses gettid(), every thread counts as one of
	 * these. */
	if (tid < 0)
		return true;
	/* A new child may have the descriptors of such a thread. Relaxed:
	 * written only in begin(), by this process. */
	return n_apart > MAX_APART ||
	       (n_apart != 0 && load_relaxed_u64(cache->ownerp) == 0);
}

void fd_cache_set_apart(struct fd_cache *cache)
{
	const uint32_t tid = (uint32_t)raw_call(SYS_gettid);
	uint32_t i = 0;

	for (; i < MAX_APART; i++) {
		uint32_t found = 0;

		/* Acq_rel: each of two threads gets a slot of its own. */
		if (swap_if_acq_rel_u32(&cache->apart[i], &found, tid) ||
		    found == tid)
			break;
	}
	raise_bound(&cache->n_apart, i + 1);
}

static bool is_now(const struct fd_cache *cache, uint32_t generation)
{
	/* Acquire: pairs with the release in begin(), for code that goes on in
	 * a child which a signal handler has forked. */
	return load_acquire_u32(&cache->generation) == generation;
}

/* Removes the leases of other generations from the entries. */
static void drop_leases(struct fd_cache *cache, uint32_t generation)
{
	int fd = fd_cache_next(cache, 0, MAX_FDS);

	while (fd >= 0 && is_now(cache, generation)) {
		struct fd_facts facts = fd_cache_get(cache, fd);

		if (facts.use == USE_FREE ||
		    facts.generation == (generation & 3) ||
		    fd_cache_replace(cache, fd, &facts,
				     fd_facts_without_lease(facts)))
			fd = fd_cache_next(cache, (uint32_t)fd + 1, MAX_FDS);
	}
}

/*
 * The parent had threads with tables of their own, and it is not known which of
 * its threads has forked: nothing is known about the child's descriptors.
 */
static void forget_all(struct fd_cache *cache)
{
	/* Relaxed: only this process writes both, and the same values. */
	const uint32_t n_used = load_relaxed_u32(&cache->n_used);

	for (uint32_t fd = 0; fd < n_used; fd++)
		if (load_relaxed_u32(&cache->n_apart) != 0 &&
		    chunk_of(cache, fd) != NULL)
			/* Relaxed: one word that nothing else depends on. */
			store_relaxed_u64(
				&chunk_of(cache, fd)
					 ->words[fd % FD_CHUNK_LENGTH],
				0);
	for (uint32_t i = 0; i < MAX_APART; i++)
		/* Relaxed: no thread of this process is in it. */
		store_relaxed_u32(&cache->apart[i], 0);
	/* Release: the entries are removed before any is read again. */
	store_release_u32(&cache->n_apart, 0);
}

/*
 * Begins a generation, or completes one that another thread has begun and may
 * not finish. Each step may be done several times.
 */
static void begin(struct fd_cache *cache, uint64_t owner)
{
	uint32_t before = owner >> BEFORE_SHIFT & GENERATION_MASK;
	const uint32_t generation = (before + 1) & GENERATION_MASK;

	/* Acq_rel: entries of this generation come after this. */
	swap_if_acq_rel_u32(&cache->generation, &before, generation);
	/* Relaxed: inherited, or being set to 0 by another thread here. */
	if (load_relaxed_u32(&cache->n_apart) != 0)
		forget_all(cache);
	drop_leases(cache, generation);
	/* Acq_rel: a thread that finds no BEGINNING finds the entries as they
	 * are now. */
	swap_if_acq_rel_u64(cache->ownerp, &owner, (uint32_t)owner);
}

/*
 * A vfork child becomes the owner if it comes first in a process that was made
 * without libc. The owner of a vfork child's cache is its parent: any other
 * owner is such a child, which has gone.
 */
static bool take_back(struct fd_cache *cache, uint64_t owner, uint32_t pid)
{
	/* 0: outside this PID namespace. */
	const pid_t parent = raw_getppid();

	/* Acq_rel: of several threads, one replaces the owner; the entries
	 * stay. */
	return parent > 0 && (uint32_t)owner != (uint32_t)parent &&
	       (swap_if_acq_rel_u64(cache->ownerp, &owner, pid) ||
		(uint32_t)owner == pid);
}

bool fd_cache_own(struct fd_cache *cache)
{
	if (cache->ownerp == NULL)
		return false;

	const pid_t result = raw_getpid();
	const uint32_t pid = (uint32_t)result;
	/* Acquire: pairs with the end of begin(), for the entries. */
	uint64_t owner = load_acquire_u64(cache->ownerp);

	if (owner == 0) {
		/* Relaxed: it changes only once there is an owner. */
		const uint64_t first =
			BEGINNING | pid |
			(uint64_t)load_relaxed_u32(&cache->generation)
				<< BEFORE_SHIFT;

		/* Acq_rel: of several threads, one decides about the generation
		 * before. */
		if (swap_if_acq_rel_u64(cache->ownerp, &owner, first))
			owner = first;
	}
	if ((owner & BEGINNING) != 0)
		begin(cache, owner);
	/* Where a filter refuses getpid(), a vfork child is taken for its
	 * parent: of leases that it releases too early, the kernel still has
	 * the ports. Relaxed: a thread sees what it has done itself. */
	return ((uint32_t)owner == pid || result < 0 ||
		take_back(cache, owner, pid)) &&
	       (load_relaxed_u32(&cache->n_apart) == 0 ||
		!fd_cache_is_apart(cache));
}
