/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "kernel/protocol.h"

#define PROTOCOL_MPTCP 262

static void assert_protocol(int type, int ip_protocol, int protocol)
{
	cr_assert_eq(protocol_of_socket(AF_INET, type, ip_protocol), protocol);
	cr_assert_eq(protocol_of_socket(AF_INET6, type, ip_protocol), protocol);
	cr_assert_eq(protocol_of_socket(AF_INET,
					type | SOCK_NONBLOCK | SOCK_CLOEXEC,
					ip_protocol),
		     protocol);
	cr_assert_eq(protocol_of_socket(AF_UNIX, type, ip_protocol), -1);
	cr_assert_eq(protocol_of_socket(AF_NETLINK, type, ip_protocol), -1);
	cr_assert_eq(protocol_of_socket(AF_VSOCK, type, ip_protocol), -1);
}

Test(protocol, tcp_and_mptcp_share_their_ports)
{
	assert_protocol(SOCK_STREAM, 0, PROTOCOL_TCP);
	assert_protocol(SOCK_STREAM, IPPROTO_TCP, PROTOCOL_TCP);
	assert_protocol(SOCK_STREAM, PROTOCOL_MPTCP, PROTOCOL_TCP);
}

Test(protocol, udp_and_udplite_have_their_own_ports)
{
	assert_protocol(SOCK_DGRAM, 0, PROTOCOL_UDP);
	assert_protocol(SOCK_DGRAM, IPPROTO_UDP, PROTOCOL_UDP);
	assert_protocol(SOCK_DGRAM, IPPROTO_UDPLITE, PROTOCOL_UDPLITE);
}

Test(protocol, sctp_is_one_protocol_in_both_of_its_styles)
{
	assert_protocol(SOCK_STREAM, IPPROTO_SCTP, PROTOCOL_SCTP);
	assert_protocol(SOCK_SEQPACKET, IPPROTO_SCTP, PROTOCOL_SCTP);
	/* The only protocol of this type, so 0 means it. */
	assert_protocol(SOCK_SEQPACKET, 0, PROTOCOL_SCTP);
}

Test(protocol, what_has_no_ports_has_no_protocol)
{
	assert_protocol(SOCK_RAW, IPPROTO_TCP, -1);
	assert_protocol(SOCK_RAW, IPPROTO_ICMP, -1);
	assert_protocol(SOCK_DGRAM, IPPROTO_ICMP, -1);
	assert_protocol(SOCK_DGRAM, IPPROTO_TCP, -1);
	assert_protocol(SOCK_STREAM, IPPROTO_UDP, -1);
	assert_protocol(SOCK_STREAM, -1, -1);
	assert_protocol(0, 0, -1);
}

Test(protocol, names_are_those_of_the_protocols)
{
	cr_assert_str_eq(protocol_name(PROTOCOL_TCP), "tcp");
	cr_assert_str_eq(protocol_name(PROTOCOL_UDP), "udp");
	cr_assert_str_eq(protocol_name(PROTOCOL_UDPLITE), "udplite");
	cr_assert_str_eq(protocol_name(PROTOCOL_SCTP), "sctp");
}
