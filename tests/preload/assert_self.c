/* SPDX-License-Identifier: MIT */
/*
 * TCP never connects to itself; UDP may. The range is small, and each of its
 * ports is a destination in turn. Edge cases 8, 9 and 10.
 */
#include "probe.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define N_TRIES 20
#define EXPLICIT_PORT 7400 /* and the next 36 */
#define OPEN_PORT 7399

/* The errno that the connect ends with, 0 for success. */
static int outcome(int fd, struct address peer, bool nonblocking)
{
	if (nonblocking)
		must(fcntl(fd, F_SETFL, O_NONBLOCK), "O_NONBLOCK");
	if (!connect_to(fd, peer))
		return 0;
	return errno == EINPROGRESS ? await_connect(fd) : errno;
}

static void automatic(const struct kind *kind, const char *text,
		      bool nonblocking, const char *range)
{
	int self = 0, other = 0, bad = 0;

	for (uint32_t port = 1; port < 65536; port++) {
		if (!range_has(range, (uint16_t)port))
			continue;
		for (int try = 0; try < N_TRIES; try++) {
			int fd = open_kind(kind);
			int error = outcome(fd,
					    address_of(text, (uint16_t)port),
					    nonblocking);

			self += error == 0;
			other += error != 0 && error != ECONNREFUSED;
			bad = error && error != ECONNREFUSED ? error : bad;
			close(fd);
		}
	}
	check(self == 0, "%s: no automatic self-connect to [%s]%s, not %d",
	      kind->name, text, nonblocking ? ", nonblocking" : "", self);
	check(other == 0, "%s: [%s] says ECONNREFUSED%s, not %s", kind->name,
	      text, nonblocking ? ", nonblocking" : "",
	      bad ? strerrorname_np(bad) : "another errno");
}

static const char *const four[] = { "127.0.0.1", "0.0.0.0", "127.0.0.2",
				    "10.9.8.7" };
static const char *const six[] = { "::1", "::", "::ffff:127.0.0.1",
				   "::ffff:0.0.0.0", "::ffff:10.9.8.7" };

static void all_automatic(const struct kind *kind, const char *range)
{
	bool is_four = kind->family == AF_INET;

	for (size_t i = 0; i < (is_four ? 4 : 5); i++) {
		automatic(kind, is_four ? four[i] : six[i], false, range);
		automatic(kind, is_four ? four[i] : six[i], true, range);
	}
}

struct pair {
	const char *local, *peer;
};

static const struct pair pairs_four[] = {
	{ "127.0.0.1", "127.0.0.1" }, { "0.0.0.0", "127.0.0.1" },
	{ "127.0.0.1", "0.0.0.0" },   { "0.0.0.0", "0.0.0.0" },
	{ "10.9.8.7", "10.9.8.7" },   { "0.0.0.0", "10.9.8.7" },
};
static const struct pair pairs_six[] = {
	{ "::1", "::1" },
	{ "::", "::1" },
	{ "::1", "::" },
	{ "::", "::" },
	{ "::ffff:127.0.0.1", "::ffff:127.0.0.1" },
	{ "::", "::ffff:127.0.0.1" },
	{ "::ffff:0.0.0.0", "::ffff:127.0.0.1" },
	{ "::", "::ffff:10.9.8.7" },
	{ "::ffff:127.0.0.1", "::ffff:0.0.0.0" },
};

/* port 0: whatever bind(0) gives. */
static void explicit_pair(const struct kind *kind, const struct pair *pair,
			  uint16_t port, bool nonblocking)
{
	int fd = open_kind(kind);

	must(bind_to(fd, address_of(pair->local, port)), pair->local);
	int error = outcome(fd, address_of(pair->peer, local_port(fd)),
			    nonblocking);
	check(error == ECONNREFUSED,
	      "%s: bind [%s]:%u, connect [%s]%s is ECONNREFUSED, not %s",
	      kind->name, pair->local, port, pair->peer,
	      nonblocking ? ", nonblocking" : "",
	      error ? strerrorname_np(error) : "success");
	close(fd);
}

static void all_explicit(const struct kind *kind)
{
	bool is_four = kind->family == AF_INET;
	const struct pair *pairs = is_four ? pairs_four : pairs_six;

	for (size_t i = 0; i < (is_four ? 6 : 9) * 4; i++)
		explicit_pair(kind, &pairs[i / 4],
			      i & 1 ? (uint16_t)(EXPLICIT_PORT + i) : 0, i & 2);
}

/* The same number at another address is another endpoint. */
static void other_address(const struct kind *kind)
{
	struct address peer = address_of("127.0.0.2", EXPLICIT_PORT);
	int server = start_server(kind, peer);
	int fd = open_kind(kind);

	/* What the last kind has left closing may hold the port. */
	set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	must(bind_to(fd, address_of("127.0.0.1", EXPLICIT_PORT)), "bind");
	check(!connect_to(fd, peer), "%s: the same port, another address",
	      kind->name);
	close(fd);
	close(server);
}

static void usable_afterwards(const struct kind *kind)
{
	struct address local = address_of("127.0.0.1", EXPLICIT_PORT);
	int server = start_server(kind, loopback_of(kind, OPEN_PORT));
	int fd = open_kind(kind);

	set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	must(bind_to(fd, local), "bind");
	connect_to(fd, local);
	check(!connect_to(fd, address_of("127.0.0.1", OPEN_PORT)),
	      "%s: a refused socket connects elsewhere", kind->name);
	close(fd);
	close(server);
}

/* Edge case 9: datagrams to oneself, as old PostgreSQL sends them. */
static void datagrams(const struct kind *kind)
{
	char bytes[4] = "";
	int fd = open_kind(kind);

	must(bind_to(fd, loopback_of(kind, 0)), "bind");
	int result = connect_to(fd, loopback_of(kind, local_port(fd)));
	check(result == 0, "%s: connects to itself", kind->name);
	if (result == 0) {
		must((int)send(fd, "me", 2, 0), "send");
		struct pollfd pollfd = { .fd = fd, .events = POLLIN };
		must(poll(&pollfd, 1, -1) - 1, "no datagram came");
		must((int)recv(fd, bytes, sizeof(bytes), 0), "recv");
		check(!memcmp(bytes, "me", 2), "%s: and gets its own datagram",
		      kind->name);
	}
	close(fd);
}

/* assert_self RANGE KIND: what one kind leaves in TIME_WAIT stops no other. */
int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	for (const struct kind *kind = kinds; kind < kinds + N_KINDS; kind++) {
		if (strcmp(argv[2], kind->name) != 0 || !kind_present(kind))
			continue;
		if (kind->type == SOCK_DGRAM) {
			datagrams(kind);
			continue;
		}
		all_automatic(kind, argv[1]);
		if (kind->family == AF_INET) {
			other_address(kind);
			usable_afterwards(kind);
		}
		all_explicit(kind);
	}
	return 0;
}
