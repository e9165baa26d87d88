/* SPDX-License-Identifier: MIT */
#include "process/fd_cache.h"

#include <sys/auxv.h>
#include <sys/mman.h>

#include "base/raw.h"

#define COPIES_MASK ((1u << 17) - 1)
#define MAX_COPIES_TRIED 64

/*
 * The owner: its pid, and while its generation is only being begun, BEGINNING
 * and the generation before it, modulo 2^31.
 */
#define BEGINNING (UINT64_C(1) << 63)
#define BEFORE_SHIFT 32
#define GENERATION_MASK 0x7fffffffu

_Static_assert(N_PLANES_TCP <= 1u << 8 && N_PLANES_UDP <= 1u << 8 &&
	       N_PLANES_SCTP <= 1u << 8, "a plane fits its field");

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
	/* Where it is not made, a filter was there before, see raw.h: then
	 * fd_cache_forked() tells the children that libc makes. Any other finds
	 * its parent's pid, and gives nothing back: that is left to the sweep. */
	raw_madvise(owner, page, MADV_WIPEONFORK);
	cache->ownerp = owner;
	/* Now, since the program may forbid itself mmap() later. */
	(void)fd_cache_has_place(cache, 0);
}

void fd_cache_forked(struct fd_cache *cache)
{
	if (cache->ownerp != NULL)
		/* Relaxed: as by a wipe, before the child's first thread goes on. */
		store_relaxed_u64(cache->ownerp, 0);
}

/* --- the entries --------------------------------------------------------------- */

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
		? chunk_of(cache, (uint32_t)fd) : NULL;

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
		 * who comes second finds the other's. */
		if (!swap_if_acq_rel_pointer(
			    &cache->chunks[(uint32_t)fd / FD_CHUNK_LENGTH],
			    &expected, chunk))
			raw_unmap(chunk, sizeof(*chunk));
	}
	return word_of(cache, fd) != NULL;
}

/* Makes a bound at least so high. */
static void raise_bound(atomic_u32 *boundp, uint32_t bound)
{
	/* Relaxed: the compare-and-swap decides; it only ever grows. */
	uint32_t now = load_relaxed_u32(boundp);

	/* Acq_rel: the bound is out before an entry below it, for a scan. */
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
	/* Acq_rel: what was done under the old entry is over, for the one who
	 * gets it and gives its lease back. */
	entry.word = swap_acq_rel_u64(wordp, entry.word);
	return entry.facts;
}

bool fd_cache_replace(struct fd_cache *cache, int fd, struct fd_facts old,
		      struct fd_facts facts)
{
	union entry expected = { .facts = old };
	const union entry entry = { .facts = facts };
	atomic_u64 *wordp = word_of(cache, fd);

	/* Acq_rel: as in fd_cache_put(). */
	return wordp != NULL && swap_if_acq_rel_u64(wordp, &expected.word,
						    entry.word);
}

bool fd_cache_remove(struct fd_cache *cache, int fd, struct fd_facts *factsp)
{
	/* Each turn more is one that another descriptor's close has caused. */
	while (!fd_cache_replace(cache, fd, *factsp, (struct fd_facts){ 0 })) {
		const struct fd_facts now = fd_cache_get(cache, fd);

		if (!now.known || now.copies == 0 ||
		    now.copies != factsp->copies)
			return false;
		*factsp = now;
	}
	return true;
}

int fd_cache_next(const struct fd_cache *cache, uint32_t fd, uint32_t last)
{
	/* Relaxed: an fd entered meanwhile is not looked for. */
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
		/* Relaxed: gives each caller a number of its own. */
		const uint32_t copies = (add_relaxed_u32(
			&cache->last_copies, 1) + 1) & COPIES_MASK;

		if (copies != 0 && fd_cache_next_copy(cache, 0, copies) < 0)
			return copies;
	}
	return 0;
}

/* --- whose they are ------------------------------------------------------------ */

bool fd_cache_is_apart(const struct fd_cache *cache)
{
	/* Relaxed: a thread sees what it has done itself. */
	const uint32_t n_apart = load_relaxed_u32(&cache->n_apart);
	const pid_t tid = raw_gettid();

	for (uint32_t i = 0; i < n_apart && i < MAX_APART; i++)
		/* Relaxed: as above. */
		if (load_relaxed_u32(&cache->apart[i]) == (uint32_t)tid)
			return true;
	/* Where a filter refuses gettid(), every thread may be one. */
	if (tid < 0)
		return true;
	/* A new child may have the descriptors of such a thread. Relaxed: it is
	 * written in begin(), by this process alone. */
	return n_apart > MAX_APART ||
	       (n_apart != 0 && load_relaxed_u64(cache->ownerp) == 0);
}

