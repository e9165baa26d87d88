/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the kernel says about one socket, and the pin: IP_LOCAL_PORT_RANGE,
 * ip(7), which narrows the kernel's choice of port for one socket to a range,
 * or to one port. System calls are made directly; errno is not touched.
 */

#include <stdbool.h>
#include <stdint.h>

#include "kernel/endpoint.h"
#include "kernel/protocol.h"

#ifndef IP_LOCAL_PORT_RANGE
#define IP_LOCAL_PORT_RANGE 51 /* <linux/in.h>, Linux 6.3 */
#endif

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24 /* <linux/in.h>, Linux 4.2 */
#endif

/*
 * Sets the range to lo to hi. Returns 0, or -errno: ENOPROTOOPT or EOPNOTSUPP =
 * the kernel has no such option.
 */
int socket_pin(int fd, uint16_t lo, uint16_t hi);

/*
 * Whether the kernel honours a pin: a new UDP socket that is pinned to a port
 * gets this port or none. True where no new socket can be made. Opens a
 * descriptor and closes it again.
 */
bool socket_pin_is_heeded(int family, uint16_t port);

/* Removes the range from the socket: the kernel's own range holds again. */
static inline void socket_unpin(int fd)
{
	socket_pin(fd, 0, 0);
}

/*
 * Who has set the range of a socket. A range of the socket's own port alone is
 * a pin; with MPTCP a range of any one port is, since the socket gets the pin
 * of its first subflow back when this subflow ends.
 */
enum socket_range {
	RANGE_OF_KERNEL, /* no range is set */
	RANGE_OF_BERTH,	 /* a pin that has led to a connection */
	RANGE_OF_PROGRAM,
};

enum socket_range socket_range(int fd, bool mptcp);

/*
 * The same for a range that the caller has read. is_pinned: a range of any one
 * port is a pin.
 */
enum socket_range socket_range_of(int fd, bool is_pinned, uint32_t range);

/*
 * Whether a stream socket is in state CLOSE: it does not listen, is not
 * connected and not connecting. It may show a port that the kernel has taken
 * back.
 */
bool socket_is_closed(int fd);

/*
 * Whether the connection of a TCP socket was closed by its peer, refused or
 * reset, and the socket was not disconnected since: its next connect returns
 * this and makes no connection. True where a filter may forbid the question.
 * False for MPTCP, which does not show it.
 */
bool socket_is_cut_off(int fd);

/*
 * Whether IPV6_V6ONLY cannot be set to the value that the socket shows: for a
 * TCP socket over IPv6 in state CLOSE, whether it holds a port. Changes nothing.
 */
bool socket_refuses_v6only(int fd);

/* The local address. Returns 0 (port 0 = none) or -errno. */
int socket_local(int fd, struct endpoint *localp);

/*
 * Binds to an address and its port; where the port is 0, with
 * IP_BIND_ADDRESS_NO_PORT. Returns 0 or -errno.
 */
int socket_bind(int fd, const struct endpoint *local);

/*
 * Binds to an address alone, with IP_BIND_ADDRESS_NO_PORT: for a socket that
 * has this address, or had it before a bind that failed (__inet_bind() in
 * net/ipv4/af_inet.c), this changes nothing but that it shows port 0. Returns 0
 * or -errno: -EINVAL where the socket holds a port, or may hold one.
 */
int socket_bind_address(int fd, const struct endpoint *local);

/*
 * Takes a port that no other socket can have while the descriptor is open,
 * which the caller closes. Returns the descriptor, or -errno.
 */
int socket_take_port(int family, uint16_t *portp);

/*
 * Whether a new socket of the same kind can be bound to an address: then no
 * socket has this port, whatever SO_REUSEPORT would allow. True where no new
 * socket can be made. Opens a descriptor and closes it again.
 */
bool socket_is_bindable(enum protocol protocol, const struct endpoint *local);

/*
 * The local address (port 0) from which the kernel would route to remote, for a
 * socket that is bound to local, or that is not bound where local is NULL.
 * Returns 0, or -errno where there is no route. Opens a descriptor and closes
 * it again.
 */
int socket_source_of(const struct endpoint *local,
		     const struct endpoint *remote, struct endpoint *sourcep);

/*
 * Whether a socket bound to a port (the caller knows which) would connect to
 * itself: the destination has the same port, and the address from which the
 * kernel would route. One system call, and one more socket for addresses other
 * than 127.0.0.1 and ::1.
 */
bool socket_would_meet_itself(int fd, uint16_t port,
			      const struct endpoint *remote);
