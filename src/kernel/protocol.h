/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The protocols: within each, a port number means one thing.
 * MPTCP shares the ports of TCP, UDP-Lite and SCTP have their own (RFC 6335,
 * and net/ipv4/{inet_hashtables,udp,udplite}.c).
 */

enum protocol {
	PROTOCOL_TCP,
	PROTOCOL_UDP,
	PROTOCOL_UDPLITE,
	PROTOCOL_SCTP,
	N_PROTOCOLS,
};

/*
 * The protocol of what socket(domain, type, protocol) makes; flags such as
 * SOCK_NONBLOCK in type are masked. Returns -1 for anything that has no ports
 * or that Berth does not assign (raw, unix, netlink, vsock, ping, ...).
 */
int protocol_of_socket(int domain, int type, int ip_protocol);

/* "tcp", "udp", "udplite", "sctp". */
const char *protocol_name(enum protocol protocol);
