/* SPDX-License-Identifier: MIT */
#pragma once

/* The kinds of sockets that a sequence makes. */

#include <stdint.h>
#include <sys/socket.h>

struct socket_kind {
	const char *text;
	int domain, type, protocol;
};

static inline const struct socket_kind *socket_kind(uint32_t draw)
{
	static const struct socket_kind kinds[] = {
		{ "TCP over IPv4", AF_INET, SOCK_STREAM, 0 },
		{ "UDP over IPv4", AF_INET, SOCK_DGRAM, 0 },
		{ "TCP over IPv6", AF_INET6, SOCK_STREAM, 0 },
		{ "UDP over IPv6", AF_INET6, SOCK_DGRAM, 0 },
		{ "MPTCP over IPv4", AF_INET, SOCK_STREAM, 262 },
		{ "MPTCP over IPv6", AF_INET6, SOCK_STREAM, 262 },
		{ "UDP-Lite over IPv4", AF_INET, SOCK_DGRAM, 136 },
		{ "UDP-Lite over IPv6", AF_INET6, SOCK_DGRAM, 136 },
	};

	return &kinds[draw % (sizeof(kinds) / sizeof(kinds[0]))];
}
