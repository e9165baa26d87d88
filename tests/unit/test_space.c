/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "core/space.h"

#define PROTOCOL_MPTCP 262

static void assert_space(int type, int protocol, int space)
{
	cr_assert_eq(space_of_socket(AF_INET, type, protocol), space);
	cr_assert_eq(space_of_socket(AF_INET6, type, protocol), space);
	cr_assert_eq(space_of_socket(AF_INET, type | SOCK_NONBLOCK |
				     SOCK_CLOEXEC, protocol), space);
	cr_assert_eq(space_of_socket(AF_UNIX, type, protocol), -1);
	cr_assert_eq(space_of_socket(AF_NETLINK, type, protocol), -1);
	cr_assert_eq(space_of_socket(AF_VSOCK, type, protocol), -1);
}

Test(space, tcp_and_mptcp_share_their_ports)
{
	assert_space(SOCK_STREAM, 0, SPACE_TCP);
	assert_space(SOCK_STREAM, IPPROTO_TCP, SPACE_TCP);
	assert_space(SOCK_STREAM, PROTOCOL_MPTCP, SPACE_TCP);
}

Test(space, udp_and_udplite_have_their_own_ports)
{
	assert_space(SOCK_DGRAM, 0, SPACE_UDP);
	assert_space(SOCK_DGRAM, IPPROTO_UDP, SPACE_UDP);
	assert_space(SOCK_DGRAM, IPPROTO_UDPLITE, SPACE_UDPLITE);
}

Test(space, sctp_is_one_space_in_both_of_its_styles)
{
	assert_space(SOCK_STREAM, IPPROTO_SCTP, SPACE_SCTP);
	assert_space(SOCK_SEQPACKET, IPPROTO_SCTP, SPACE_SCTP);
	/* The only protocol of this type, so 0 means it. */
	assert_space(SOCK_SEQPACKET, 0, SPACE_SCTP);
}

Test(space, what_has_no_ports_has_no_space)
{
	assert_space(SOCK_RAW, IPPROTO_TCP, -1);
	assert_space(SOCK_RAW, IPPROTO_ICMP, -1);
	assert_space(SOCK_DGRAM, IPPROTO_ICMP, -1);
	assert_space(SOCK_DGRAM, IPPROTO_TCP, -1);
	assert_space(SOCK_STREAM, IPPROTO_UDP, -1);
	assert_space(SOCK_STREAM, -1, -1);
	assert_space(0, 0, -1);
}

Test(space, names_are_those_of_the_protocols)
{
	cr_assert_str_eq(space_name(SPACE_TCP), "tcp");
	cr_assert_str_eq(space_name(SPACE_UDP), "udp");
	cr_assert_str_eq(space_name(SPACE_UDPLITE), "udplite");
	cr_assert_str_eq(space_name(SPACE_SCTP), "sctp");
}
