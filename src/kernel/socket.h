/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What one socket says of itself, and the pin: IP_LOCAL_PORT_RANGE, ip(7),
 * which narrows the kernel's own choice of port for one socket to a range, or
 * to one port. System calls are made directly; errno is not touched.
 */

#include <stdbool.h>
#include <stdint.h>

#include "kernel/endpoint.h"
#include "kernel/protocol.h"

#ifndef IP_LOCAL_PORT_RANGE
#define IP_LOCAL_PORT_RANGE 51	/* <linux/in.h>, Linux 6.3 */
#endif

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24	/* <linux/in.h>, Linux 4.2 */
#endif

/* Sets lo to hi. Returns 0, or -errno: ENOPROTOOPT or EOPNOTSUPP = no such. */
int socket_pin(int fd, uint16_t lo, uint16_t hi);

/*
 * Whether the kernel heeds a pin: a new UDP socket that is pinned to a port gets
 * that port or none. True where there can be no new socket. Opens a descriptor
 * and closes it again.
 */
bool socket_pin_is_heeded(int family, uint16_t port);

/* Gives the socket the kernel's whole range again. */
void socket_unpin(int fd);

/*
 * Whose the range is that a socket has. That of its own port alone is a pin's; with
 * MPTCP that of any one port is, since the socket takes the pin of its first subflow
 * over again when that ends.
 */
enum socket_range {
	RANGE_OF_KERNEL,	/* it has none */
	RANGE_OF_BERTH,		/* a pin that has led to a connection */
	RANGE_OF_PROGRAM,
};

enum socket_range socket_range(int fd, bool mptcp);

/* The same of a range that was read. is_pinned: that of any one port is a pin's. */
enum socket_range socket_range_of(int fd, bool is_pinned, uint32_t range);

/*
 * Whether a stream socket is in state CLOSE: it does not listen, and is neither
 * connected nor on its way to be. It may show a port that the kernel has taken
 * back: see socket_holds_port().
 */
bool socket_is_closed(int fd);

/*
 * Whether a TCP socket was closed by the other end, refused or reset, and not
 * disconnected since: its next connect is told so and makes none. True where a
 * filter may forbid to ask. Not for MPTCP, which does not show it.
 */
bool socket_is_cut_off(int fd);

/*
 * Whether a stream socket that shows a port still holds it. A port that the
 * program has not named itself goes when the socket comes back to state CLOSE
 * (tcp_set_state() in net/ipv4/tcp.c), and getsockname() goes on to show it.
 * Where the kernel does not let the two be told apart, the answer is true. Up
 * to six system calls, which change nothing but this: an IPv4 socket that has
 * lost its port shows port 0 afterwards.
 */
bool socket_holds_port(int fd, bool ipv6);

/* The local end. Returns 0 (port 0 = none) or -errno. */
int socket_local(int fd, struct endpoint *localp);

/*
 * Gives a socket without a port its address again, which a bind that failed has
 * taken from it (__inet_bind() in net/ipv4/af_inet.c). A wildcard address needs
 * nothing.
 */
void socket_restore_address(int fd, const struct endpoint *local);

/*
 * Binds to an address, with its port, or with IP_BIND_ADDRESS_NO_PORT on where
 * the port is 0. Returns 0 or -errno.
 */
int socket_bind(int fd, const struct endpoint *local);

/*
 * Takes a port that nobody else can have while the descriptor is open, which is
 * the caller's to close. Returns the descriptor, or -errno.
 */
int socket_take_port(int family, uint16_t *portp);

/*
 * Whether a new socket of the same kind can be bound to an address: nobody has
 * it then, whatever SO_REUSEPORT would allow. True where there can be no new
 * socket. Opens a descriptor and closes it again.
 */
bool socket_is_bindable(enum protocol protocol, const struct endpoint *local);

/*
 * The local address (port 0) that the kernel would route from to remote, for a
 * socket that is bound to local, or to nothing where that is NULL. Returns 0, or
 * why there is no route, -errno. Opens a descriptor and closes it again.
 */
int socket_source_of(const struct endpoint *local,
		     const struct endpoint *remote, struct endpoint *sourcep);
