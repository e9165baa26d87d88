/* SPDX-License-Identifier: MIT */
/*
 * connect() of streams looks the same with and without Berth.
 * Edge cases 1, 27, 29, 31 and 32.
 */
#include "probe.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#define OPEN_PORT 5200		/* a server listens */
#define OTHER_PORT 5201		/* another one */
#define CLOSED_PORT 5202	/* nobody does */
#define OWN_PORT 5203		/* a server of one test */

static int open_nonblocking(const struct kind *kind)
{
	int fd = open_kind(kind);

	must(fcntl(fd, F_SETFL, O_NONBLOCK), "O_NONBLOCK");
	return fd;
}

static void connect_once(const struct kind *kind)
{
	struct address peer = loopback_of(kind, OPEN_PORT), name = { 0 };
	int fd = open_kind(kind);

	REPORT(fd, connect_to(fd, peer), "%s connect", kind->name);
	REPORT(fd, connect_to(fd, peer), "%s connect again", kind->name);
	REPORT(fd, connect_to(fd, loopback_of(kind, OTHER_PORT)),
	       "%s connect elsewhere", kind->name);
	REPORT(fd, bind_to(fd, loopback_of(kind, 0)), "%s bind connected",
	       kind->name);
	REPORT(fd, listen(fd, 1), "%s listen connected", kind->name);
	name.length = sizeof(name.storage);
	REPORT(-1, getpeername(fd, &name.sa, &name.length), "%s getpeername",
	       kind->name);
	report_text("%s peer is %d", kind->name,
		    memcmp(&name, &peer, peer.length));
	REPORT(-1, shutdown(fd, SHUT_RDWR), "%s shutdown", kind->name);
	REPORT(-1, close(fd), "%s close", kind->name);
}

static void connect_nonblocking(const struct kind *kind)
{
	int fd = open_nonblocking(kind);

	REPORT(fd, connect_to(fd, loopback_of(kind, OPEN_PORT)),
	       "%s nonblocking", kind->name);
	REPORT(fd, await_connect(fd), "%s nonblocking, SO_ERROR", kind->name);
	REPORT(fd, connect_to(fd, loopback_of(kind, OPEN_PORT)),
	       "%s nonblocking, second call", kind->name);
	REPORT(fd, connect_to(fd, loopback_of(kind, OPEN_PORT)),
	       "%s nonblocking, third call", kind->name);
	close(fd);

	fd = open_nonblocking(kind);
	REPORT(-1, connect_to(fd, loopback_of(kind, CLOSED_PORT)),
	       "%s nonblocking, refused", kind->name);
	REPORT(-1, await_connect(fd), "%s refused, SO_ERROR", kind->name);
	REPORT(-1, connect_to(fd, loopback_of(kind, OPEN_PORT)),
	       "%s nonblocking after refused", kind->name);
	REPORT(-1, connect_to(fd, loopback_of(kind, OPEN_PORT)),
	       "%s after refused, second call", kind->name);
	REPORT(-1, await_connect(fd), "%s after refused, SO_ERROR", kind->name);
	REPORT(fd, connect_to(fd, loopback_of(kind, OPEN_PORT)),
	       "%s after refused, third call", kind->name);
	close(fd);
}

/* Edge case 1: the same socket tries again. */
static void connect_refused(const struct kind *kind)
{
	int fd = open_kind(kind);

	for (int try = 0; try < 3; try++)
		REPORT(fd, connect_to(fd, loopback_of(kind, CLOSED_PORT)),
		       "%s refused, try %d", kind->name, try);
	REPORT(fd, connect_to(fd, loopback_of(kind, OPEN_PORT)),
	       "%s connect after refused", kind->name);
	close(fd);

	fd = open_kind(kind);
	REPORT(fd, connect_to(fd, loopback_of(kind, CLOSED_PORT)),
	       "%s refused", kind->name);
	REPORT(fd, bind_to(fd, loopback_of(kind, 5203)),
	       "%s bind after refused", kind->name);
	close(fd);

	fd = open_kind(kind);
	REPORT(fd, connect_to(fd, loopback_of(kind, CLOSED_PORT)),
	       "%s refused, then listen", kind->name);
	REPORT(fd, listen(fd, 1), "%s listen after refused", kind->name);
	close(fd);
}

