/* SPDX-License-Identifier: MIT */
#include "core/fd_cache.h"

#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "base/raw.h"

#define MAX_FDS (1u << 20)	/* the kernel's default fs.nr_open */

union entry {
	uint64_t word;
	struct fd_facts facts;
};

static uint32_t fds_allowed(void)
{
	struct rlimit64 limit;

	if (raw_syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, (long)&limit, 0,
			0) != 0 || limit.rlim_max > MAX_FDS)
		return MAX_FDS;
	return (uint32_t)limit.rlim_max;
}

void fd_cache_open(struct fd_cache *cache)
{
	const uint32_t n_fds = fds_allowed();
	const size_t page = getauxval(AT_PAGESZ);
	char *memory = raw_map_private(page + n_fds * sizeof(atomic_u64));

	if (memory != NULL) {
		/* Before Linux 4.14 a child finds its parent's pid, and gives
		 * nothing back: the sweep is left to find it. */
		raw_madvise(memory, page, MADV_WIPEONFORK);
		/* The first entry would take 2 MiB where huge pages are used
		 * unasked. */
		raw_madvise(memory, page + n_fds * sizeof(atomic_u64),
			    MADV_NOHUGEPAGE);
		cache->ownerp = (atomic_u64 *)memory;
		cache->words = (atomic_u64 *)(memory + page);
		cache->n_fds = n_fds;
	}
}

bool fd_cache_own(struct fd_cache *cache)
{
	if (cache->ownerp == NULL)
		return false;

	const pid_t result = raw_getpid();
	const uint64_t pid = (uint64_t)result;
	uint64_t owner = 0;

	/* Acq_rel: one thread of a new process begins its generation; a second
	 * one may see the old generation, and then keeps a lease too many. */
	if (swap_if_acq_rel_u64(cache->ownerp, &owner, pid)) {
		add_relaxed_u32(&cache->generation, 1);
		return true;
	}
	/* Where a filter refuses getpid(), a vfork child is taken for its parent:
	 * what it gives back too much the kernel still has. */
	return owner == pid || result < 0;
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
	if (facts.known)
		note_used(cache, (uint32_t)fd + 1);
	/* Acq_rel: what was done under the old entry is over, for the one who
	 * gets it and gives its lease back. */
	entry.word = swap_acq_rel_u64(&cache->words[fd],
				      entry.word);
	return entry.facts;
}

bool fd_cache_replace(struct fd_cache *cache, int fd, struct fd_facts old,
		      struct fd_facts facts)
{
	union entry expected = { .facts = old };
	const union entry entry = { .facts = facts };

	/* Acq_rel: as in fd_cache_put(). */
	return (uint32_t)fd < cache->n_fds &&
	       swap_if_acq_rel_u64(&cache->words[fd], &expected.word,
				   entry.word);
}

int fd_cache_find_copy(const struct fd_cache *cache, int fd,
		       const struct fd_facts *facts)
{
	/* Relaxed: an fd entered meanwhile is no copy of this one. */
	const uint32_t n_used = load_relaxed_u32(&cache->n_used);

	for (uint32_t at = 0; at < n_used && at < cache->n_fds; at++) {
		const struct fd_facts other = fd_cache_get(cache, (int)at);

		if ((int)at != fd && other.copied && other.has_port &&
		    other.space == facts->space && other.port == facts->port)
			return (int)at;
	}
	return -1;
}
