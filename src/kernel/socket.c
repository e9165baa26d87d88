/* SPDX-License-Identifier: MIT */
#include "kernel/socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/syscall.h>

#include "base/filter.h"
#include "base/raw.h"
#include "kernel/protocol.h"

/* ip(7): the upper bound in the high 16 bits, the lower in the low 16. */
int socket_pin(int fd, uint16_t lo, uint16_t hi)
{
	const uint32_t value = (uint32_t)hi << 16 | lo;

	return raw_setsockopt(fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE, &value,
			      sizeof(value));
}

bool socket_pin_is_heeded(int family, uint16_t port)
{
	const int fd = raw_socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct endpoint local = { .family = (uint16_t)family };
	bool is_heeded;

	if (fd < 0)
		return true;
	is_heeded = socket_pin(fd, port, port) == 0 &&
		    (socket_bind(fd, &local) < 0 ||
		     socket_local(fd, &local) < 0 || local.port == port);
	raw_close(fd);
	return is_heeded;
}

enum socket_range socket_range_of(int fd, bool is_pinned, uint32_t range)
{
	const uint16_t port = (uint16_t)range;
	struct endpoint local = { .port = 0 };

	if (range == 0)
		return RANGE_OF_KERNEL;
	if (range >> 16 != port)
		return RANGE_OF_PROGRAM;
	if (is_pinned)
		return RANGE_OF_BERTH;
	socket_local(fd, &local);
	return local.port == port ? RANGE_OF_BERTH : RANGE_OF_PROGRAM;
}

enum socket_range socket_range(int fd, bool mptcp)
{
	int value = 0;

	raw_get_int_option(fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE, &value);
	return socket_range_of(fd, mptcp, (uint32_t)value);
}

/*
 * Where a filter forbids TCP_INFO: poll() gives POLLHUP for state CLOSE, and
 * for a connection that is shut down in both directions (tcp_poll() in
 * net/ipv4/tcp.c), to which no port is assigned either.
 */
static bool hangs_up(int fd)
{
	const int events = raw_poll(fd, 0);

	return events > 0 && (events & POLLHUP) != 0;
}

bool socket_is_closed(int fd)
{
	struct tcp_info info = { .tcpi_state = 0 };
	socklen_t length = sizeof(info);
	const int result = raw_getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info,
					  &length);

	return result < 0 ? hangs_up(fd) : info.tcpi_state == TCP_CLOSE;
}

/*
 * tcp_done() in net/ipv4/tcp.c sets SHUTDOWN_MASK, and tcp_disconnect() clears
 * it.
 */
bool socket_is_cut_off(int fd)
{
	const int events = filter_is_inherited() ? -ENOSYS
						 : raw_poll(fd, POLLRDHUP);

	return events < 0 || (events & POLLRDHUP) != 0;
}

/* do_ipv6_setsockopt() in net/ipv6/ipv6_sockglue.c. */
bool socket_refuses_v6only(int fd)
{
	int value;

	return raw_get_int_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, &value) < 0 ||
	       raw_set_int_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, value) != 0;
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

int socket_bind(int fd, const struct endpoint *local)
{
	union socket_address address;

	return raw_bind(fd, &address.generic, endpoint_write(local, &address));
}

int socket_bind_address(int fd, const struct endpoint *local)
{
	struct endpoint without_port = *local;
	int value, result;

	if (raw_get_int_option(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT,
			       &value) < 0 ||
	    (value == 0 && raw_set_int_option(fd, IPPROTO_IP,
					      IP_BIND_ADDRESS_NO_PORT, 1) < 0))
		return -EINVAL;
	without_port.port = 0;
	result = socket_bind(fd, &without_port);
	if (value == 0)
		raw_set_int_option(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 0);
	return result;
}

int socket_take_port(int family, uint16_t *portp)
{
	struct endpoint local = { .family = (uint16_t)family };
	const int fd = raw_socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int result;

	if (fd < 0)
		return fd;
	result = socket_bind(fd, &local);
	if (result == 0)
		result = socket_local(fd, &local);
	if (result == 0) {
		*portp = local.port;
		return fd;
	}
	raw_close(fd);
	return result;
}

bool socket_is_bindable(enum protocol protocol, const struct endpoint *local)
{
	const int fd = raw_socket(local->family, SOCK_DGRAM | SOCK_CLOEXEC,
				  protocol == PROTOCOL_UDPLITE ? IPPROTO_UDPLITE
							       : 0);

	if (fd < 0)
		return true;

	const bool is_bindable = socket_bind(fd, local) != -EADDRINUSE;

	raw_close(fd);
	return is_bindable;
}

int socket_source_of(const struct endpoint *local,
		     const struct endpoint *remote, struct endpoint *sourcep)
{
	union socket_address address;
	const socklen_t length = endpoint_write(remote, &address);
	const int fd = raw_socket(remote->family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int result = 0;

	if (fd < 0)
		return fd;
	if (local != NULL)
		result = socket_bind(fd, local);
	/* A UDP connect sends no packet: it only looks up the route. */
	if (result == 0)
		result = (int)raw_call(SYS_connect, fd, &address.generic,
				       length);
	if (result == 0)
		result = socket_local(fd, sourcep);
	raw_close(fd);
	sourcep->port = 0;
	return result;
}

/*
 * To connect to the wildcard address is to connect to the socket's own address
 * for IPv4 (ip_route_output_key_hash() in net/ipv4/route.c), and to loopback
 * for IPv6 (tcp_v6_connect() in net/ipv6/tcp_ipv6.c).
 */
static bool is_own_wildcard(const struct endpoint *local,
			    const struct endpoint *remote)
{
	if (endpoint_is_wildcard(local))
		return true;
	return endpoint_is_ipv4(remote) ? endpoint_is_ipv4(local)
					: endpoint_is_loopback(local);
}

/*
 * Who connects to 127.0.0.1 or ::1 has the same source address: no route is
 * looked up.
 */
static bool is_first_loopback(const struct endpoint *remote)
{
	const uint8_t *address = remote->address;

	return endpoint_is_loopback(remote) && address[13] == 0 &&
	       address[14] == 0 && address[15] == 1;
}

bool socket_would_meet_itself(int fd, uint16_t port,
			      const struct endpoint *remote)
{
	struct endpoint local = { .family = remote->family }, source;

	/* If the kernel does not show the address, it is taken for the
	 * wildcard. */
	if (socket_local(fd, &local) < 0)
		local.port = port;
	if (local.port != remote->port)
		return false;
	/* A socket with an IPv4 address, mapped, cannot reach an IPv6
	 * address. */
	if (endpoint_is_ipv4(&local) && !endpoint_is_ipv4(remote))
		return false;
	if (endpoint_is_wildcard(remote))
		return is_own_wildcard(&local, remote);
	if (!endpoint_is_wildcard(&local))
		return endpoint_same_address(&local, remote);
	if (is_first_loopback(remote))
		return true;
	return socket_source_of(NULL, remote, &source) == 0 &&
	       endpoint_same_address(&source, remote);
}
