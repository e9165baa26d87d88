/* SPDX-License-Identifier: MIT */
#include "kernel/self_connect.h"

#include <stddef.h>

#include "kernel/endpoint.h"
#include "kernel/socket.h"

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

bool self_connect_is(int fd, uint16_t port, const struct endpoint *remote)
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
