/* SPDX-License-Identifier: MIT */
#include "cli/sockets.h"

#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sockets_here.h"

static struct sockets sockets;

static void assert_holder(const struct holder *holder, pid_t pid,
			  enum socket_state state)
{
	cr_assert_eq(holder->pid, pid);
	cr_assert_eq(holder->state, state, "%s",
		     socket_state_name(holder->state));
}

static void assert_only_holder(enum protocol protocol, uint16_t port, pid_t pid,
			       enum socket_state state)
{
	size_t n;
	const struct holder *holder = sockets_holders(&sockets, protocol, port,
						      &n);

	cr_assert_eq(n, 1);
	assert_holder(holder, pid, state);
}

Test(sockets, tell_what_a_process_does_with_a_port)
{
	uint16_t server, client, bound, udp;
	const struct holder *holders;
	size_t n;

	open_bound(SOCK_STREAM, 1, &server);
	open_connected(SOCK_STREAM, server, &client);
	open_bound(SOCK_DGRAM, 0, &bound);
	open_connected(SOCK_DGRAM, bound, &udp);
	cr_assert_eq(sockets_open(&sockets), 0);
	assert_only_holder(PROTOCOL_TCP, client, getpid(), SOCKET_CONNECTED);
	assert_only_holder(PROTOCOL_UDP, bound, getpid(), SOCKET_BOUND);
	assert_only_holder(PROTOCOL_UDP, udp, getpid(), SOCKET_CONNECTED);
	/* The connection that nobody has accepted yet has the same port. */
	holders = sockets_holders(&sockets, PROTOCOL_TCP, server, &n);
	cr_assert_eq(n, 2);
	assert_holder(&holders[0], 0, SOCKET_ORPHAN);
	assert_holder(&holders[1], getpid(), SOCKET_LISTEN);
	cr_assert(port_set_has(&sockets.listening[PROTOCOL_TCP], server));
	cr_assert_not(port_set_has(&sockets.listening[PROTOCOL_TCP], client));
	sockets_holders(&sockets, PROTOCOL_SCTP, server, &n);
	cr_assert_eq(n, 0);
	sockets_close(&sockets);
}

/* In this order they stand. */
static uint64_t key(const struct holder *holder)
{
	return (uint64_t)holder->protocol << 56 | (uint64_t)holder->port << 40 |
	       (uint64_t)holder->pid << 8 | holder->state;
}

Test(sockets, have_a_holder_for_each_process)
{
	uint16_t port;
	size_t n;
	const int fd = open_bound(SOCK_STREAM, 1, &port);
	pid_t child;

	dup(fd);
	child = fork();
	if (child == 0) {
		pause();
		_exit(0);
	}
	cr_assert_eq(sockets_open(&sockets), 0);

	const struct holder *holders = sockets_holders(&sockets, PROTOCOL_TCP,
						       port, &n);
	const bool is_first = holders[0].pid == getpid();

	cr_assert_eq(n, 2);
	assert_holder(&holders[is_first ? 0 : 1], getpid(), SOCKET_LISTEN);
	assert_holder(&holders[is_first ? 1 : 0], child, SOCKET_LISTEN);
	for (size_t i = 1; i < sockets.n_items; i++)
		cr_assert_gt(key(&sockets.items[i]),
			     key(&sockets.items[i - 1]));
	sockets_close(&sockets);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

Test(sockets, that_nobody_has_are_orphans)
{
	uint16_t server, client, ignored;
	const int fd = open_bound(SOCK_STREAM, 1, &server);
	int accepted, connected;

	connected = open_connected(SOCK_STREAM, server, &client);
	accepted = accept(fd, NULL, NULL);
	cr_assert_geq(accepted, 0);
	/* Who closes first is left in TIME_WAIT, or on its way to it. */
	close(connected);
	close(accepted);
	open_bound(SOCK_STREAM, 0, &ignored);
	cr_assert_eq(sockets_open(&sockets), 0);
	assert_only_holder(PROTOCOL_TCP, client, 0, SOCKET_ORPHAN);
	sockets_close(&sockets);
}

Test(sockets, have_names_for_their_states)
{
	cr_assert_str_eq(socket_state_name(SOCKET_LISTEN), "listen");
	cr_assert_str_eq(socket_state_name(SOCKET_CONNECTED), "connected");
	cr_assert_str_eq(socket_state_name(SOCKET_BOUND), "bound");
	cr_assert_str_eq(socket_state_name(SOCKET_ORPHAN), "orphan");
}
