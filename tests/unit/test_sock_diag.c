/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernel/socket.h"
#include "kernel/socket_table.h"
#include "sockets_here.h"

/* Where other processes change the table, /proc may show a socket twice, or not.
 * Without privileges the test has to live with that. */
static void leave_others(void)
{
	struct ifreq loopback = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd;

	if (unshare(CLONE_NEWNET) < 0)
		return;
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	cr_assert_eq(ioctl(fd, SIOCSIFFLAGS, &loopback), 0);
	close(fd);
}

TestSuite(sock_diag, .init = leave_others);

/* What a listing shows of one socket, found by its inode. */
struct search {
	uint64_t inode;
	int n;
	struct kernel_socket socket;
};

static bool look(const struct kernel_socket *socket, void *context)
{
	struct search *search = context;

	if (socket->inode == search->inode) {
		search->n++;
		search->socket = *socket;
	}
	return true;
}

typedef int (*lister)(enum protocol protocol, uint16_t port,
		      kernel_socket_visit visit, void *context);

static const lister listers[] = { sock_diag_list, proc_net_list,
				  socket_table_list };
#define N_LISTERS (sizeof(listers) / sizeof(*listers))

static int bound(int family, int type, int protocol)
{
	union socket_address address;
	const socklen_t length = endpoint_wildcard(family, 0, &address);
	const int fd = socket(family, type, protocol);

	if (fd >= 0)
		cr_assert_eq(bind(fd, &address.generic, length), 0);
	return fd;
}

static struct search search_for(int fd)
{
	struct stat status;

	cr_assert_eq(fstat(fd, &status), 0);
	return (struct search){ .inode = status.st_ino };
}

static void expect_listed(enum protocol protocol, int fd)
{
	struct endpoint local;

	cr_assert_eq(socket_local(fd, &local), 0);
	for (size_t i = 0; i < N_LISTERS; i++) {
		struct search search = search_for(fd);

		cr_assert_eq(listers[i](protocol, ANY_PORT, look, &search), 0);
		cr_assert_eq(search.n, 1, "lister %zu", i);
		cr_expect_eq(search.socket.local.port, local.port);
		cr_expect_eq(search.socket.protocol, protocol);
		cr_expect_eq(search.socket.uid, geteuid());
		cr_expect(endpoint_same_address(&search.socket.local, &local));
		search = search_for(fd);
		cr_assert_eq(listers[i](protocol, local.port, look, &search),
			     0);
		cr_expect_eq(search.n, 1, "lister %zu, by port", i);
	}

	struct search search = search_for(fd);

	cr_assert_eq(sock_diag_list(protocol, local.port ^ 1u, look, &search),
		     0);
	cr_expect_eq(search.n, 0, "of another port");
}

Test(sock_diag, every_source_lists_listeners_of_both_families)
{
	const int families[] = { AF_INET, AF_INET6 };

	for (int i = 0; i < 2; i++) {
		const int fd = bound(families[i], SOCK_STREAM, 0);

		cr_assert_eq(listen(fd, 1), 0);
		expect_listed(PROTOCOL_TCP, fd);
	}
}

Test(sock_diag, every_source_lists_datagram_sockets_of_both_families)
{
	expect_listed(PROTOCOL_UDP, bound(AF_INET, SOCK_DGRAM, 0));
	expect_listed(PROTOCOL_UDP, bound(AF_INET6, SOCK_DGRAM, 0));
}

Test(sock_diag, every_source_lists_udp_lite)
{
	const int fd = bound(AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE);

	if (fd < 0)
		cr_skip_test("the kernel has no UDP-Lite");
	expect_listed(PROTOCOL_UDPLITE, fd);
}

/* A connection to a listener of this process, both ends. */
static int connect_pair(struct endpoint *localp, struct endpoint *remotep,
			int *listenerp)
{
	uint16_t server, client;
	int fd;

	*listenerp = open_bound(SOCK_STREAM, 1, &server);
	fd = open_connected(SOCK_STREAM, server, &client);
	cr_assert_eq(socket_local(fd, localp), 0);
	cr_assert_eq(socket_local(*listenerp, remotep), 0);
	return fd;
}

Test(sock_diag, every_source_lists_both_ends_of_a_connection)
{
	struct endpoint local, remote;
	int listener, fd = connect_pair(&local, &remote, &listener);

	for (size_t i = 0; i < N_LISTERS; i++) {
		struct search search = search_for(fd);

		cr_assert_eq(listers[i](PROTOCOL_TCP, ANY_PORT, look, &search),
			     0);
		cr_assert_eq(search.n, 1);
		cr_expect_eq(search.socket.remote.port, remote.port);
		cr_expect(
			endpoint_same_address(&search.socket.remote, &remote));
		cr_expect_eq(search.socket.state, TCP_ESTABLISHED);
	}
}

Test(sock_diag, exactly_these_two_ends_are_known_or_not)
{
	struct endpoint local, remote;
	int listener;

	connect_pair(&local, &remote, &listener);
	cr_expect_eq(sock_diag_has_tcp(&local, &remote), 1);

	struct endpoint other = local;

	other.port ^= 1;
	cr_expect_eq(sock_diag_has_tcp(&other, &remote), 0);
	other = remote;
	other.port = 1;
	/* The listener has the local end, but no connection from port 1. */
	cr_expect_eq(sock_diag_has_tcp(&remote, &other), 0);
}

Test(sock_diag, time_wait_counts_as_known)
{
	struct endpoint local, remote;
	int listener, fd = connect_pair(&local, &remote, &listener);
	const int accepted = accept(listener, NULL, NULL);

	cr_assert_geq(accepted, 0);
	/* The first to close goes to TIME_WAIT. */
	close(fd);
	close(accepted);
	cr_expect_eq(sock_diag_has_tcp(&local, &remote), 1);
}

Test(sock_diag, what_the_kernel_lacks_is_not_taken_for_empty)
{
	struct search search = search_for(socket(AF_INET, SOCK_STREAM, 0));
	/* To ask for it may load it. */
	const int listed = sock_diag_list(PROTOCOL_SCTP, ANY_PORT, look,
					  &search);
	const bool exists = access("/proc/net/sctp", F_OK) == 0;

	if (exists) {
		cr_expect_eq(proc_net_list(PROTOCOL_SCTP, ANY_PORT, look,
					   &search),
			     -EOPNOTSUPP);
		cr_expect_eq(socket_table_list(PROTOCOL_SCTP, ANY_PORT, look,
					       &search),
			     listed == -ENOENT ? -EOPNOTSUPP : listed);
		return;
	}
	for (size_t i = 0; i < N_LISTERS; i++)
		cr_expect_eq(listers[i](PROTOCOL_SCTP, ANY_PORT, look, &search),
			     -ENOENT);
}

static bool stop(const struct kernel_socket *socket, void *context)
{
	(void)socket;
	++*(int *)context;
	return false;
}

Test(sock_diag, a_visitor_may_end_a_listing)
{
	bound(AF_INET, SOCK_DGRAM, 0);
	bound(AF_INET, SOCK_DGRAM, 0);
	for (size_t i = 0; i < N_LISTERS; i++) {
		int n = 0;

		cr_expect_eq(listers[i](PROTOCOL_UDP, ANY_PORT, stop, &n), 0);
		cr_expect_eq(n, 1);
	}
}
