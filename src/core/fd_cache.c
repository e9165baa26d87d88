/* SPDX-License-Identifier: MIT */
#include "core/fd_cache.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "base/raw.h"

#define MAX_FDS (1u << 20)	/* the kernel's default fs.nr_open */

union entry {
	uint64_t word;
	struct fd_facts facts;
};

static uint32_t fds_allowed(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_max > MAX_FDS)
		return MAX_FDS;
	return (uint32_t)limit.rlim_max;
}

void fd_cache_open(struct fd_cache *cache)
{
	const int saved_errno = errno;
	const uint32_t n_fds = fds_allowed();
	const size_t size = (1 + (size_t)n_fds) * sizeof(atomic_u64);
	void *words = mmap(NULL, size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (words != MAP_FAILED) {
		/* Before Linux 4.14 the child keeps the entries; the pid in
		 * word 0 then keeps it from giving back what they hold. */
		(void)!madvise(words, size, MADV_WIPEONFORK);
		cache->words = words;
		cache->n_fds = n_fds;
	}
	errno = saved_errno;
}

/* The process whose entries these are, once it has made the first. */
static void claim(struct fd_cache *cache)
{
	/* Relaxed: the word changes from 0 to this process's pid, once. */
	if (load_relaxed_u64(&cache->words[0]) == 0)
		store_relaxed_u64(&cache->words[0], (uint64_t)raw_getpid());
}

static void note_used(struct fd_cache *cache, uint32_t n_used)
{
	/* Relaxed: the compare-and-swap decides; it only ever grows. */
	uint32_t now = load_relaxed_u32(&cache->n_used);

	/* Acq_rel: the bound is out before the entry, for a scan. */
	while (now < n_used &&
	       !swap_if_acq_rel_u32(&cache->n_used, &now, n_used))
		;
}

struct fd_facts fd_cache_put(struct fd_cache *cache, int fd,
			     struct fd_facts facts)
{
	union entry entry = { .facts = facts };

	if ((uint32_t)fd >= cache->n_fds)
		return (struct fd_facts){ 0 };
	if (facts.known) {
		claim(cache);
		note_used(cache, (uint32_t)fd + 1);
	}
	/* Acq_rel: what was done under the old entry is over, for the one who
	 * gets it and gives its lease back. */
	entry.word = swap_acq_rel_u64(&cache->words[1 + (uint32_t)fd],
				      entry.word);
	return entry.facts;
}

bool fd_cache_is_owner(const struct fd_cache *cache)
{
	/* Relaxed: written once, by this process if it is the owner. */
	return cache->words != NULL &&
	       load_relaxed_u64(&cache->words[0]) == (uint64_t)raw_getpid();
}

bool fd_cache_has_lease(const struct fd_cache *cache,
			const struct fd_facts *facts)
{
	/* Relaxed: an fd entered meanwhile is no copy of one just closed. */
	const uint32_t n_used = load_relaxed_u32(&cache->n_used);

	for (uint32_t fd = 0; fd < n_used && fd < cache->n_fds; fd++) {
		const struct fd_facts other = fd_cache_get(cache, (int)fd);

		if (other.use == facts->use && other.space == facts->space &&
		    other.port == facts->port && other.plane == facts->plane)
			return true;
	}
	return false;
}
