/* SPDX-License-Identifier: MIT */
/*
 * A TCP or MPTCP socket that has lost its port goes on to show it. Whatever has
 * taken the port away, the next call that needs one is given one of the range;
 * and a program without Berth that inherits the socket may use every port. Edge
 * case 68.
 */
#include "probe.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define OPEN_PORT 7400
#define CLOSED_PORT 7401

static struct address server; /* listens */
static struct address closed; /* nobody listens */

/* A listening socket that was given its port, and its address. */
static int listen_anywhere(const struct kind *kind, struct address *addressp)
{
	int fd = open_kind(kind);

	must(bind_to(fd, loopback_of(kind, 0)), "bind");
	must(listen(fd, 4), "listen");
	*addressp = loopback_of(kind, local_port(fd));
	return fd;
}

static void disconnect(int fd)
{
	struct address none = { .length = sizeof(struct sockaddr_in) };

	none.sa.sa_family = AF_UNSPEC;
	must(connect_to(fd, none), "disconnect");
}

/* --- ways to lose a port -------------------------------------------------- */

static int accepted(const struct kind *kind)
{
	struct address address;
	int listener = listen_anywhere(kind, &address);
	int client = open_kind(kind);

	must(connect_to(client, address), "connect");
	int fd = must(accept(listener, NULL, NULL), "accept");
	disconnect(fd);
	close(client);
	close(listener);
	return fd;
}

static int shut_down(const struct kind *kind)
{
	struct address address;
	int fd = listen_anywhere(kind, &address);

	must(shutdown(fd, SHUT_RDWR), "shutdown");
	return fd;
}

static int refused(const struct kind *kind)
{
	int fd = open_kind(kind);

	connect_to(fd, closed);
	return fd;
}

static int bound_refused(const struct kind *kind)
{
	int fd = open_kind(kind);

	must(bind_to(fd, loopback_of(kind, 0)), "bind");
	connect_to(fd, closed);
	return fd;
}

static int refused_later(const struct kind *kind)
{
	int fd = open_kind(kind);

	must(fcntl(fd, F_SETFL, O_NONBLOCK), "fcntl");
	if (connect_to(fd, closed) && errno == EINPROGRESS)
		await_connect(fd);
	must(fcntl(fd, F_SETFL, 0), "fcntl");
	/* The socket is told what came of it before it connects again. */
	connect_to(fd, closed);
	return fd;
}

static int refused_fast(const struct kind *kind)
{
	int fd = open_kind(kind);

	must(bind_to(fd, loopback_of(kind, 0)), "bind");
	send_to(fd, closed, MSG_FASTOPEN | MSG_NOSIGNAL);
	return fd;
}

static int refused_in_child(const struct kind *kind)
{
	int fd = open_kind(kind);
	pid_t child;

	must(bind_to(fd, loopback_of(kind, 0)), "bind");
	child = must(fork(), "fork");
	if (child == 0) {
		connect_to(fd, closed);
		_exit(0);
	}
	must(waitpid(child, NULL, 0), "waitpid");
	return fd;
}

static int disconnected(const struct kind *kind)
{
	int fd = open_kind(kind);

	must(connect_to(fd, server), "connect");
	disconnect(fd);
	return fd;
}

/* What a child does to a socket that no call has been made on. */
static int accepted_and_disconnected_in_child(const struct kind *kind)
{
	struct address address;
	int listener = listen_anywhere(kind, &address);
	int client = open_kind(kind);
	pid_t child;

	must(connect_to(client, address), "connect");
	int fd = must(accept(listener, NULL, NULL), "accept");
	child = must(fork(), "fork");
	if (child == 0) {
		disconnect(fd);
		_exit(0);
	}
	must(waitpid(child, NULL, 0), "waitpid");
	close(client);
	close(listener);
	return fd;
}

static int copied_and_refused(const struct kind *kind)
{
	int fd = open_kind(kind);
	int copy = must(dup(fd), "dup");

	must(bind_to(fd, loopback_of(kind, 0)), "bind");
	connect_to(copy, closed);
	close(copy);
	return fd;
}

static const struct way {
	const char *name;
	int (*lose)(const struct kind *kind);
} ways[] = {
	{ "accepted and disconnected", accepted },
	{ "accepted, and disconnected in a child",
	  accepted_and_disconnected_in_child },
	{ "a listener shut down", shut_down },
	{ "refused", refused },
	{ "bound and refused", bound_refused },
	{ "refused later", refused_later },
	{ "bound, and refused by MSG_FASTOPEN", refused_fast },
	{ "bound, and refused in a child", refused_in_child },
	{ "connected and disconnected", disconnected },
	{ "bound, and refused through a copy", copied_and_refused },
};

