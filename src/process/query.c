/* SPDX-License-Identifier: MIT */
#include "process/query.h"

#include <errno.h>
#include <sys/syscall.h>

#include "base/raw.h"
#include "base/raw_file.h"
#include "kernel/endpoint.h"
#include "kernel/socket.h"
#include "map/event.h"
#include "process/descriptors.h"

#ifndef SO_COOKIE
#define SO_COOKIE 57 /* <asm-generic/socket.h>, Linux 4.12 */
#endif

/* Entries with the same port that are compared with an unknown socket. */
#define MAX_ASKED 64

/* 0 where a filter forbids to ask. */
static uint64_t cookie_of(int fd)
{
	uint64_t cookie = 0;
	socklen_t length = sizeof(cookie);

	return raw_getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &length) == 0
		       ? cookie
		       : 0;
}

/* A socket that is open has its inode to itself; 0 as above. */
static uint64_t inode_of(int fd)
{
	struct file_status status;

	return raw_file_status(fd, &status) == 0 ? status.inode : 0;
}

/*
 * False where a filter forbids both questions: the copies are then handled
 * separately.
 */
static bool is_same_socket(int fd, int other)
{
	const uint64_t cookie = cookie_of(fd);
	const uint64_t inode = cookie == 0 ? inode_of(fd) : 0;

	return cookie != 0 ? cookie_of(other) == cookie
			   : inode != 0 && inode_of(other) == inode;
}

/* Whether a descriptor is still one of those that share a number. */
static bool is_copy(const struct process *process, int fd, uint32_t copies)
{
	const struct fd_cache *cache = &process->cache;
	int other = copies != 0 ? fd_cache_next_copy(cache, 0, copies) : -1;

	if (other == fd)
		other = fd_cache_next_copy(cache, (uint32_t)fd + 1, copies);
	return other >= 0 && is_same_socket(fd, other);
}

static bool is_alike(const struct fd_facts *facts, const struct fd_facts *other)
{
	return other->covered && !other->ask_again &&
	       other->protocol == facts->protocol &&
	       other->has_port == facts->has_port && other->port == facts->port;
}

/*
 * A descriptor that has no entry shares the facts of another one of its socket:
 * the program may have copied, inherited or received both before Berth knew the
 * socket.
 */
static void join_copies(struct process *process, int fd,
			struct fd_facts *factsp)
{
	const struct fd_cache *cache = &process->cache;
	int n_asked = 0;

	for (int at = fd_cache_next(cache, 0, MAX_FDS);
	     at >= 0 && n_asked < MAX_ASKED;
	     at = fd_cache_next(cache, (uint32_t)at + 1, MAX_FDS)) {
		struct fd_facts other = fd_cache_get(cache, at);

		if (at == fd || !is_alike(factsp, &other))
			continue;
		n_asked++;
		if (!is_same_socket(fd, at))
			continue;
		process_copy(process, at, fd);
		other = fd_cache_get(cache, fd);
		/* Not in a vfork child. */
		if (other.known)
			*factsp = other;
		return;
	}
}

int process_tell_unknown(struct process *process, int result)
{
	struct policy policy;

	/* No socket, or no descriptor: no port can be assigned. */
	if (result == -EBADF || result == -ENOTSOCK)
		return result;
	process_policy(process, &policy);
	event_count(&process->map, raw_is_filtered(result)
					   ? COUNTER_FILTERED
					   : COUNTER_PIN_IGNORED);
	report_line(&process->reporter, &policy,
		    (const char *const[]){
			    "cannot query a socket (", process_reason(-result),
			    "): the kernel chooses its port", NULL });
	return result;
}

int process_query(struct process *process, int fd, struct fd_facts *factsp)
{
	const struct fd_facts old = fd_cache_get(&process->cache, fd);
	enum socket_range range = RANGE_OF_KERNEL;
	struct endpoint local = { .port = 0 };
	int result = facts_query(fd, factsp);

	if (result == 0 && factsp->covered)
		result = socket_local(fd, &local);
	/* Where a filter forbids to ask, the cache is used. */
	if (raw_is_filtered(result) && old.known) {
		*factsp = old;
		return 0;
	}
	if (result < 0)
		return process_tell_unknown(process, result);
	if (!old.known && factsp->covered && factsp->protocol != PROTOCOL_TCP)
		process_share(process);
	if (factsp->covered) {
		factsp->has_port = local.port != 0;
		/* MPTCP goes on to show the address of a connect that has
		 * ended. */
		factsp->has_address = !endpoint_is_wildcard(&local) &&
				      !(factsp->mptcp && local.port != 0);
		factsp->port = local.port;
		/* Whether the program has named the port, and the socket's
		 * history, are unknown. */
		factsp->unlocked = factsp->has_port;
		factsp->engaged = factsp->has_port;
		range = socket_range(fd, factsp->mptcp);
	}
	if (facts_same_port(&old, factsp))
		*factsp = old;
	else if (is_copy(process, fd, old.copies))
		factsp->copies = old.copies;
	else if (!old.known && factsp->covered)
		join_copies(process, fd, factsp);
	factsp->own_range = range == RANGE_OF_PROGRAM ||
			    (old.own_range && range != RANGE_OF_KERNEL);
	factsp->pinned = range == RANGE_OF_BERTH && !factsp->own_range;
	factsp->ask_again = 0;
	process_set(process, fd, *factsp);
	return 0;
}

int process_facts(struct process *process, int fd, struct fd_facts *factsp)
{
	*factsp = fd_cache_get(&process->cache, fd);
	return factsp->known && !factsp->ask_again
		       ? 0
		       : process_query(process, fd, factsp);
}
