/* SPDX-License-Identifier: MIT */
#include "kernel/protocol.h"

#include <stddef.h>
#include <sys/socket.h>

struct kind {
	int type, ip_protocol;
	enum protocol protocol;
};

/* Protocol 0 is the default protocol of the type, socket(2). */
static const struct kind kinds[] = {
	{ SOCK_STREAM, 0, PROTOCOL_TCP },
	{ SOCK_STREAM, IPPROTO_TCP, PROTOCOL_TCP },
	{ SOCK_STREAM, IPPROTO_MPTCP, PROTOCOL_TCP },
	{ SOCK_DGRAM, 0, PROTOCOL_UDP },
	{ SOCK_DGRAM, IPPROTO_UDP, PROTOCOL_UDP },
	{ SOCK_DGRAM, IPPROTO_UDPLITE, PROTOCOL_UDPLITE },
	{ SOCK_STREAM, IPPROTO_SCTP, PROTOCOL_SCTP },
	{ SOCK_SEQPACKET, 0, PROTOCOL_SCTP },
	{ SOCK_SEQPACKET, IPPROTO_SCTP, PROTOCOL_SCTP },
};

int protocol_of_socket(int domain, int type, int ip_protocol)
{
	int plain_type = type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (domain != AF_INET && domain != AF_INET6)
		return -1;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (kinds[i].type == plain_type &&
		    kinds[i].ip_protocol == ip_protocol)
			return (int)kinds[i].protocol;
	return -1;
}

const char *protocol_name(enum protocol protocol)
{
	static const char *const names[N_PROTOCOLS] = {
		[PROTOCOL_TCP] = "tcp",
		[PROTOCOL_UDP] = "udp",
		[PROTOCOL_UDPLITE] = "udplite",
		[PROTOCOL_SCTP] = "sctp",
	};

	return names[protocol];
}
