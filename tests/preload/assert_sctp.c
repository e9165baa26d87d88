/* SPDX-License-Identifier: MIT */
/*
 * SCTP takes its ports from the range, one socket each, and says what the
 * kernel says when none is left; a socket of one association never connects to
 * itself. The range is small. Edge cases 8 and 33.
 */
#include "sctp_kinds.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/wait.h>

#define OPEN_PORT 7500
#define CLOSED_PORT 7501
#define MAX_PORTS 64
#define MAX_KEPT (MAX_PORTS + 1)
#define N_TRIES 5

static struct packed packed_pair(const struct kind *kind, uint16_t port)
{
	struct packed list = { .n = 0 };

	pack(&list, loopback_of(kind, port));
	pack(&list, address_of("127.0.0.2", port));
	return list;
}

static int take_bind(const struct kind *kind, int fd)
{
	return bind_to(fd, any_of(kind, 0));
}

static int take_bind_loopback(const struct kind *kind, int fd)
{
	return bind_to(fd, loopback_of(kind, 0));
}

static int take_listen(const struct kind *kind, int fd)
{
	(void)kind;
	return listen(fd, 5);
}

static int take_connect(const struct kind *kind, int fd)
{
	return connect_to(fd, loopback_of(kind, OPEN_PORT));
}

static int take_send(const struct kind *kind, int fd)
{
	return send_to(fd, loopback_of(kind, OPEN_PORT), MSG_NOSIGNAL) == 1
		       ? 0
		       : -1;
}

static int take_bindx(const struct kind *kind, int fd)
{
	struct packed list = packed_pair(kind, 0);

	return bindx_to(fd, &list);
}

static int take_connectx(const struct kind *kind, int fd)
{
	struct packed list = packed_pair(kind, OPEN_PORT);

	return connectx_to(fd, &list);
}

static const struct way {
	const char *name;
	int (*take)(const struct kind *kind, int fd);
	int error; /* when no port is left */
} ways[] = {
	{ "bind", take_bind, EADDRINUSE },
	{ "bind to loopback", take_bind_loopback, EADDRINUSE },
	{ "listen", take_listen, EAGAIN },
	{ "connect", take_connect, EAGAIN },
	{ "sendto", take_send, EAGAIN },
	{ "bindx", take_bindx, EADDRINUSE },
	{ "connectx", take_connectx, EAGAIN },
};

/* --- the server's end ----------------------------------------------------- */

/* A child that takes what comes to the server, and keeps it until it is told. */
struct taker {
	pid_t pid;
	int fd; /* to it: a byte each way */
};

static void take_all(const struct kind *kind, int server, int kept[MAX_KEPT],
		     int *np)
{
	char bytes[64];
	int fd;

	if (sctp_is_many(kind))
		while (recv(server, bytes, sizeof(bytes), 0) >= 0)
			;
	else
		while (*np < MAX_KEPT && (fd = accept(server, NULL, NULL)) >= 0)
			kept[(*np)++] = fd;
}

static void be_taker(const struct kind *kind, int server, int fd)
{
	struct pollfd polled[] = { { .fd = server, .events = POLLIN },
				   { .fd = fd, .events = POLLIN } };
	int kept[MAX_KEPT], n = 0;
	char byte;

	for (;;) {
		must(poll(polled, 2, -1), "poll");
		take_all(kind, server, kept, &n);
		if (polled[1].revents == 0)
			continue;
		while (n > 0)
			close(kept[--n]);
		if (read(fd, &byte, 1) != 1 || write(fd, &byte, 1) != 1)
			_exit(0);
	}
}

static struct taker start_taker(const struct kind *kind, int server)
{
	struct taker taker;
	int fds[2];

	must(fcntl(server, F_SETFL, O_NONBLOCK), "O_NONBLOCK");
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), "socketpair");
	taker.pid = must(fork(), "fork");
	taker.fd = fds[taker.pid == 0];
	close(fds[taker.pid != 0]);
	if (taker.pid == 0)
		be_taker(kind, server, taker.fd);
	return taker;
}

static void end_taker(const struct taker *taker)
{
	close(taker->fd);
	waitpid(taker->pid, NULL, 0);
}

/*
 * Before a port goes to the same server again: the server's end of an
 * association that was aborted stays until it is closed, and swallows the next
 * one's COOKIE ECHO, which is sent again after 3 to 60 s only:
 * sctp_cmd_delete_tcb() in net/sctp/sm_sideeffect.c.
 */