/* --- what is done next ---------------------------------------------------- */

static int then_listens(const struct kind *kind, int fd)
{
	(void)kind;
	return listen(fd, 1);
}

static int then_connects(const struct kind *kind, int fd)
{
	(void)kind;
	return connect_to(fd, server);
}

/* To the number that it shows, where somebody else listens. */
static int then_connects_there(const struct kind *kind, int fd)
{
	struct address address = loopback_of(kind, local_port(fd));
	int listener = open_kind(kind);
	int result;

	/* Where the port is still its own, that cannot be. */
	if (bind_to(listener, address) || listen(listener, 1)) {
		close(listener);
		return connect_to(fd, server);
	}
	result = connect_to(fd, address);
	check(result || local_port(fd) != local_port(listener),
	      "%s: does not connect to itself", kind->name);
	close(listener);
	return result;
}

static const struct {
	const char *name;
	int (*call)(const struct kind *kind, int fd);
} next_calls[] = {
	{ "listens", then_listens },
	{ "connects", then_connects },
	{ "connects to the number that it shows", then_connects_there },
};

/* --- what a program without Berth inherits -------------------------------- */

#define HAS_NONE 0
#define HAS_RANGE 3

/* Run without the library: the hook of getsockopt() would hide a pin. */
static int look_at_range(int fd)
{
	int range = 0;
	socklen_t length = sizeof(range);

	must(getsockopt(fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE, &range, &length),
	     "IP_LOCAL_PORT_RANGE");
	return range == 0 ? HAS_NONE : HAS_RANGE;
}

static bool leaves_range(const char *program, int fd)
{
	pid_t child = must(fork(), "fork");
	char number[12];
	int status;

	if (child == 0) {
		unsetenv("LD_PRELOAD");
		snprintf(number, sizeof(number), "%d", fd);
		execl(program, program, number, "look", NULL);
		_exit(99);
	}
	must(waitpid(child, &status, 0), "waitpid");
	must(WIFEXITED(status) && (WEXITSTATUS(status) == HAS_NONE ||
				   WEXITSTATUS(status) == HAS_RANGE)
		     ? 0
		     : -1,
	     "the program without Berth");
	return WEXITSTATUS(status) == HAS_RANGE;
}

static int still_connecting(const struct kind *kind)
{
	int fd = open_kind(kind);

	must(fcntl(fd, F_SETFL, O_NONBLOCK), "fcntl");
	connect_to(fd, closed);
	return fd;
}

static void try_inheritance(const struct kind *kind, const char *program)
{
	static const struct way unconnected[] = {
		{ "refused", refused },
		{ "bound and refused", bound_refused },
		{ "connecting without waiting", still_connecting },
		{ "a listener shut down", shut_down },
		{ "connected and disconnected", disconnected },
	};
	int option = 0;
	socklen_t length = sizeof(option);
	int fd = open_kind(kind);

	if (getsockopt(fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE, &option, &length)) {
		skip("%s: the kernel has no IP_LOCAL_PORT_RANGE", kind->name);
		close(fd);
		return;
	}
	close(fd);
	for (size_t i = 0; i < sizeof(unconnected) / sizeof(*unconnected);
	     i++) {
		fd = unconnected[i].lose(kind);
		check(!leaves_range(program, fd),
		      "%s: %s, it leaves no range to a program without Berth",
		      kind->name, unconnected[i].name);
		close(fd);
	}
}

static void try_kind(const struct kind *kind, const char *range,
		     const char *program)
{
	const size_t n_ways = sizeof(ways) / sizeof(*ways);
	const size_t n_next = sizeof(next_calls) / sizeof(*next_calls);

	server = loopback_of(kind, OPEN_PORT);
	closed = loopback_of(kind, CLOSED_PORT);

	int open_server = start_server(kind, server);

	for (size_t i = 0; i < n_ways * n_next; i++) {
		const struct way *way = &ways[i / n_next];
		int fd = way->lose(kind);
		int result = next_calls[i % n_next].call(kind, fd);

		check(!result, "%s: %s, it %s: %s", kind->name, way->name,
		      next_calls[i % n_next].name,
		      result ? strerrorname_np(errno) : "success");
		check(range_has(range, local_port(fd)),
		      "%s: %s, it %s: the port is of the range, not %u",
		      kind->name, way->name, next_calls[i % n_next].name,
		      local_port(fd));
		close(fd);
	}
	try_inheritance(kind, program);
	close(open_server);
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	if (argc > 2)
		return look_at_range(atoi(argv[1]));
	for (const struct kind *kind = kinds; kind <= kinds + MPTCP6; kind++)
		if (kind_present(kind))
			try_kind(kind, argv[1], argv[0]);
	return 0;
}
