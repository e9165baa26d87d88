/* SPDX-License-Identifier: MIT */
/*
 * SCTP sockets look the same with and without Berth: bind, listen, connect, a
 * first send, and libsctp's sctp_bindx() and sctp_connectx(). Edge case 33.
 */
#include "sctp_kinds.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define OPEN_PORT 5500
#define CLOSED_PORT 5501
#define FREE_PORT 5502	/* and the next few */

#define NAMED(text) "%s " text, kind->name

static void bind_and_listen(const struct kind *kind)
{
	int fd = open_kind(kind);

	REPORT(fd, bind_to(fd, any_of(kind, 0)), NAMED("bind any"));
	REPORT(fd, bind_to(fd, any_of(kind, 0)), NAMED("bind again"));
	REPORT(fd, listen(fd, 5), NAMED("listen bound"));
	close(fd);
	fd = open_kind(kind);
	REPORT(fd, bind_to(fd, loopback_of(kind, 0)), NAMED("bind loopback"));
	close(fd);
	fd = open_kind(kind);
	set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	REPORT(fd, bind_to(fd, any_of(kind, 0)), NAMED("bind, reusing"));
	close(fd);
	fd = open_kind(kind);
	set_int(fd, SOL_IP, 24 /* IP_BIND_ADDRESS_NO_PORT */, 1);
	REPORT(fd, bind_to(fd, loopback_of(kind, 0)), NAMED("bind, no port"));
	close(fd);
	fd = open_kind(kind);
	REPORT(fd, bind_to(fd, loopback_of(kind, FREE_PORT)),
	       NAMED("bind to a number"));
	close(fd);
	fd = open_kind(kind);
	REPORT(fd, listen(fd, 0), NAMED("listen 0"));
	REPORT(fd, listen(fd, -1), NAMED("listen -1"));
	REPORT(fd, listen(fd, 5), NAMED("listen again"));
	REPORT(fd, listen(fd, 0), NAMED("listen no more"));
	close(fd);
}

static void connect_plain(const struct kind *kind)
{
	int fd = open_kind(kind);

	REPORT(fd, connect_to(fd, loopback_of(kind, OPEN_PORT)),
	       NAMED("connect"));
	REPORT(fd, connect_to(fd, loopback_of(kind, OPEN_PORT)),
	       NAMED("connect again"));
	REPORT(fd, send(fd, "x", 1, MSG_NOSIGNAL), NAMED("send"));
	close(fd);
	fd = open_kind(kind);
	set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	REPORT(fd, connect_to(fd, loopback_of(kind, OPEN_PORT)),
	       NAMED("connect, reusing"));
	close(fd);
	fd = open_kind(kind);
	REPORT(fd, connect_to(fd, loopback_of(kind, CLOSED_PORT)),
	       NAMED("connect to nobody"));
	REPORT(fd, bind_to(fd, any_of(kind, FREE_PORT + 1)),
	       NAMED("bind afterwards"));
	REPORT(fd, connect_to(fd, loopback_of(kind, OPEN_PORT)),
	       NAMED("connect afterwards"));
	close(fd);
	fd = open_kind(kind);
	must(fcntl(fd, F_SETFL, O_NONBLOCK), "O_NONBLOCK");
	errno = ERRNO_KEPT;
	REPORT(-1, connect_to(fd, loopback_of(kind, OPEN_PORT)),
	       NAMED("connect, nonblocking"));
	close(fd);
}

/* What is refused before a port is taken takes none. */
static void connect_wrong(const struct kind *kind)
{
	struct address unspecified = { .length = 16 };
	struct address peer = loopback_of(kind, OPEN_PORT);
	int fd = open_kind(kind);

	REPORT(fd, connect(fd, &peer.sa, 4), NAMED("connect, short"));
	REPORT(fd, connect(fd, NULL, 16), NAMED("connect, NULL"));
	REPORT(fd, connect_to(fd, unspecified), NAMED("connect, unspec"));
	REPORT(fd, connect_to(fd, address_of("224.0.0.1", OPEN_PORT)),
	       NAMED("connect, multicast"));
	REPORT(fd, connect_to(fd, loopback_of(kind, 0)), NAMED("connect, 0"));
	REPORT(fd, bind_to(fd, loopback_of(kind, FREE_PORT + 2)),
	       NAMED("bind afterwards"));
	close(fd);
}

static void send_first(const struct kind *kind)
{
	struct address peer = loopback_of(kind, OPEN_PORT);
	char letter = 'x';
	struct iovec text = { &letter, 1 };
	struct msghdr message = { .msg_name = &peer.sa,
				  .msg_namelen = peer.length,
				  .msg_iov = &text, .msg_iovlen = 1 };
	int fd = open_kind(kind);

	REPORT(fd, send(fd, "x", 1, MSG_NOSIGNAL), NAMED("send nowhere"));
	REPORT(fd, send_to(fd, peer, MSG_NOSIGNAL), NAMED("sendto"));
	REPORT(fd, send_to(fd, peer, MSG_NOSIGNAL), NAMED("sendto again"));
	close(fd);
	fd = open_kind(kind);
	REPORT(fd, sendmsg(fd, &message, MSG_NOSIGNAL), NAMED("sendmsg"));
	close(fd);
	fd = open_kind(kind);
	REPORT(fd, send_to(fd, address_of("224.0.0.1", OPEN_PORT),
			   MSG_NOSIGNAL), NAMED("sendto multicast"));
	REPORT(fd, bind_to(fd, loopback_of(kind, 0)), NAMED("bind afterwards"));
	close(fd);
}