void fd_cache_set_apart(struct fd_cache *cache)
{
	const uint32_t tid = (uint32_t)raw_gettid();
	uint32_t i = 0;

	for (; i < MAX_APART; i++) {
		uint32_t found = 0;

		/* Acq_rel: of two threads each gets a place. */
		if (swap_if_acq_rel_u32(&cache->apart[i], &found, tid) ||
		    found == tid)
			break;
	}
	raise_bound(&cache->n_apart, i + 1);
}

static bool is_now(const struct fd_cache *cache, uint32_t generation)
{
	/* Acquire: pairs with the release in begin(), for one who goes on in a
	 * child that a signal handler has forked. */
	return load_acquire_u32(&cache->generation) == generation;
}

/* Takes the leases of other generations out of the entries. */
static void drop_leases(struct fd_cache *cache, uint32_t generation)
{
	int fd = fd_cache_next(cache, 0, MAX_FDS);

	while (fd >= 0 && is_now(cache, generation)) {
		const struct fd_facts facts = fd_cache_get(cache, fd);

		if (facts.use == USE_FREE ||
		    facts.generation == (generation & 3) ||
		    fd_cache_replace(cache, fd, facts,
				     fd_facts_without_lease(facts)))
			fd = fd_cache_next(cache, (uint32_t)fd + 1, MAX_FDS);
	}
}

/*
 * A parent had threads with tables of their own, and who knows which of its
 * threads has forked: nothing is known of the child's descriptors.
 */
static void forget_all(struct fd_cache *cache)
{
	/* Relaxed: both are written by this process alone, and to the same. */
	const uint32_t n_used = load_relaxed_u32(&cache->n_used);

	for (uint32_t fd = 0; fd < n_used; fd++)
		if (load_relaxed_u32(&cache->n_apart) != 0 &&
		    chunk_of(cache, fd) != NULL)
			/* Relaxed: a word by itself. */
			store_relaxed_u64(&chunk_of(cache, fd)->words[
				fd % FD_CHUNK_LENGTH], 0);
	for (uint32_t i = 0; i < MAX_APART; i++)
		/* Relaxed: no thread of this process is in it. */
		store_relaxed_u32(&cache->apart[i], 0);
	/* Release: the entries are gone before any is read again. */
	store_release_u32(&cache->n_apart, 0);
}

/*
 * Begins a generation, or helps who has begun it and may have been interrupted.
 * All steps may be taken several times.
 */
static void begin(struct fd_cache *cache, uint64_t owner)
{
	uint32_t before = owner >> BEFORE_SHIFT & GENERATION_MASK;
	const uint32_t generation = (before + 1) & GENERATION_MASK;

	/* Acq_rel: an entry of this generation is no earlier than this. */
	swap_if_acq_rel_u32(&cache->generation, &before, generation);
	/* Relaxed: inherited, or being made 0 by another helper. */
	if (load_relaxed_u32(&cache->n_apart) != 0)
		forget_all(cache);
	drop_leases(cache, generation);
	/* Acq_rel: who finds no BEGINNING finds the entries as they are now. */
	swap_if_acq_rel_u64(cache->ownerp, &owner, (uint32_t)owner);
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
		const uint64_t first = BEGINNING | pid |
			(uint64_t)load_relaxed_u32(&cache->generation)
				<< BEFORE_SHIFT;

		/* Acq_rel: one thread's view of the generation before counts. */
		if (swap_if_acq_rel_u64(cache->ownerp, &owner, first))
			owner = first;
	}
	if ((owner & BEGINNING) != 0)
		begin(cache, owner);
	/* Where a filter refuses getpid(), a vfork child is taken for its parent:
	 * what it gives back too much the kernel still has. Relaxed: a thread
	 * sees what it has done itself. */
	return ((uint32_t)owner == pid || result < 0) &&
	       (load_relaxed_u32(&cache->n_apart) == 0 ||
		!fd_cache_is_apart(cache));
}