static void connect_unspec(const struct kind *kind)
{
	struct address none = { .length = sizeof(struct sockaddr_in) };
	int fd = open_kind(kind);

	none.sa.sa_family = AF_UNSPEC;
	REPORT(fd, connect_to(fd, none), "%s unspec, fresh", kind->name);
	REPORT(fd, connect(fd, &none.sa, sizeof(sa_family_t)),
	       "%s unspec, fresh, length 2", kind->name);
	for (int round = 0; round < 2; round++) {
		REPORT(fd, connect_to(fd, loopback_of(kind, OPEN_PORT)),
		       "%s connect before unspec %d", kind->name, round);
		REPORT(fd, connect_to(fd, none), "%s unspec %d", kind->name,
		       round);
	}
	REPORT(fd, bind_to(fd, loopback_of(kind, 5204)),
	       "%s bind after unspec", kind->name);
	close(fd);

	fd = open_kind(kind);
	REPORT(fd, bind_to(fd, loopback_of(kind, 5206)), "%s bind 5206",
	       kind->name);
	REPORT(fd, connect_to(fd, loopback_of(kind, OPEN_PORT)),
	       "%s connect bound", kind->name);
	REPORT(fd, connect_to(fd, none), "%s unspec bound", kind->name);
	REPORT(fd, connect_to(fd, loopback_of(kind, OTHER_PORT)),
	       "%s connect bound, elsewhere", kind->name);
	close(fd);
}

/* Edge case 32: the address is fixed first, the port comes along. */
static void connect_bound(const struct kind *kind)
{
	for (int options = 0; options < 8; options++) {
		int fd = open_kind(kind);

		set_int(fd, SOL_SOCKET, SO_REUSEADDR, options & 1);
		set_int(fd, SOL_SOCKET, SO_REUSEPORT, options >> 1 & 1);
		if (options & 4)
			REPORT(fd, bind_to(fd, loopback_of(kind, 0)),
			       "%s bind, options %d", kind->name, options);
		REPORT(fd, connect_to(fd, loopback_of(kind, OPEN_PORT)),
		       "%s connect, options %d", kind->name, options);
		close(fd);
	}

	int fd = open_kind(kind);
	REPORT(fd, listen(fd, 1), "%s listen", kind->name);
	REPORT(fd, connect_to(fd, loopback_of(kind, OPEN_PORT)),
	       "%s connect listening", kind->name);
	close(fd);
}

/* Edge case 27. */
static void connect_lengths(const struct kind *kind)
{
	static const int lengths[] = { 0, 1, 2, 8, 15, 16, 17, 23, 24, 27, 28,
				       29, 110, 128, 129, -1 };

	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		struct address address = loopback_of(kind, OPEN_PORT);
		int fd = open_kind(kind);

		REPORT(fd, connect(fd, &address.sa, (socklen_t)lengths[i]),
		       "%s connect length %d", kind->name, lengths[i]);
		close(fd);
	}
}

/* Edge case 27. */
static void connect_places(const struct kind *kind)
{
	struct address address = loopback_of(kind, OPEN_PORT);
	char odd[sizeof(address) + 1];
	int fd = open_kind(kind);

	memcpy(odd + 1, &address, sizeof(address));
	REPORT(fd, connect(fd, (struct sockaddr *)(odd + 1), address.length),
	       "%s connect unaligned", kind->name);
	close(fd);

	void *end = page_end(&address, address.length, false);
	fd = open_kind(kind);
	REPORT(fd, connect(fd, NULL, address.length), "%s connect NULL",
	       kind->name);
	REPORT(fd, connect(fd, NULL, 0), "%s connect NULL, 0", kind->name);
	REPORT_WILD(fd, connect(fd, (void *)-1L, 16), "%s connect (void *)-1",
		    kind->name);
	REPORT(fd, connect(fd, end, address.length),
	       "%s connect read-only at the page", kind->name);
	close(fd);
	fd = open_kind(kind);
	REPORT_WILD(fd, connect(fd, end, 128), "%s connect 128 at the page",
		    kind->name);
	close(fd);
}

static void connect_peers(const struct kind *kind)
{
	static const char *const texts[] = {
		"127.0.0.1", "127.7.7.7", "0.0.0.0", "192.0.2.1", "224.0.0.1",
		"255.255.255.255", "127.255.255.255", "::", "::1",
		"::ffff:127.0.0.1", "::ffff:0.0.0.0", "::ffff:192.0.2.1",
		"2001:db8::1", "fe80::1", "ff02::1",
	};
	static const uint16_t ports[] = { OPEN_PORT, CLOSED_PORT, 0 };

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts) * 3; i++) {
		struct address peer = address_of(texts[i / 3], ports[i % 3]);
		int fd = open_kind(kind);

		REPORT(fd, connect_to(fd, peer), "%s connect [%s]:%u",
		       kind->name, texts[i / 3], ports[i % 3]);
		close(fd);
	}
}

static void connect_families(const struct kind *kind)
{
	static const sa_family_t families[] = {
		AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, 999,
	};

	for (size_t i = 0; i < sizeof(families) / sizeof(*families); i++) {
		struct address peer = loopback_of(kind, OPEN_PORT);
		int fd = open_kind(kind);

		peer.sa.sa_family = families[i];
		REPORT(fd, connect_to(fd, peer), "%s connect family %u",
		       kind->name, families[i]);
		REPORT(fd, connect_to(fd, loopback_of(kind, OPEN_PORT)),
		       "%s connect after family %u", kind->name, families[i]);
		peer.sa.sa_family = families[i];
		REPORT(fd, connect_to(fd, peer), "%s connected, family %u",
		       kind->name, families[i]);
		close(fd);
	}
}

