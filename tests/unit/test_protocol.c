/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "kernel/protocol.h"

#define PROTOCOL_MPTCP 262

/* The type and the protocol of a socket, and what has its ports; -1: none. */
static const int cases[][3] = {
	{ SOCK_STREAM, 0, PROTOCOL_TCP },
	{ SOCK_STREAM, IPPROTO_TCP, PROTOCOL_TCP },
	{ SOCK_STREAM, PROTOCOL_MPTCP, PROTOCOL_TCP },
	{ SOCK_DGRAM, 0, PROTOCOL_UDP },
	{ SOCK_DGRAM, IPPROTO_UDP, PROTOCOL_UDP },
	{ SOCK_DGRAM, IPPROTO_UDPLITE, PROTOCOL_UDPLITE },
	{ SOCK_STREAM, IPPROTO_SCTP, PROTOCOL_SCTP },
	{ SOCK_SEQPACKET, IPPROTO_SCTP, PROTOCOL_SCTP },
	/* The only protocol of this type, so 0 means it. */
	{ SOCK_SEQPACKET, 0, PROTOCOL_SCTP },
	{ SOCK_RAW, IPPROTO_TCP, -1 },
	{ SOCK_RAW, IPPROTO_ICMP, -1 },
	{ SOCK_DGRAM, IPPROTO_ICMP, -1 },
	{ SOCK_DGRAM, IPPROTO_TCP, -1 },
	{ SOCK_STREAM, IPPROTO_UDP, -1 },
	{ SOCK_STREAM, -1, -1 },
	{ 0, 0, -1 },
};

static void assert_protocol(int family, int type, int ip_protocol, int protocol)
{
	cr_expect_eq(protocol_of_socket(family, type, ip_protocol), protocol,
		     "family %d, type %d, %d", family, type, ip_protocol);
}

Test(protocol, a_socket_has_the_ports_of_its_type_and_protocol)
{
	static const int other_families[] = { AF_UNIX, AF_NETLINK, AF_VSOCK };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const int type = cases[i][0], ip_protocol = cases[i][1];

		assert_protocol(AF_INET, type, ip_protocol, cases[i][2]);
		assert_protocol(AF_INET6, type, ip_protocol, cases[i][2]);
		assert_protocol(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC,
				ip_protocol, cases[i][2]);
		for (int j = 0; j < 3; j++)
			assert_protocol(other_families[j], type, ip_protocol,
					-1);
	}
}

Test(protocol, names_are_those_of_the_protocols)
{
	cr_assert_str_eq(protocol_name(PROTOCOL_TCP), "tcp");
	cr_assert_str_eq(protocol_name(PROTOCOL_UDP), "udp");
	cr_assert_str_eq(protocol_name(PROTOCOL_UDPLITE), "udplite");
	cr_assert_str_eq(protocol_name(PROTOCOL_SCTP), "sctp");
}
