/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The protocol spaces: within each, a port number means one thing.
 * MPTCP shares the ports of TCP, UDP-Lite and SCTP have their own (RFC 6335,
 * and net/ipv4/{inet_hashtables,udp,udplite}.c).
 */

enum space {
	SPACE_TCP,
	SPACE_UDP,
	SPACE_UDPLITE,
	SPACE_SCTP,
	N_SPACES,
};

/*
 * The space of what socket(domain, type, protocol) makes; flags such as
 * SOCK_NONBLOCK in type are masked. Returns -1 for anything that has no ports
 * or that Berth does not assign (raw, unix, netlink, vsock, ping, ...).
 */
int space_of_socket(int domain, int type, int protocol);

/* "tcp", "udp", "udplite", "sctp". */
const char *space_name(enum space space);