static struct packed list_of(const struct kind *kind, uint16_t port,
			     uint16_t second_port)
{
	struct packed list = { .n = 0 };

	pack(&list, loopback_of(kind, port));
	pack(&list, address_of("127.0.0.2", second_port));
	return list;
}

static void bindx(const struct kind *kind)
{
	struct packed one = { .n = 0 };
	struct packed two = list_of(kind, 0, 0);
	struct packed named = list_of(kind, FREE_PORT + 3, FREE_PORT + 3);
	struct packed second_named = list_of(kind, FREE_PORT + 4, 0);
	struct packed differ = list_of(kind, FREE_PORT + 5, FREE_PORT + 6);
	struct packed half = list_of(kind, 0, FREE_PORT + 6);
	int fd = open_kind(kind);

	pack(&one, loopback_of(kind, 0));
	REPORT(fd, bindx_to(fd, &one), NAMED("bindx one"));
	REPORT(fd, bindx_to(fd, &one), NAMED("bindx again"));
	close(fd);
	fd = open_kind(kind);
	REPORT(fd, bindx_to(fd, &two), NAMED("bindx two"));
	close(fd);
	fd = open_kind(kind);
	REPORT(fd, bindx_to(fd, &named), NAMED("bindx named"));
	close(fd);
	fd = open_kind(kind);
	REPORT(fd, bindx_to(fd, &second_named), NAMED("bindx first named"));
	close(fd);
	fd = open_kind(kind);
	REPORT(fd, bindx_to(fd, &differ), NAMED("bindx different"));
	close(fd);
	fd = open_kind(kind);
	REPORT(fd, bindx_to(fd, &half), NAMED("bindx second named"));
	close(fd);
	fd = open_kind(kind);
	REPORT(fd, setsockopt(fd, IPPROTO_SCTP, SCTP_SOCKOPT_BINDX_ADD,
			      one.bytes, 3), NAMED("bindx 3 bytes"));
	REPORT(fd, setsockopt(fd, IPPROTO_SCTP, SCTP_SOCKOPT_BINDX_ADD, NULL,
			      16), NAMED("bindx NULL"));
	REPORT(fd, setsockopt(fd, IPPROTO_SCTP, SCTP_SOCKOPT_BINDX_ADD,
			      one.bytes, -1), NAMED("bindx -1"));
	REPORT(fd, bindx_to(fd, &one), NAMED("bindx afterwards"));
	close(fd);
}

static void connectx(const struct kind *kind)
{
	struct packed open = list_of(kind, OPEN_PORT, OPEN_PORT);
	struct packed closed = list_of(kind, CLOSED_PORT, CLOSED_PORT);
	struct packed differ = list_of(kind, OPEN_PORT, CLOSED_PORT);
	int fd = open_kind(kind);

	REPORT(fd, connectx_to(fd, &open) == 0, NAMED("connectx"));
	close(fd);
	fd = open_kind(kind);
	REPORT(fd, connectx_to(fd, &closed), NAMED("connectx to nobody"));
	close(fd);
	fd = open_kind(kind);
	REPORT(fd, connectx_to(fd, &differ), NAMED("connectx different"));
	REPORT(fd, setsockopt(fd, IPPROTO_SCTP, SCTP_SOCKOPT_CONNECTX,
			      open.bytes, 5), NAMED("connectx 5 bytes"));
	REPORT(fd, setsockopt(fd, IPPROTO_SCTP, SCTP_SOCKOPT_CONNECTX, NULL,
			      16), NAMED("connectx NULL"));
	REPORT(fd, getsockopt(fd, IPPROTO_SCTP, SCTP_SOCKOPT_CONNECTX3, NULL,
			      NULL), NAMED("connectx3 NULL"));
	REPORT(fd, setsockopt(fd, IPPROTO_SCTP, SCTP_SOCKOPT_CONNECTX,
			      open.bytes, (socklen_t)open.size) > 0,
	       NAMED("connectx by its option"));
	close(fd);
}

int main(void)
{
	for (size_t i = 0; i < N_SCTP_KINDS; i++) {
		const struct kind *kind = &sctp_kinds[i];

		if (!kind_present(kind))
			continue;

		const int server = open_kind(kind);

		must(bind_to(server, any_of(kind, OPEN_PORT)), "bind");
		must(listen(server, 100), "listen");
		bind_and_listen(kind);
		connect_plain(kind);
		connect_wrong(kind);
		send_first(kind);
		bindx(kind);
		connectx(kind);
		close(server);
	}
	return 0;
}
