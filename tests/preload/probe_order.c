/* SPDX-License-Identifier: MIT */
/*
 * The kernel's own order: what it refuses leaves the socket as it was, and
 * comes before anything that Berth would say. What a socket has been given by
 * the program, or by a child, stays. Edge cases 65, 67 and 69.
 */
#include "probe.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define CLOSED_PORT 5401
#define OWN_PORT 5402

static const struct address unspecified = {
	.sa.sa_family = AF_UNSPEC, .length = sizeof(struct sockaddr_in),
};

/* Runs a part in a child, which has the parent's sockets. */
#define IN_CHILD(statement) do { \
	pid_t in_child = must(fork(), "fork"); \
	if (in_child == 0) { \
		statement; \
		_exit(0); \
	} \
	must(waitpid(in_child, NULL, 0), "waitpid"); \
} while (0)

static int refused_later(const struct kind *kind)
{
	int fd = open_kind(kind);

	must(fcntl(fd, F_SETFL, O_NONBLOCK), "fcntl");
	if (connect_to(fd, loopback_of(kind, CLOSED_PORT)) &&
	    errno == EINPROGRESS)
		await_connect(fd);
	return fd;
}

static void refused_listen(const struct kind *kind)
{
	int fd = refused_later(kind);

	REPORT(fd, listen(fd, 1), "%s listen while connecting", kind->name);
	close(fd);
}

static void connect_to_itself(const struct kind *kind)
{
	struct address own = loopback_of(kind, OWN_PORT);
	struct address other = address_of(kind->family == AF_INET
					  ? "::1" : "127.0.0.1", OWN_PORT);
	int fd = open_kind(kind);

	must(bind_to(fd, own), "bind");
	REPORT(fd, connect_to(fd, other), "%s bound, to the other family",
	       kind->name);
	must(listen(fd, 1), "listen");
	REPORT(fd, connect_to(fd, own), "%s listener, to itself", kind->name);
	close(fd);
}

/* After a connect without a route, all else is as before. */
static void no_route(const struct kind *kind)
{
	struct address far = address_of(kind->family == AF_INET
					? "10.1.2.3" : "2001:db8::1", 9);
	int fd = open_kind(kind), next = open_kind(kind);

	must(bind_to(fd, loopback_of(kind, 0)), "bind");
	REPORT(fd, connect_to(fd, far), "%s no route", kind->name);
	REPORT(fd, connect_to(fd, loopback_of(kind, CLOSED_PORT)),
	       "%s refused, after no route", kind->name);
	REPORT(next, bind_to(next, loopback_of(kind, 0)),
	       "%s another, after no route", kind->name);
	close(fd);
	close(next);
}

/* What a child has bound its parent's socket to stays its address. */
static void address_by_child(const struct kind *kind, const char *text)
{
	struct address address = address_of(text, 0);
	struct address peer = address_of(strchr(text, '.') == text + 3
		? "127.0.0.1" : kind->loopback, CLOSED_PORT);
	int fd = open_kind(kind);

	IN_CHILD(bind_to(fd, address); connect_to(fd, unspecified));
	REPORT(fd, send_to(fd, peer, 0), "%s send from %s", kind->name, text);
	close(fd);
}

static void mapped_wildcard(const struct kind *kind)
{
	int fd = open_kind(kind);

	REPORT(fd, bind_to(fd, address_of("::ffff:0.0.0.0", 0)),
	       "%s bind to the mapped wildcard", kind->name);
	REPORT(fd, connect_to(fd, unspecified), "%s then disconnect",
	       kind->name);
	REPORT(fd, send_to(fd, address_of("::ffff:127.0.0.1", CLOSED_PORT), 0),
	       "%s then send", kind->name);
	close(fd);
}

static void reuseport_filter(const struct kind *kind)
{
	struct sock_filter code[] = { BPF_STMT(BPF_RET | BPF_K, 0) };
	struct sock_fprog filter = { 1, code };
	int fd = open_kind(kind);

	set_int(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	must(bind_to(fd, loopback_of(kind, 0)), "bind");
	if (kind->type == SOCK_STREAM)
		must(listen(fd, 1), "listen");
	REPORT(fd, setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF,
			      &filter, sizeof(filter)),
	       "%s filter of a reuseport group", kind->name);
	close(fd);
}

/* TCP_REPAIR sets SO_REUSEADDR to 2. */
static void under_repair(const struct kind *kind)
{
	int fd = open_kind(kind);

	REPORT(fd, set_int(fd, IPPROTO_TCP, TCP_REPAIR, 1), "%s repair",
	       kind->name);
	REPORT(fd, bind_to(fd, loopback_of(kind, 0)), "%s bind in repair",
	       kind->name);
	close(fd);
}

/* While the socket is still to be told what came of a connect. */
static void under_repair_refused(const struct kind *kind)
{
	int fd = open_kind(kind);

	must(fcntl(fd, F_SETFL, O_NONBLOCK), "fcntl");
	connect_to(fd, loopback_of(kind, CLOSED_PORT));
	set_int(fd, IPPROTO_TCP, TCP_REPAIR, 1);
	REPORT(fd, connect_to(fd, loopback_of(kind, CLOSED_PORT)),
	       "%s told of a connect in repair", kind->name);
	close(fd);
}

static void own_range_by_child(const struct kind *kind)
{
	int fd = open_kind(kind);

	IN_CHILD(set_int(fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE,
			 6001 << 16 | 6000));
	REPORT(fd, bind_to(fd, loopback_of(kind, 0)),
	       "%s bind with a range that a child has set", kind->name);
	close(fd);
}

/* A page that was readable is so no more. */
static void unmapped(const struct kind *kind)
{
	struct address address = loopback_of(kind, CLOSED_PORT);
	const size_t size = 65536;
	char *page = mmap(NULL, size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct sockaddr *copy = memcpy(page, &address.storage, address.length);
	int one = open_kind(kind), two = open_kind(kind);

	must(bind(one, copy, address.length), "bind");
	munmap(page, size);
	REPORT(two, bind(two, copy, address.length), "%s bind, unmapped",
	       kind->name);
	REPORT(two, connect(two, copy, address.length), "%s connect, unmapped",
	       kind->name);
	REPORT(two, sendto(two, "x", 1, MSG_NOSIGNAL, copy, address.length),
	       "%s sendto, unmapped", kind->name);
	REPORT(two, sendmsg(two, (struct msghdr *)copy, MSG_NOSIGNAL),
	       "%s sendmsg, unmapped", kind->name);
	close(one);
	close(two);
}

int main(void)
{
	static const int streams[] = { TCP4, TCP6 };
	static const int datagrams[] = { UDP4, UDP6, UDPLITE4, UDPLITE6 };

	for (size_t i = 0; i < 2; i++) {
		const struct kind *kind = &kinds[streams[i]];

		refused_listen(kind);
		connect_to_itself(kind);
		no_route(kind);
		reuseport_filter(kind);
		under_repair_refused(kind);
		under_repair(kind);
		own_range_by_child(kind);
		unmapped(kind);
	}
	for (size_t i = 0; i < 4; i++) {
		const struct kind *kind = &kinds[datagrams[i]];

		if (!kind_present(kind))
			continue;
		address_by_child(kind, kind->family == AF_INET
					       ? "127.0.0.2"
					       : "::ffff:127.0.0.2");
		reuseport_filter(kind);
		own_range_by_child(kind);
		unmapped(kind);
	}
	mapped_wildcard(&kinds[UDP6]);
	return 0;
}
