/* SPDX-License-Identifier: MIT */
/*
 * TCP Fast Open and the sends that connect look the same with and without
 * Berth. Edge case 14.
 */
#include "probe.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <unistd.h>

#define OPEN_PORT 5400
#define CLOSED_PORT 5401
#define QUIET MSG_NOSIGNAL

static char payload[] = "x";

static void send_unconnected(const struct kind *kind)
{
	struct iovec part = { .iov_base = payload, .iov_len = 1 };
	struct address peer = loopback_of(kind, OPEN_PORT);
	struct mmsghdr header = { .msg_hdr = { .msg_name = &peer,
		.msg_namelen = peer.length, .msg_iov = &part,
		.msg_iovlen = 1 } };
	int fd = open_kind(kind);

	REPORT(fd, send_to(fd, peer, QUIET), "%s sendto", kind->name);
	REPORT(fd, sendto(fd, "x", 1, QUIET, NULL, 0), "%s sendto nowhere",
	       kind->name);
	REPORT(fd, sendmsg(fd, &header.msg_hdr, QUIET), "%s sendmsg",
	       kind->name);
	REPORT(fd, sendmmsg(fd, &header, 1, QUIET), "%s sendmmsg", kind->name);
	REPORT(fd, connect_to(fd, peer), "%s connect", kind->name);
	REPORT(fd, send_to(fd, peer, QUIET), "%s sendto connected", kind->name);
	close(fd);
}

static void fastopen_send(const struct kind *kind)
{
	struct iovec part = { .iov_base = payload, .iov_len = 1 };
	struct address peer = loopback_of(kind, OPEN_PORT);
	struct mmsghdr header = { .msg_hdr = { .msg_name = &peer,
		.msg_namelen = peer.length, .msg_iov = &part,
		.msg_iovlen = 1 } };

	/* The first exchange fetches the cookie, the second one uses it. */
	for (int round = 0; round < 2; round++) {
		int fd = open_kind(kind);

		REPORT(fd, send_to(fd, peer, MSG_FASTOPEN | QUIET),
		       "%s sendto MSG_FASTOPEN %d", kind->name, round);
		REPORT(fd, send_to(fd, peer, MSG_FASTOPEN | QUIET),
		       "%s sendto MSG_FASTOPEN again", kind->name);
		close(fd);
		fd = open_kind(kind);
		REPORT(fd, sendmsg(fd, &header.msg_hdr, MSG_FASTOPEN | QUIET),
		       "%s sendmsg MSG_FASTOPEN", kind->name);
		close(fd);
		fd = open_kind(kind);
		REPORT(fd, sendmmsg(fd, &header, 1, MSG_FASTOPEN | QUIET),
		       "%s sendmmsg MSG_FASTOPEN", kind->name);
		close(fd);
	}
}

static void fastopen_bad(const struct kind *kind)
{
	struct address peer = loopback_of(kind, OPEN_PORT);
	struct address closed = loopback_of(kind, CLOSED_PORT);
	int fd = open_kind(kind);

	REPORT(fd, sendto(fd, "x", 1, MSG_FASTOPEN | QUIET, NULL, 0),
	       "%s MSG_FASTOPEN nowhere", kind->name);
	REPORT(fd, sendto(fd, "x", 1, MSG_FASTOPEN | QUIET, &peer.sa, 8),
	       "%s MSG_FASTOPEN short", kind->name);
	REPORT(fd, sendto(fd, "x", 1, MSG_FASTOPEN | QUIET, &peer.sa, 128),
	       "%s MSG_FASTOPEN 128", kind->name);
	close(fd);
	fd = open_kind(kind);
	REPORT(fd, send_to(fd, closed, MSG_FASTOPEN | QUIET),
	       "%s MSG_FASTOPEN refused", kind->name);
	REPORT(fd, send_to(fd, peer, MSG_FASTOPEN | QUIET),
	       "%s MSG_FASTOPEN after refused", kind->name);
	close(fd);
	fd = open_kind(kind);
	REPORT(fd, bind_to(fd, loopback_of(kind, 0)), "%s bind", kind->name);
	REPORT(fd, send_to(fd, peer, MSG_FASTOPEN | QUIET),
	       "%s MSG_FASTOPEN bound", kind->name);
	close(fd);
	fd = open_kind(kind);
	must(fcntl(fd, F_SETFL, O_NONBLOCK), "O_NONBLOCK");
	REPORT(-1, send_to(fd, closed, MSG_FASTOPEN | QUIET) != 0,
	       "%s MSG_FASTOPEN nonblocking", kind->name);
	close(fd);
}

static void fastopen_connect(const struct kind *kind)
{
	for (int round = 0; round < 2; round++) {
		int fd = open_kind(kind);

		REPORT(fd, set_int(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1),
		       "%s TCP_FASTOPEN_CONNECT", kind->name);
		REPORT(fd, connect_to(fd, loopback_of(kind, OPEN_PORT)),
		       "%s deferred connect %d", kind->name, round);
		REPORT(fd, send(fd, "x", 1, QUIET), "%s first send",
		       kind->name);
		close(fd);
		fd = open_kind(kind);
		set_int(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1);
		REPORT(fd, connect_to(fd, loopback_of(kind, CLOSED_PORT)),
		       "%s deferred connect, nobody there", kind->name);
		REPORT(fd, send(fd, "x", 1, QUIET), "%s first send, refused",
		       kind->name);
		close(fd);
	}
}

int main(void)
{
	for (const struct kind *kind = kinds; kind <= kinds + MPTCP6; kind++) {
		if (!kind_present(kind))
			continue;
		int server = start_server(kind, loopback_of(kind, OPEN_PORT));
		set_int(server, IPPROTO_TCP, TCP_FASTOPEN, 16);
		send_unconnected(kind);
		fastopen_send(kind);
		fastopen_bad(kind);
		fastopen_connect(kind);
		close(server);
	}
	return 0;
}
