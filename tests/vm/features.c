/* SPDX-License-Identifier: MIT */
/*
 * features NAME=yes|no...: what this kernel has, as TAP.
 *
 * Each NAME has to be one of the table below; a test on another kernel proves
 * that it is on the one that it means.
 */
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "../tap.h"

#ifndef IP_LOCAL_PORT_RANGE
#define IP_LOCAL_PORT_RANGE 51
#endif
#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif
#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

static bool has_socket(int type, int protocol)
{
	const int fd = socket(AF_INET, type, protocol);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static bool has_mptcp(void)
{
	return has_socket(SOCK_STREAM, IPPROTO_MPTCP);
}

static bool has_udplite(void)
{
	return has_socket(SOCK_DGRAM, IPPROTO_UDPLITE);
}

static bool has_sctp(void)
{
	return has_socket(SOCK_STREAM, IPPROTO_SCTP);
}

static bool has_port_range(void)
{
	const uint32_t range = 40001u << 16 | 40000;
	const int fd = socket(AF_INET, SOCK_STREAM, 0);
	const int result = setsockopt(fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE,
				      &range, sizeof(range));

	close(fd);
	return result == 0;
}

static bool has_netns_cookie(void)
{
	uint64_t cookie = 0;
	socklen_t length = sizeof(cookie);
	const int fd = socket(AF_INET, SOCK_DGRAM, 0);
	const int result = getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie,
				      &length);

	close(fd);
	return result == 0 && cookie != 0;
}

/* Whether sock_diag lists the TCP socket of this port, in whatever state. */
static bool is_listed(uint16_t port)
{
	struct {
		struct nlmsghdr header;
		struct inet_diag_req_v2 diag;
	} request = {
		.header = {
			.nlmsg_len = sizeof(request),
			.nlmsg_type = SOCK_DIAG_BY_FAMILY,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
		},
		.diag = {
			.sdiag_family = AF_INET,
			.sdiag_protocol = IPPROTO_TCP,
			.idiag_states = UINT32_MAX,
		},
	};
	/* One answer holds the few sockets of this machine. */
	char answer[16384] __attribute__((aligned(16)));
	const int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG);
	bool found = false;

	send(fd, &request, sizeof(request), 0);

	ssize_t size = recv(fd, answer, sizeof(answer), 0);
	const struct nlmsghdr *header = (const void *)answer;

	for (; NLMSG_OK(header, size); header = NLMSG_NEXT(header, size)) {
		const struct inet_diag_msg *message = NLMSG_DATA(header);

		found = found || (header->nlmsg_type == SOCK_DIAG_BY_FAMILY &&
				  message->id.idiag_sport == port);
	}
	close(fd);
	return found;
}

static bool lists_bound(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t length = sizeof(address);
	const int fd = socket(AF_INET, SOCK_STREAM, 0);

	bind(fd, (struct sockaddr *)&address, sizeof(address));
	getsockname(fd, (struct sockaddr *)&address, &length);

	const bool listed = is_listed(address.sin_port);

	close(fd);
	return listed;
}

static const struct {
	const char *name;
	bool (*probe)(void);
} features[] = {
	{ "IP_LOCAL_PORT_RANGE", has_port_range },
	{ "MPTCP", has_mptcp },
	{ "UDPLITE", has_udplite },
	{ "SCTP", has_sctp },
	{ "SO_NETNS_COOKIE", has_netns_cookie },
	{ "BOUND_LISTED", lists_bound },
};

#define N_FEATURES (int)(sizeof(features) / sizeof(features[0]))

int main(int argc, char **argv)
{
	struct utsname system;
	struct tap tap = { 0 };

	uname(&system);
	printf("# Linux %s\n", system.release);
	for (int i = 0; i < N_FEATURES; i++) {
		const char *wanted = "not said";
		const size_t length = strlen(features[i].name);

		for (int at = 1; at < argc; at++)
			if (strncmp(argv[at], features[i].name, length) == 0 &&
			    argv[at][length] == '=')
				wanted = argv[at] + length + 1;

		const bool has = features[i].probe();

		tap_ok(&tap, strcmp(wanted, has ? "yes" : "no") == 0,
		       "this kernel has %s%s", has ? "" : "no ",
		       features[i].name);
	}
	return tap_end(&tap);
}
