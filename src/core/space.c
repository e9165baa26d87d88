/* SPDX-License-Identifier: MIT */
#include "core/space.h"

#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

struct kind {
	int type, protocol;
	enum space space;
};

/* Protocol 0 is the type's own one, socket(2). */
static const struct kind kinds[] = {
	{ SOCK_STREAM, 0, SPACE_TCP },
	{ SOCK_STREAM, IPPROTO_TCP, SPACE_TCP },
	{ SOCK_STREAM, IPPROTO_MPTCP, SPACE_TCP },
	{ SOCK_DGRAM, 0, SPACE_UDP },
	{ SOCK_DGRAM, IPPROTO_UDP, SPACE_UDP },
	{ SOCK_DGRAM, IPPROTO_UDPLITE, SPACE_UDPLITE },
	{ SOCK_STREAM, IPPROTO_SCTP, SPACE_SCTP },
	{ SOCK_SEQPACKET, 0, SPACE_SCTP },
	{ SOCK_SEQPACKET, IPPROTO_SCTP, SPACE_SCTP },
};

int space_of_socket(int domain, int type, int protocol)
{
	int plain_type = type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (domain != AF_INET && domain != AF_INET6)
		return -1;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (kinds[i].type == plain_type &&
		    kinds[i].protocol == protocol)
			return (int)kinds[i].space;
	return -1;
}

const char *space_name(enum space space)
{
	static const char *const names[N_SPACES] = {
		[SPACE_TCP] = "tcp",
		[SPACE_UDP] = "udp",
		[SPACE_UDPLITE] = "udplite",
		[SPACE_SCTP] = "sctp",
	};

	return names[space];
}
