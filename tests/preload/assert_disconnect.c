/* SPDX-License-Identifier: MIT */
/*
 * A datagram socket loses its port to connect(AF_UNSPEC). Whoever has the
 * socket too sends from a port of the range next: a parent, a child, and who
 * has it by another descriptor that no hook has seen being copied.
 */
#include "probe.h"

#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#define SERVER_PORT 7410
#define N_TRIES 8 /* the kernel's choice may lie in the range by chance */

static struct address server;

static void disconnect(int fd)
{
	struct address none = { .length = sizeof(struct sockaddr_in) };

	none.sa.sa_family = AF_UNSPEC;
	must(connect_to(fd, none), "disconnect");
}

/* A connected socket, of which the library knows that it has a port. */
static int connected(const struct kind *kind)
{
	const int fd = open_kind(kind);

	must(connect_to(fd, server), "connect");
	must((int)send(fd, "", 1, 0), "send");
	return fd;
}

static uint16_t port_of_send(int fd)
{
	must((int)send_to(fd, server, 0), "sendto");
	return local_port(fd);
}

/* --- who disconnects, and who sends next ---------------------------------- */

static uint16_t child_disconnects(const struct kind *kind)
{
	const int fd = connected(kind);
	const pid_t child = must(fork(), "fork");
	uint16_t port;

	if (child == 0) {
		disconnect(fd);
		_exit(0);
	}
	must(waitpid(child, NULL, 0), "waitpid");
	port = port_of_send(fd);
	close(fd);
	return port;
}

static uint16_t parent_disconnects(const struct kind *kind)
{
	const int fd = connected(kind);
	int asks[2], answers[2];
	uint16_t port = 0;

	must(pipe(asks), "pipe");
	must(pipe(answers), "pipe");

	const pid_t child = must(fork(), "fork");

	if (child == 0) {
		must((int)read(asks[0], &port, sizeof(port)), "read");
		port = port_of_send(fd);
		must((int)write(answers[1], &port, sizeof(port)), "write");
		_exit(0);
	}
	disconnect(fd);
	must((int)write(asks[1], &port, sizeof(port)), "write");
	must((int)read(answers[0], &port, sizeof(port)), "read");
	must(waitpid(child, NULL, 0), "waitpid");
	for (int i = 0; i < 2; i++) {
		close(asks[i]);
		close(answers[i]);
	}
	close(fd);
	return port;
}

static uint16_t copy_disconnects(const struct kind *kind)
{
	const int fd = connected(kind), copy = pass_to_self(fd);
	uint16_t port;

	disconnect(copy);
	port = port_of_send(fd);
	close(fd);
	close(copy);
	return port;
}

static uint16_t original_disconnects(const struct kind *kind)
{
	const int fd = connected(kind), copy = pass_to_self(fd);
	uint16_t port;

	must((int)send_to(copy, server, 0), "sendto");
	disconnect(fd);
	port = port_of_send(copy);
	close(fd);
	close(copy);
	return port;
}

static const struct {
	const char *name;
	uint16_t (*port_after)(const struct kind *kind);
} ways[] = {
	{ "a child disconnects, its parent sends", child_disconnects },
	{ "a parent disconnects, its child sends", parent_disconnects },
	{ "a descriptor that was passed disconnects", copy_disconnects },
	{ "a descriptor that was passed sends", original_disconnects },
};

#define N_WAYS (sizeof(ways) / sizeof(ways[0]))

int main(int argc, char **argv)
{
	const char *range = argc > 1 ? argv[1] : "";

	for (int k = UDP4; k <= UDPLITE6; k++) {
		if (!kind_present(&kinds[k]))
			continue;
		server = loopback_of(&kinds[k], SERVER_PORT);

		const int fd = start_server(&kinds[k], server);

		for (size_t i = 0; i < N_WAYS; i++)
			for (int n = 0; n < N_TRIES; n++) {
				const uint16_t port =
					ways[i].port_after(&kinds[k]);

				check(range_has(range, port), "%s: %s: port %u",
				      kinds[k].name, ways[i].name, port);
			}
		close(fd);
	}
	return 0;
}
