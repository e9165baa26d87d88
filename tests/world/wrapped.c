/* SPDX-License-Identifier: MIT */
/*
 * What a program sees of sockets that another preload has taken over: lines for
 * a comparison. socket_wrapper makes 127.0.0.x of sockets of AF_UNIX, beneath
 * Berth or above it. Edge case 36.
 */
#include "probe.h"

#include <unistd.h>

#define OPEN_PORT 7200
#define HERE "127.0.0.2"

static int server;

static int new_socket(int type)
{
	return must(socket(AF_INET, type, 0), "socket");
}

static void stream(void)
{
	struct address address = { .length = sizeof(address.storage) };
	const int fd = new_socket(SOCK_STREAM);
	char byte;

	REPORT(fd, connect_to(fd, address_of(HERE, OPEN_PORT)), "connect");
	const int taken = accept(server, &address.sa, &address.length);

	report_text("accept: %d, from the client: %d", taken >= 0,
		    ntohs(address.in.sin_port) == local_port(fd));
	REPORT(fd, send(fd, "x", 1, 0), "send");
	REPORT(taken, recv(taken, &byte, 1, 0), "recv");
	REPORT(-1, connect_to(fd, address_of(HERE, OPEN_PORT)),
	       "connect again");
	REPORT(-1, close(taken), "close");
	REPORT(-1, close(fd), "close");
}

static void refused(void)
{
	const int fd = new_socket(SOCK_STREAM);

	REPORT(-1, connect_to(fd, address_of(HERE, 7201)), "connect refused");
	REPORT(-1, connect_to(fd, address_of(HERE, OPEN_PORT)),
	       "connect after that");
	REPORT(-1, connect_to(fd, address_of("10.1.2.3", 7201)),
	       "connect elsewhere");
	close(fd);
}

static void bound(void)
{
	const int fd = new_socket(SOCK_STREAM), other = new_socket(SOCK_STREAM);

	REPORT(fd, set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1), "reuse");
	REPORT(fd, bind_to(fd, address_of(HERE, 0)), "bind");
	REPORT(fd, bind_to(fd, address_of(HERE, 0)), "bind again");
	REPORT(fd, listen(fd, 1), "listen");
	REPORT(other, connect_to(other, address_of(HERE, local_port(fd))),
	       "connect to it");
	REPORT(-1, dup2(other, fd), "dup2");
	report_text("the same socket: %d", local_port(fd) == local_port(other));
	close(fd);
	close(other);
}

static void datagram(void)
{
	const int fd = new_socket(SOCK_DGRAM), other = new_socket(SOCK_DGRAM);
	char byte;

	REPORT(fd, bind_to(fd, address_of(HERE, 0)), "bind udp");
	REPORT(-1, send_to(other, address_of(HERE, local_port(fd)), 0),
	       "sendto");
	REPORT(-1, recv(fd, &byte, 1, 0), "recv");
	REPORT(-1, connect_to(other, address_of(HERE, local_port(fd))),
	       "connect udp");
	REPORT(-1, send(other, "xy", 2, 0), "send");
	REPORT(-1, recv(fd, &byte, 1, 0), "recv");
	close(fd);
	close(other);
}

int main(void)
{
	server = new_socket(SOCK_STREAM);
	REPORT(server, bind_to(server, address_of(HERE, OPEN_PORT)),
	       "bind to a port");
	REPORT(server, listen(server, 5), "listen");
	stream();
	refused();
	bound();
	datagram();
	close(server);
	return 0;
}