static void connect_v6only(const struct kind *kind)
{
	int fd = open_kind(kind);

	set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	REPORT(fd, connect_to(fd, address_of("::ffff:127.0.0.1", OPEN_PORT)),
	       "%s v6only to mapped", kind->name);
	REPORT(fd, connect_to(fd, loopback_of(kind, OPEN_PORT)),
	       "%s v6only", kind->name);
	close(fd);

	fd = open_kind(kind);
	must(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 2), "lo");
	REPORT(fd, connect_to(fd, loopback_of(kind, OPEN_PORT)),
	       "%s on a device", kind->name);
	close(fd);
}

static void ignore_signal(int number)
{
	(void)number;
}

/* Edge case 29: a signal while connect() waits, on a full backlog. */
static void connect_interrupted(void)
{
	struct sigaction action = { .sa_handler = ignore_signal };
	struct itimerval often = { { 0, 10000 }, { 0, 10000 } }, never = { 0 };
	struct address peer = loopback_of(&kinds[TCP4], 5205);
	int server = open_kind(&kinds[TCP4]);

	must(bind_to(server, peer), "bind");
	must(listen(server, 0), "listen");
	int first = open_kind(&kinds[TCP4]), fd = open_kind(&kinds[TCP4]);
	must(connect_to(first, peer), "connect");
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	REPORT(fd, connect_to(fd, peer), "connect interrupted");
	setitimer(ITIMER_REAL, &never, NULL);
	REPORT(fd, fcntl(fd, F_SETFL, O_NONBLOCK), "O_NONBLOCK");
	REPORT(fd, connect_to(fd, peer), "connect while in progress");
	close(fd);
	close(first);
	close(server);
}

/* To the port that a failed connect has left to see. */
static void connect_own_port(const struct kind *kind)
{
	int fd = open_kind(kind);

	REPORT(fd, bind_to(fd, any_of(kind, 0)), "%s bind first", kind->name);
	REPORT(fd, connect_to(fd, loopback_of(kind, CLOSED_PORT)),
	       "%s connect to nobody", kind->name);
	REPORT(fd, connect_to(fd, loopback_of(kind, local_port(fd))),
	       "%s connect to the port that it had", kind->name);
	REPORT(fd, listen(fd, 1), "%s listen afterwards", kind->name);
	close(fd);
}

/* The address of a connection that has ended is not one to listen on. */
static void listen_accepted(const struct kind *kind)
{
	struct address none = { .length = sizeof(struct sockaddr_in) };
	int listener = start_server(kind, loopback_of(kind, OWN_PORT));
	int client = open_kind(kind), fd;

	none.sa.sa_family = AF_UNSPEC;
	must(connect_to(client, loopback_of(kind, OWN_PORT)), "connect");
	fd = must(accept(listener, NULL, NULL), "accept");
	close(client);
	close(listener);
	must(connect_to(fd, none), "disconnect");
	REPORT(fd, listen(fd, 1), "%s listen, accepted and disconnected",
	       kind->name);
	close(fd);
}

static void bad_descriptors(void)
{
	int closed = must(dup(0), "dup"), ends[2];
	int file = must(open("/dev/null", O_RDWR), "/dev/null");

	must(pipe(ends), "pipe");
	close(closed);
	const int fds[] = { -1, closed, FD_HUGE, file, ends[0], ends[1],
			    -2147483647 - 1 };

	for (size_t i = 0; i < sizeof(fds) / sizeof(*fds); i++) {
		REPORT(-1, connect_to(fds[i], any_of(&kinds[TCP4], OPEN_PORT)),
		       "connect bad fd %zu", i);
		REPORT(-1, connect(fds[i], NULL, 0), "bad fd %zu, NULL", i);
		REPORT_WILD(-1, connect(fds[i], (void *)1L, 16),
			    "bad fd %zu, 1", i);
	}
	close(file);
	close(ends[0]);
	close(ends[1]);
}

static void connect_kind(const struct kind *kind)
{
	int server = start_server(kind, any_of(kind, OPEN_PORT));
	int other = start_server(kind, any_of(kind, OTHER_PORT));

	connect_once(kind);
	connect_nonblocking(kind);
	connect_refused(kind);
	connect_own_port(kind);
	listen_accepted(kind);
	connect_unspec(kind);
	connect_bound(kind);
	connect_lengths(kind);
	connect_places(kind);
	connect_peers(kind);
	connect_families(kind);
	if (kind->family == AF_INET6)
		connect_v6only(kind);
	if (kind == &kinds[TCP4])
		connect_interrupted();
	close(server);
	close(other);
}

int main(void)
{
	for (const struct kind *kind = kinds; kind <= kinds + MPTCP6; kind++) {
		if (kind_present(kind))
			connect_kind(kind);
	}
	bad_descriptors();
	return 0;
}
