/* SPDX-License-Identifier: MIT */
/*
 * What each call says when no port is left. The bare run has an
 * ip_local_port_range of two ports, the hooked one a BERTH_RANGE of two.
 * Edge case 29.
 */
#include "probe.h"

#include <string.h>
#include <unistd.h>

#define OPEN_PORT 6100
#define N_HELD 2

/* Takes both ports and reports that a third one is refused. */
static void hold(const struct kind *kind, int held[N_HELD])
{
	int fd = open_kind(kind);

	for (int i = 0; i < N_HELD; i++) {
		held[i] = open_kind(kind);
		REPORT(held[i], bind_to(held[i], any_of(kind, 0)),
		       "%s hold %d", kind->name, i);
	}
	REPORT(fd, bind_to(fd, any_of(kind, 0)), "%s bind any:0", kind->name);
	REPORT(fd, bind_to(fd, loopback_of(kind, 0)), "%s bind loopback:0",
	       kind->name);
	REPORT(fd, bind_to(fd, loopback_of(kind, 6105)),
	       "%s explicit bind after that", kind->name);
	close(fd);
}

static void streams(const struct kind *kind)
{
	int held[N_HELD], fd = open_kind(kind);

	hold(kind, held);
	REPORT(fd, listen(fd, 1), "%s listen", kind->name);
	REPORT(fd, connect_to(fd, loopback_of(kind, OPEN_PORT)), "%s connect",
	       kind->name);
	REPORT(fd, send_to(fd, loopback_of(kind, OPEN_PORT),
			   MSG_FASTOPEN | MSG_NOSIGNAL),
	       "%s sendto MSG_FASTOPEN", kind->name);
	set_int(fd, SOL_IP, IP_BIND_ADDRESS_NO_PORT, 1);
	REPORT(fd, bind_to(fd, loopback_of(kind, 0)), "%s bind without port",
	       kind->name);
	REPORT(fd, connect_to(fd, loopback_of(kind, OPEN_PORT)),
	       "%s connect after that", kind->name);
	close(held[0]);
	REPORT(fd, connect_to(fd, loopback_of(kind, OPEN_PORT)),
	       "%s connect, a port is free", kind->name);
	close(held[1]);
	close(fd);
}

/* Each destination has two ports of its own; none is in TIME_WAIT yet. */
static void destinations(const struct kind *kind)
{
	int server = start_server(kind, any_of(kind, OPEN_PORT + 1));
	int other = start_server(kind, any_of(kind, OPEN_PORT + 2));
	int fds[6];

	for (int i = 0; i < 6; i++) {
		uint16_t port = (uint16_t)(OPEN_PORT + 1 + i / 3);

		fds[i] = open_kind(kind);
		REPORT(fds[i], connect_to(fds[i], loopback_of(kind, port)),
		       "%s connect %d to %u", kind->name, i, port);
	}
	for (int i = 0; i < 6; i++)
		close(fds[i]);
	close(server);
	close(other);
}

static void datagrams(const struct kind *kind)
{
	char byte[] = "x";
	struct iovec part = { .iov_base = byte, .iov_len = 1 };
	struct address peer = loopback_of(kind, OPEN_PORT);
	struct mmsghdr header = { .msg_hdr = { .msg_name = &peer,
		.msg_namelen = peer.length, .msg_iov = &part,
		.msg_iovlen = 1 } };
	int held[N_HELD], fd = open_kind(kind);

	hold(kind, held);
	REPORT(fd, send_to(fd, peer, 0), "%s sendto", kind->name);
	REPORT(fd, sendmsg(fd, &header.msg_hdr, 0), "%s sendmsg", kind->name);
	REPORT(fd, sendmmsg(fd, &header, 1, 0), "%s sendmmsg", kind->name);
	REPORT(fd, sendto(fd, "x", 1, 0, NULL, 0), "%s sendto nowhere",
	       kind->name);
	REPORT(fd, connect_to(fd, peer), "%s connect", kind->name);
	close(held[0]);
	REPORT(fd, send_to(fd, peer, 0), "%s sendto, a port is free",
	       kind->name);
	close(held[1]);
	close(fd);
}

/* Given the name of a kind, so that each runs in a namespace of its own. */
int main(int argc, char **argv)
{
	for (const struct kind *kind = kinds; kind < kinds + N_KINDS; kind++) {
		if (argc != 2 || strcmp(argv[1], kind->name) != 0)
			continue;
		if (!kind_present(kind))
			continue;
		int server = start_server(kind, any_of(kind, OPEN_PORT));
		if (kind->type == SOCK_STREAM) {
			streams(kind);
			destinations(kind);
		} else {
			datagrams(kind);
		}
		close(server);
	}
	return 0;
}
