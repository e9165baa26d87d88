/* SPDX-License-Identifier: MIT */
#include "process/descriptors.h"

#include <fcntl.h>
#include <linux/stat.h>
#include <sys/syscall.h>

#include "base/clock.h"
#include "base/raw.h"
#include "kernel/socket.h"

static void give_back(struct process *process, const struct fd_facts *facts)
{
	if (process->map.memory == NULL ||
	    !fd_cache_holds(&process->cache, facts))
		return;

	const struct lease lease = {
		.protocol = (enum protocol)facts->protocol,
		.use = (enum use)facts->use,
		.port = facts->port,
		.plane = facts->plane,
	};

	ledger_release(&process->map, &lease,
		       facts->rests ? clock_now_ms() : 0);
}

/* Gives a lease to one descriptor, if it is of the same socket. */
static bool hand_to(struct fd_cache *cache, int fd,
		    const struct fd_facts *facts)
{
	struct fd_facts now = fd_cache_get(cache, fd);
	struct fd_facts next;

	do {
		if (now.copies != facts->copies || now.use != USE_FREE ||
		    !facts_same_port(&now, facts))
			return false;
		next = fd_facts_with_lease(now, facts);
	} while (!fd_cache_replace(cache, fd, &now, next));
	return true;
}

/* Whether another descriptor of the socket has the lease now. */
static bool hand_on(struct fd_cache *cache, const struct fd_facts *facts)
{
	int at = facts->copies != 0
			 ? fd_cache_next_copy(cache, 0, facts->copies)
			 : -1;

	while (at >= 0 && !hand_to(cache, at, facts))
		at = fd_cache_next_copy(cache, (uint32_t)at + 1, facts->copies);
	return at >= 0;
}

void process_release(struct process *process, const struct fd_facts *facts)
{
	if (fd_cache_holds(&process->cache, facts) &&
	    !hand_on(&process->cache, facts))
		give_back(process, facts);
}

void process_note_lease(struct process *process, const struct lease *lease,
			struct fd_facts *factsp)
{
	fd_cache_begin(&process->cache);
	factsp->has_port = 1;
	factsp->port = lease->port;
	factsp->use = lease->use & 3;
	factsp->plane = lease->plane & 255;
	/* Relaxed: written by this process only. */
	factsp->generation = load_relaxed_u32(&process->cache.generation) & 3;
}

void process_forget(struct process *process, unsigned int first,
		    unsigned int last)
{
	struct fd_cache *cache = &process->cache;

	if (!fd_cache_own(cache))
		return;
	for (int fd = fd_cache_next(cache, first, last); fd >= 0;
	     fd = fd_cache_next(cache, (uint32_t)fd + 1, last)) {
		const struct fd_facts facts = fd_cache_take(cache, fd);

		process_release(process, &facts);
	}
}

static bool same_lease(const struct fd_facts *a, const struct fd_facts *b)
{
	return a->use == b->use && a->protocol == b->protocol &&
	       a->port == b->port && a->plane == b->plane;
}

void process_invalidate(struct process *process, int fd)
{
	struct fd_facts now = fd_cache_get(&process->cache, fd);
	struct fd_facts next;

	/* Each further turn is caused by another thread's call. */
	do {
		if (!now.known || now.ask_again)
			return;
		next = now;
		next.ask_again = 1;
	} while (!fd_cache_replace(&process->cache, fd, &now, next));
}

/* --- sockets that other processes have too -------------------------------- */

void process_share(struct process *process)
{
	/* Relaxed: a process that passes a socket on orders its stores
	 * before. */
	store_relaxed_u32(&process->shares, 1);
}

void process_tell_others(struct process *process)
{
	/* Relaxed: as above. */
	if (load_relaxed_u32(&process->shares) != 0 &&
	    process->map.memory != NULL)
		/* Release: the loss has happened before a process reads the
		 * number. */
		add_release_u32(&process->map.memory->turn.n_lost, 1);
}

void process_catch_up(struct process *process)
{
	struct fd_cache *cache = &process->cache;
	/* Acquire: whatever is queried from now on is queried after the
	 * loss. */
	const uint32_t n_lost =
		load_acquire_u32(&process->map.memory->turn.n_lost);

	for (int fd = fd_cache_next(cache, 0, MAX_FDS); fd >= 0;
	     fd = fd_cache_next(cache, (uint32_t)fd + 1, MAX_FDS)) {
		const struct fd_facts facts = fd_cache_get(cache, fd);

		if (facts.has_port && facts.protocol != PROTOCOL_TCP)
			process_invalidate(process, fd);
	}
	/* A thread that has no entries does not touch those of the others.
	 * Release: all are invalidated before any thread reads the number. */
	if (!fd_cache_is_apart(cache))
		store_release_u32(&process->n_lost, n_lost);
}

