/* SPDX-License-Identifier: MIT */
#include "preload/bind.h"

#include <netinet/in.h>
#include <string.h>

#include "core/assign.h"
#include "core/endpoint.h"
#include "preload/hook.h"
#include "preload/next.h"

static int program_bind(int fd, const struct sockaddr *address,
			socklen_t length)
{
	const int saved_errno = errno;

	return (int)hook_plain_result(next.bind(fd, address, length),
				      saved_errno);
}

/*
 * AF_UNSPEC with INADDR_ANY is AF_INET to an IPv4 socket: "compatibility games"
 * of __inet_bind() in net/ipv4/af_inet.c.
 */
static bool read_unspecified(const struct sockaddr *address, socklen_t length,
			     struct endpoint *endpointp)
{
	struct sockaddr_in in;

	if (address == NULL || length < sizeof(in) ||
	    length > sizeof(struct sockaddr_storage) ||
	    hook_family(address, length) != AF_UNSPEC)
		return false;
	memcpy(&in, address, sizeof(in));
	*endpointp = (struct endpoint){ .port = ntohs(in.sin_port),
					.family = AF_INET };
	return in.sin_addr.s_addr == INADDR_ANY;
}

static bool read_address(const struct fd_facts *facts,
			 const struct sockaddr *address, socklen_t length,
			 struct endpoint *endpointp)
{
	return endpoint_read(address, length, endpointp) ||
	       (!facts->ipv6 && read_unspecified(address, length, endpointp));
}

static int bind_covered(struct process *process, int fd, struct fd_facts *facts,
			const struct sockaddr *address, socklen_t length)
{
	struct endpoint local;

	if (length > sizeof(struct sockaddr_storage) ||
	    !hook_may_read(process, fd, facts, address, length))
		return program_bind(fd, address, length);
	if (!read_address(facts, address, length, &local) || facts->has_port)
		return program_bind(fd, address, length);
	if (process_refuses(process))
		return -EACCES;
	if (local.port == 0)
		return assign_bind(process, fd, facts, address, length,
				   program_bind);

	const int result = program_bind(fd, address, length);

	if (result == 0)
		assign_record(process, fd, facts);
	return result;
}

int bind_hooked(int fd, const struct sockaddr *address, socklen_t length)
{
	struct process *process = hook_process();
	struct fd_facts facts;

	if (process == NULL || !hook_covers_surely(process, fd, &facts))
		return program_bind(fd, address, length);
	return bind_covered(process, fd, &facts, address, length);
}

HOOK int bind(int fd, const struct sockaddr *address, socklen_t length)
{
	return (int)hook_result(bind_hooked(fd, address, length));
}
