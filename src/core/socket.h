/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What one socket says of itself, and the pin: IP_LOCAL_PORT_RANGE, ip(7),
 * which narrows the kernel's own choice of port for one socket to a range, or
 * to one port. System calls are made directly; errno is not touched.
 */

#include <stdbool.h>
#include <stdint.h>

#include "core/endpoint.h"
#include "core/fd_cache.h"

#ifndef IP_LOCAL_PORT_RANGE
#define IP_LOCAL_PORT_RANGE 51	/* <linux/in.h>, Linux 6.3 */
#endif

/* Sets lo to hi. Returns 0, or -errno: ENOPROTOOPT or EOPNOTSUPP = no such. */
int socket_pin(int fd, uint16_t lo, uint16_t hi);

/* Gives the socket the kernel's whole range again. */
void socket_unpin(int fd);

/* Whether the socket has a range of its own. */
bool socket_is_pinned(int fd);

/* What socket(domain, type, protocol) makes, without a port yet. */
struct fd_facts socket_facts(int domain, int type, int protocol);

/*
 * Whether a stream socket is neither connected nor on its way to be. After a
 * failed connect it still shows a port, though the kernel has taken it back.
 */
bool socket_is_closed(int fd);

/* The local end. Returns 0 (port 0 = none) or -errno. */
int socket_local(int fd, struct endpoint *localp);

/*
 * Gives a socket without a port (IP_BIND_ADDRESS_NO_PORT) its address again,
 * which a bind that failed has taken from it (__inet_bind() in
 * net/ipv4/af_inet.c).
 */
void socket_restore_address(int fd, const struct endpoint *local);

/* The local address (port 0) that the kernel would route from to remote. */
int socket_source_of(const struct endpoint *remote, struct endpoint *sourcep);
