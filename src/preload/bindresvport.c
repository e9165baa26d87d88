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
	struct policy policy;
	enum protocol protocol;
	bool is_narrowed; /* the policy's range has some of these ports */
	int fd;
};

/* Where the policy's range has some of these ports, it alone counts. */
static bool is_narrowed(const struct port_set *range)
{
	uint32_t lo, hi;

	return port_set_next_run(range, LOWEST, &lo, &hi) && lo <= HIGHEST;
}

static void begin(struct reserving *reserving, int fd)
{
	struct process *process = hook_process();
	struct fd_facts facts;

	*reserving = (struct reserving){ .fd = fd };
	if (process == NULL || !hook_covers(process, fd, &facts))
		return;
	process_policy(process, &reserving->policy);
	reserving->protocol = (enum protocol)facts.protocol;
	if (!policy_observes(&reserving->policy))
		reserving->is_narrowed = is_narrowed(
			reserving->policy
				.ranges[facts.protocol][ROLE_OF_LISTEN]);
}

static bool may_take(const struct reserving *reserving, uint16_t port)
{
	const struct policy *policy = &reserving->policy;

	if (policy_observes(policy))
		return true;
	if (reserving->is_narrowed)
		return port_set_has(
			policy->ranges[reserving->protocol][ROLE_OF_LISTEN],
			port);
	return !policy_has(policy->avoided[reserving->protocol], port);
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

/* With NULL, the wildcard address of the socket's own family (libtirpc). */
HOOK int bindresvport_sa(int fd, struct sockaddr *address)
{
	union socket_address copy;
	socklen_t length = sizeof(copy);
	int result = 0;

	if (address == NULL) {
		/* libtirpc makes this call, so it counts as the program's. */
		result = (int)raw_program_call(SYS_getsockname, fd,
					       (long)&copy.generic,
					       (long)&length, 0, 0, 0);
		if (result < 0)
			return (int)next_result(result);
	}

	const int family = address != NULL ? address->sa_family
					   : copy.generic.sa_family;

	length = endpoint_size(family);
	if (length == 0)
		return (int)next_result(-EPFNOSUPPORT);
	if (address == NULL)
		endpoint_wildcard(family, 0, &copy);
	else
		memcpy(&copy, address, length);
	/* A port that the caller names is used as it is (libtirpc). */
	result = endpoint_port(&copy) != 0
			 ? bind_hooked(fd, &copy.generic, length, false)
			 : bind_reserved_port(fd, &copy, length);
	/* The port that was tried, even if it was refused (libtirpc). */
	if (address != NULL)
		endpoint_set_port(address, endpoint_port(&copy));
	return (int)next_result(result);
}

/*
 * In libtirpc this is its bindresvport_sa(). That of glibc supports IPv4 only,
 * and chooses the port whatever the address contains.
 */
HOOK int bindresvport(int fd, struct sockaddr_in *address)
{
	union socket_address copy;
	int result;

	if (next.bindresvport_sa != NULL)
		return bindresvport_sa(fd, (struct sockaddr *)address);
	if (address != NULL && address->sin_family != AF_INET)
		return (int)next_result(-EPFNOSUPPORT);
	endpoint_wildcard(AF_INET, 0, &copy);
	if (address != NULL)
		memcpy(&copy, address, sizeof(*address));
	result = bind_reserved_port(fd, &copy, sizeof(*address));
	if (address != NULL)
		endpoint_set_port(address, endpoint_port(&copy));
	return (int)next_result(result);
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