/*
 * Enters the facts of one descriptor of a socket for another descriptor of it.
 * This one keeps its lease if it has none of another port.
 */
static void tell_copy(struct process *process, int fd,
		      const struct fd_facts *facts)
{
	struct fd_facts now = fd_cache_get(&process->cache, fd);
	struct fd_facts next;
	bool keeps;

	do {
		if (now.copies != facts->copies)
			return;
		keeps = facts->use == USE_FREE && facts_same_port(facts, &now);
		next = keeps ? fd_facts_with_lease(*facts, &now)
			     : fd_facts_without_lease(*facts);
		next.ask_again = now.ask_again;
	} while (!fd_cache_replace(&process->cache, fd, &now, next));
	if (!keeps && !same_lease(&now, facts))
		give_back(process, &now);
}

static void tell_copies(struct process *process, int fd,
			const struct fd_facts *facts)
{
	const struct fd_cache *cache = &process->cache;

	for (int at = fd_cache_next_copy(cache, 0, facts->copies); at >= 0;
	     at = fd_cache_next_copy(cache, (uint32_t)at + 1, facts->copies))
		if (at != fd)
			tell_copy(process, at, facts);
}

bool process_set(struct process *process, int fd, struct fd_facts facts)
{
	struct fd_cache *cache = &process->cache;

	fd_cache_begin(cache);
	if (facts.known && !fd_cache_has_place(cache, fd))
		return false;

	const struct fd_facts now = fd_cache_get(cache, fd);

	/* The parent of a vfork child still holds the lease that the child
	 * would replace. */
	if ((now.copies != 0 ||
	     (now.use != USE_FREE && !same_lease(&now, &facts))) &&
	    !fd_cache_own(cache)) {
		process_invalidate(process, fd);
		return false;
	}

	const struct fd_facts old = fd_cache_put(cache, fd, facts);

	if (facts.copies != 0 && facts.copies == old.copies) {
		tell_copies(process, fd, &facts);
		if (!same_lease(&old, &facts))
			give_back(process, &old);
	} else if (!same_lease(&old, &facts)) {
		process_release(process, &old);
	}
	return true;
}

bool process_withdraw(struct process *process, int fd, struct fd_facts entered,
		      struct fd_facts facts)
{
	if (!fd_cache_replace(&process->cache, fd, &entered, facts))
		return false;
	if (facts.copies != 0)
		tell_copies(process, fd, &facts);
	return true;
}

/* Gives a socket a number when it gets a second descriptor. */
static void number_copies(struct fd_cache *cache, int fd,
			  struct fd_facts *factsp)
{
	const uint32_t copies = factsp->covered && factsp->copies == 0
					? fd_cache_new_copies(cache)
					: 0;

	while (copies != 0 && factsp->covered && factsp->copies == 0) {
		struct fd_facts numbered = *factsp;

		numbered.copies = copies & 0x1ffff;
		if (fd_cache_replace(cache, fd, factsp, numbered))
			*factsp = numbered;
	}
}

void process_copy(struct process *process, int fd, int copy)
{
	struct fd_cache *cache = &process->cache;
	struct fd_facts facts = fd_cache_get(cache, fd);

	if (!facts.known && !fd_cache_get(cache, copy).known)
		return;
	/* In a vfork child, descriptors are not those of the cache. */
	if (!fd_cache_own(cache)) {
		process_invalidate(process, copy);
		return;
	}
	/* The number had another socket before, or another descriptor of this
	 * one. */
	if (facts.known && !fd_cache_has_place(cache, copy))
		return;
	number_copies(cache, fd, &facts);

	const struct fd_facts old = fd_cache_put(cache, copy,
						 fd_facts_without_lease(facts));

	process_release(process, &old);
}

void process_drop_port(struct process *process, int fd, struct fd_facts *factsp)
{
	/* A range that a child process has set is not removed. */
	if (factsp->unlocked && socket_range(fd, true) == RANGE_OF_BERTH)
		socket_unpin(fd);
	factsp->has_port = 0;
	factsp->unlocked = 0;
	factsp->engaged = 0;
	factsp->use = USE_FREE;
	process_set(process, fd, *factsp);
}

/* False where it is not known, without /proc. */
static bool has_one_thread(void)
{
	struct statx status = { .stx_nlink = 0 };
	const long result = raw_call(SYS_statx, AT_FDCWD, "/proc/self/task", 0,
				     STATX_NLINK, &status);

	/* proc_task_getattr() in fs/proc/base.c counts a link for each
	 * thread. */
	return result == 0 && status.stx_nlink == 3;
}

void process_part(struct process *process)
{
	if (fd_cache_own(&process->cache) && !has_one_thread())
		fd_cache_set_apart(&process->cache);
}
