/* SPDX-License-Identifier: MIT */
/*
 * Sockets that have no ports, and the arguments of socket(), are passed through
 * as they are. Edge case 33.
 */
#include "probe.h"

#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/vm_sockets.h>
#include <netpacket/packet.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

static struct address abstract_name(const char *name)
{
	struct address address = { 0 };

	address.un.sun_family = AF_UNIX;
	strcpy(address.un.sun_path + 1, name);
	address.length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
				     1 + strlen(name));
	return address;
}

static void create(void)
{
	static const int families[] = { -1, 0, AF_UNIX, AF_INET, AF_INET6,
					AF_NETLINK, AF_VSOCK, AF_PACKET, 999 };
	static const int types[] = {
		-1, 0, SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET,
		SOCK_STREAM | SOCK_NONBLOCK, SOCK_DGRAM | SOCK_CLOEXEC,
		SOCK_STREAM | 0x100, 15,
	};
	static const int protocols[] = { 0, IPPROTO_TCP, IPPROTO_UDP,
					 IPPROTO_ICMP, 255, -1, 9999 };

	for (size_t i = 0; i < 9 * 10 * 7; i++) {
		int family = families[i / 70], type = types[i / 7 % 10], fd;
		int protocol = protocols[i % 7];

		REPORT(-1, fd = socket(family, type, protocol),
		       "socket %d %d %d", family, type, protocol);
		if (fd < 0)
			continue;
		report_text("flags %d %d", fcntl(fd, F_GETFL) & O_NONBLOCK,
			    fcntl(fd, F_GETFD));
		close(fd);
	}
}

/* The masked type still gets a port. */
static void flagged_types(void)
{
	static const int flags[] = { SOCK_NONBLOCK, SOCK_CLOEXEC,
				     SOCK_NONBLOCK | SOCK_CLOEXEC };

	for (size_t i = 0; i < 3; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | flags[i], 0);

		REPORT(fd, bind_to(fd, address_of("127.0.0.1", 0)),
		       "bind, flags %#x", (unsigned)flags[i]);
		REPORT(fd, listen(fd, 1), "listen, flags %#x",
		       (unsigned)flags[i]);
		close(fd);
		fd = socket(AF_INET6, SOCK_DGRAM | flags[i], 0);
		REPORT(fd, send_to(fd, address_of("::1", 5900), 0),
		       "sendto, flags %#x", (unsigned)flags[i]);
		close(fd);
	}
}

static void unix_sockets(int type)
{
	struct address name = abstract_name("berth-probe");
	struct address autobind = { .length = sizeof(sa_family_t) };
	int server = must(socket(AF_UNIX, type, 0), "unix");
	int fd = must(socket(AF_UNIX, type, 0), "unix");

	autobind.sa.sa_family = AF_UNIX;
	REPORT(-1, bind_to(server, name), "unix %d bind", type);
	REPORT(-1, bind_to(server, name), "unix %d bind again", type);
	REPORT(-1, bind_to(fd, name), "unix %d bind taken", type);
	REPORT(-1, bind_to(fd, autobind), "unix %d autobind", type);
	REPORT(-1, listen(server, 3), "unix %d listen", type);
	REPORT(-1, send_to(fd, name, MSG_NOSIGNAL), "unix %d sendto", type);
	REPORT(-1, connect_to(fd, name), "unix %d connect", type);
	REPORT(-1, connect_to(fd, address_of("127.0.0.1", 5900)),
	       "unix %d connect v4", type);
	REPORT(-1, bind_to(fd, address_of("127.0.0.1", 0)), "unix %d bind v4",
	       type);
	REPORT(-1, sendto(fd, "x", 1, MSG_NOSIGNAL, NULL, 0), "unix %d sendto",
	       type);
	REPORT(-1, set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1), "unix %d option",
	       type);
	close(fd);
	close(server);
}

static void netlink_and_packet(void)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct sockaddr_ll link = { .sll_family = AF_PACKET };
	int fd = must(socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE), "netlink");

	REPORT(-1, bind(fd, (void *)&kernel, sizeof(kernel)), "netlink bind");
	REPORT(-1, connect(fd, (void *)&kernel, sizeof(kernel)),
	       "netlink connect");
	REPORT(-1, sendto(fd, "", 0, 0, (void *)&kernel, sizeof(kernel)),
	       "netlink sendto");
	REPORT(-1, listen(fd, 1), "netlink listen");
	close(fd);
	fd = socket(AF_PACKET, SOCK_DGRAM, 0);
	if (fd < 0)
		return;
	REPORT(-1, bind(fd, (void *)&link, sizeof(link)), "packet bind");
	REPORT(-1, bind(fd, (void *)&link, 4), "packet bind short");
	close(fd);
}

static void vsock(void)
{
	struct sockaddr_vm local = { .svm_family = AF_VSOCK,
				     .svm_cid = VMADDR_CID_ANY,
				     .svm_port = VMADDR_PORT_ANY };
	int fd = socket(AF_VSOCK, SOCK_STREAM, 0);

	if (fd < 0) {
		skip("the kernel has no AF_VSOCK");
		return;
	}
	REPORT(-1, bind(fd, (void *)&local, sizeof(local)), "vsock bind");
	REPORT(-1, listen(fd, 1), "vsock listen");
	close(fd);
}

static void raw_sockets(void)
{
	static const int protocols[] = { IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP,
					 IPPROTO_RAW, IPPROTO_ICMPV6 };
	static const char *const texts[] = { "127.0.0.1", "::1" };

	for (size_t i = 0; i < 10; i++) {
		int family = i & 1 ? AF_INET6 : AF_INET;
		int fd = socket(family, SOCK_RAW, protocols[i / 2]);

		if (fd < 0) {
			report_text("raw %zu: %s", i, strerrorname_np(errno));
			continue;
		}
		REPORT(-1, bind_to(fd, address_of(texts[i & 1], 0)),
		       "raw %zu bind", i);
		REPORT(-1, bind_to(fd, address_of(texts[i & 1], 5901)),
		       "raw %zu bind 5901", i);
		REPORT(-1, connect_to(fd, address_of(texts[i & 1], 5902)),
		       "raw %zu connect", i);
		REPORT(-1, listen(fd, 1), "raw %zu listen", i);
		close(fd);
	}
}

/* A datagram ICMP socket has an identifier where others have a port. */
static void ping_socket(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP);

	if (fd < 0) {
		report_text("ping: %s", strerrorname_np(errno));
		return;
	}
	REPORT(-1, bind_to(fd, address_of("127.0.0.1", 0)), "ping bind");
	REPORT(-1, connect_to(fd, address_of("127.0.0.1", 0)), "ping connect");
	close(fd);
}

static void pairs(void)
{
	int ends[2];

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), "socketpair");
	REPORT(-1, connect_to(ends[0], abstract_name("none")), "pair connect");
	REPORT(-1, bind_to(ends[0], abstract_name("pair")), "pair bind");
	REPORT(-1, send_to(ends[0], address_of("127.0.0.1", 1), MSG_NOSIGNAL),
	       "pair sendto");
	REPORT(-1, listen(ends[1], 1), "pair listen");
	close(ends[0]);
	close(ends[1]);
}

int main(void)
{
	create();
	flagged_types();
	unix_sockets(SOCK_STREAM);
	unix_sockets(SOCK_DGRAM);
	unix_sockets(SOCK_SEQPACKET);
	netlink_and_packet();
	vsock();
	raw_sockets();
	ping_socket();
	pairs();
	return 0;
}