static void have_all_closed(const struct taker *taker)
{
	char byte = 0;

	must(write(taker->fd, &byte, 1) == 1 && read(taker->fd, &byte, 1) == 1
		     ? 0
		     : -1,
	     "taker");
}

/* Its association ends with it, and leaves the port at once. */
static int open_abrupt(const struct kind *kind)
{
	const struct linger abort = { .l_onoff = 1 };
	const int fd = open_kind(kind);

	must(setsockopt(fd, SOL_SOCKET, SO_LINGER, &abort, sizeof(abort)),
	     "SO_LINGER");
	return fd;
}

/* --- what holds ----------------------------------------------------------- */

/* Sockets until one gets no port; each has one of its own, of the range. */
static void fill(const struct kind *kind, const struct way *way,
		 const char *range, const struct taker *taker)
{
	const int n_ports = range_size(range);
	bool is_taken[65536] = { false };
	int fds[MAX_PORTS + 1], n = 0, n_wrong = 0, error = 0;

	while (n <= n_ports && error == 0) {
		fds[n] = open_abrupt(kind);
		errno = 0;
		error = way->take(kind, fds[n]) == 0 ? 0 : errno;

		const uint16_t port = local_port(fds[n++]);

		n_wrong += error == 0 &&
			   (!range_has(range, port) || is_taken[port]);
		n_wrong += error != 0 && port != 0;
		is_taken[port] = true;
	}
	check(n_wrong == 0, "%s %s: ports of the range, each once, not %d",
	      kind->name, way->name, n_wrong);
	check(n == n_ports + 1 && error == way->error,
	      "%s %s: %d ports are had, not %d, and then %s, not %s",
	      kind->name, way->name, n_ports, n - 1,
	      strerrorname_np(way->error), strerrorname_np(error));
	while (n > 0)
		close(fds[--n]);
	have_all_closed(taker);

	const int fd = open_abrupt(kind);

	error = way->take(kind, fd) == 0 ? 0 : errno;
	check(error == 0, "%s %s: works again, not %s", kind->name, way->name,
	      strerrorname_np(error));
	close(fd);
	have_all_closed(taker);
}

/* Each port of the range is a destination in turn, and nobody listens. */
static void never_by_itself(const struct kind *kind, const char *range)
{
	int n_self = 0;

	for (uint32_t port = 1; port < 65536; port++)
		for (int try = 0; try < N_TRIES; try++) {
			if (!range_has(range, (uint16_t)port))
				break;

			const int fd = open_kind(kind);

			n_self += connect_to(fd, loopback_of(kind,
							     (uint16_t)port)) ==
					  0 ||
				  local_port(fd) == port;
			close(fd);
		}
	check(n_self == 0, "%s: no automatic self-connect, not %d", kind->name,
	      n_self);
}

static void explicit_self(const struct kind *kind)
{
	struct packed list = packed_pair(kind, CLOSED_PORT);
	const int fd = open_kind(kind);

	must(bind_to(fd, loopback_of(kind, CLOSED_PORT)), "bind");
	errno = 0;
	check(connect_to(fd, loopback_of(kind, CLOSED_PORT)) < 0 &&
		      errno == ECONNREFUSED,
	      "%s: connect to itself is refused, not %s", kind->name,
	      strerrorname_np(errno));
	errno = 0;
	check(connectx_to(fd, &list) < 0 && errno == ECONNREFUSED,
	      "%s: connectx to itself is refused, not %s", kind->name,
	      strerrorname_np(errno));
	check(connect_to(fd, loopback_of(kind, OPEN_PORT)) == 0,
	      "%s: it connects elsewhere, not %s", kind->name,
	      strerrorname_np(errno));
	close(fd);
}

int main(int argc, char *argv[])
{
	must(argc == 2 && range_size(argv[1]) <= MAX_PORTS ? 0 : -1, "range");
	for (size_t i = 0; i < N_SCTP_KINDS; i++) {
		const struct kind *kind = &sctp_kinds[i];

		if (!kind_present(kind))
			continue;

		const int server = open_kind(kind);

		must(bind_to(server, any_of(kind, OPEN_PORT)), "bind");
		must(listen(server, 100), "listen");

		const struct taker taker = start_taker(kind, server);

		for (size_t j = 0; j < sizeof(ways) / sizeof(*ways); j++)
			fill(kind, &ways[j], argv[1], &taker);
		never_by_itself(kind, argv[1]);
		if (!sctp_is_many(kind))
			explicit_self(kind);
		end_taker(&taker);
		close(server);
	}
	return 0;
}
