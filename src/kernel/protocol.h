/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The protocols: each has a set of 65,535 ports of its own. MPTCP shares the
 * ports of TCP; UDP-Lite and SCTP have their own (RFC 6335, and
 * net/ipv4/{inet_hashtables,udp,udplite}.c).
 */

#include <netinet/in.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

enum protocol {
	PROTOCOL_TCP,
	PROTOCOL_UDP,
	PROTOCOL_UDPLITE,
	PROTOCOL_SCTP,
	N_PROTOCOLS,
};

/*
 * The protocol of the socket that socket(domain, type, protocol) makes; flags
 * in type, such as SOCK_NONBLOCK, are ignored. Returns -1 for a socket that has
 * no ports or to which Berth does not assign ports (raw, unix, netlink, vsock,
 * ping, ...).
 */
int protocol_of_socket(int domain, int type, int ip_protocol);

/* "tcp", "udp", "udplite", "sctp". */
const char *protocol_name(enum protocol protocol);
