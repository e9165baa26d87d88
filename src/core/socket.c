/* SPDX-License-Identifier: MIT */
#include "core/socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/syscall.h>

#include "base/raw.h"
#include "core/space.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

/* ip(7): the upper bound in the high 16 bits, the lower in the low 16. */
int socket_pin(int fd, uint16_t lo, uint16_t hi)
{
	const uint32_t value = (uint32_t)hi << 16 | lo;

	return raw_setsockopt(fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE, &value,
			      sizeof(value));
}

void socket_unpin(int fd)
{
	socket_pin(fd, 0, 0);
}

bool socket_is_pinned(int fd)
{
	int value = 0;

	return raw_get_int_option(fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE,
				  &value) == 0 && value != 0;
}

struct fd_facts socket_facts(int domain, int type, int protocol)
{
	const int space = space_of_socket(domain, type, protocol);

	if (space < 0)
		return (struct fd_facts){ .known = 1 };
	return (struct fd_facts){
		.known = 1,
		.covered = 1,
		.space = (unsigned int)space & 3,
		.ipv6 = domain == AF_INET6,
		.mptcp = protocol == IPPROTO_MPTCP,
		.many = (type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC)) ==
			SOCK_SEQPACKET,
	};
}

bool socket_is_closed(int fd)
{
	struct tcp_info info = { .tcpi_state = 0 };
	socklen_t length = sizeof(info);

	return raw_getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) == 0 &&
	       info.tcpi_state == TCP_CLOSE;
}

int socket_local(int fd, struct endpoint *localp)
{
	union socket_address address;
	socklen_t length = sizeof(address);
	const int result = raw_getsockname(fd, &address.generic, &length);

	if (result < 0)
		return result;
	return endpoint_read(&address.generic, length, localp) ? 0 : -EINVAL;
}

void socket_restore_address(int fd, const struct endpoint *local)
{
	union socket_address address;
	struct endpoint without_port = *local;

	without_port.port = 0;
	raw_bind(fd, &address.generic, endpoint_write(&without_port, &address));
}

int socket_source_of(const struct endpoint *remote, struct endpoint *sourcep)
{
	union socket_address address;
	const socklen_t length = endpoint_write(remote, &address);
	const int fd = raw_socket(remote->family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return fd;

	/* A UDP connect sends nothing: it looks the route up. */
	int result = (int)raw_syscall(SYS_connect, fd, (long)&address.generic,
				      length, 0, 0, 0);

	if (result == 0)
		result = socket_local(fd, sourcep);
	raw_close(fd);
	sourcep->port = 0;
	return result;
}
