/* SPDX-License-Identifier: MIT */

/*
 * bindresvport(3), rresvport(3) and their relatives call bind by a name that
 * libc hides, so this file replaces them. They use the ports that libc uses
 * (sunrpc/bindrsvprt.c and inet/rcmd.c of glibc: 600 to 1023, then 512 to 599;
 * and 1023 down to 512), but none that is reserved, and where the policy's
 * range has some of these ports, only those.
 */

#include <netdb.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>

#include "base/raw.h"
#include "kernel/endpoint.h"
#include "preload/hook.h"
#include "preload/next.h"

#define LOWEST 512u
#define USUAL 600u
#define HIGHEST 1023u

int bindresvport_sa(int fd, struct sockaddr *address);

/* The ports that one call may take, and where to bind. */
struct reserving {
	const struct port_set *only;	/* NULL: all but those avoided */
	const struct port_set *avoided; /* NULL: none */
	int fd;
};

/* Not inlined: the policy is not on the stack while a port is bound. */
__attribute__((noinline)) static void begin(struct reserving *reserving, int fd)
{
	struct process *process = hook_process();
	struct fd_facts facts;
	struct policy policy;
	const struct port_set *range;
	uint32_t lo, hi;

	*reserving = (struct reserving){ .fd = fd };
	if (process == NULL || !hook_covers(process, fd, &facts))
		return;
	process_policy(process, &policy);
	if (policy_observes(&policy))
		return;
	reserving->avoided = policy.avoided[facts.protocol];
	/* Where the policy's range has some of these ports, it alone counts. */
	range = policy.ranges[facts.protocol][ROLE_OF_LISTEN];
	if (port_set_next_run(range, LOWEST, &lo, &hi) && lo <= HIGHEST)
		reserving->only = range;
}

static bool may_take(const struct reserving *reserving, uint16_t port)
{
	return reserving->only != NULL ? port_set_has(reserving->only, port)
				       : !policy_has(reserving->avoided, port);
}

/* Binds to the first port of n from lo on, beginning at start. */
static int bind_within(const struct reserving *reserving,
		       union socket_address *address, socklen_t length,
		       uint32_t lo, uint32_t n, uint32_t start)
{
	for (uint32_t step = 0; step < n; step++) {
		const uint16_t port = (uint16_t)(lo + (start + step) % n);

		if (!may_take(reserving, port))
			continue;
		endpoint_with_port(&address->generic, length, port, address);

		const int result = bind_hooked(reserving->fd, &address->generic,
					       length, true);

		if (result != -EADDRINUSE)
			return result;
	}
	return -EADDRINUSE;
}

static atomic_u32 n_calls;

static int bind_reserved_port(int fd, union socket_address *address,
			      socklen_t length)
{
	/* Relaxed: only a place to start from. glibc advances by one too. */
	const uint32_t start = (uint32_t)raw_getpid() +
			       add_relaxed_u32(&n_calls, 1);
	struct reserving reserving;
	int result;

	begin(&reserving, fd);
	result = bind_within(&reserving, address, length, USUAL,
			     HIGHEST - USUAL + 1, start);
	if (result == -EADDRINUSE)
		result = bind_within(&reserving, address, length, LOWEST,
				     USUAL - LOWEST, start);
	return result;
}

/*
 * Binds to an address, or with NULL to the family's wildcard address. A port that
 * the caller names is used as it is (libtirpc), unless always_chooses.
 */
static int bind_family(int fd, struct sockaddr *address, int family,
		       bool always_chooses)
{
	const socklen_t length = endpoint_size(family);
	union socket_address copy;
	int result;

	if (length == 0)
		return (int)next_result(-EPFNOSUPPORT);
	endpoint_wildcard(family, 0, &copy);
	if (address != NULL)
		memcpy(&copy, address, length);
	result = endpoint_port(&copy) != 0 && !always_chooses
			 ? bind_hooked(fd, &copy.generic, length, false)
			 : bind_reserved_port(fd, &copy, length);
	/* The port that was tried, even if it was refused (libtirpc). */
	if (address != NULL)
		endpoint_set_port(address, endpoint_port(&copy));
	return (int)next_result(result);
}

/* With NULL, the family is the socket's own (libtirpc). */
HOOK int bindresvport_sa(int fd, struct sockaddr *address)
{
	union socket_address own;
	socklen_t length = sizeof(own);
	long result;

	if (address != NULL)
		return bind_family(fd, address, address->sa_family, false);
	/* libtirpc makes this call, so it counts as the program's. */
	result = raw_program_call(SYS_getsockname, fd, (long)&own.generic,
				  (long)&length, 0, 0, 0);
	if (result < 0)
		return (int)next_result(result);
	return bind_family(fd, NULL, own.generic.sa_family, false);
}

/*
 * In libtirpc this is its bindresvport_sa(). That of glibc supports IPv4 only,
 * and chooses the port whatever the address contains.
 */
HOOK int bindresvport(int fd, struct sockaddr_in *address)
{
	if (next.bindresvport_sa != NULL)
		return bindresvport_sa(fd, (struct sockaddr *)address);
	if (address != NULL && address->sin_family != AF_INET)
		return (int)next_result(-EPFNOSUPPORT);
	return bind_family(fd, (struct sockaddr *)address, AF_INET, true);
}

/*
 * Binds downwards from *portp, and from 1023 again below 512. *portp is the
 * port that was tried last.
 */
static int bind_downwards(int fd, int family, int *portp)
{
	const int start = *portp;
	struct reserving reserving;

	begin(&reserving, fd);
	do {
		union socket_address address;
		const uint16_t port = (uint16_t)*portp;
		const socklen_t length = endpoint_wildcard(family, port,
							   &address);
		const int result = may_take(&reserving, port)
					   ? bind_hooked(fd, &address.generic,
							 length, true)
					   : -EADDRINUSE;

		if (result != -EADDRINUSE)
			return result;
		if ((*portp)-- == (int)LOWEST)
			*portp = (int)HIGHEST;
	} while (*portp != start);
	return -EAGAIN;
}

HOOK int rresvport_af(int *portp, sa_family_t family)
{
	if (endpoint_size(family) == 0)
		return (int)next_result(-EAFNOSUPPORT);

	const int fd = next.socket(family, SOCK_STREAM, 0);

	if (fd < 0)
		return -1;
	if (*portp < (int)LOWEST)
		*portp = (int)LOWEST;
	else if (*portp > (int)HIGHEST)
		*portp = (int)HIGHEST;

	const int result = bind_downwards(fd, family, portp);

	if (result == 0)
		return fd;
	next.close(fd);
	return (int)next_result(result);
}

HOOK int rresvport(int *portp)
{
	return rresvport_af(portp, AF_INET);
}
