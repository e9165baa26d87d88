/* SPDX-License-Identifier: MIT */
/*
 * Every call that assigns a port assigns one of the range, for every protocol
 * that the kernel has. Edge cases 2, 14, 15, 16, 28, 31 and 33.
 */
#include "probe.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define OPEN_PORT 7000
#define CLOSED_PORT 7001

int __connect(int fd, const struct sockaddr *address, socklen_t length);

static char payload[] = "x";

static void bind_any(const struct kind *kind, int fd)
{
	must(bind_to(fd, any_of(kind, 0)), "bind");
}

static void bind_loopback(const struct kind *kind, int fd)
{
	must(bind_to(fd, loopback_of(kind, 0)), "bind");
}

static void bind_long(const struct kind *kind, int fd)
{
	struct address address = any_of(kind, 0);

	must(bind(fd, &address.sa, 128), "bind of 128 bytes");
}

static void bind_reusing(const struct kind *kind, int fd)
{
	set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	set_int(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	must(bind_to(fd, any_of(kind, 0)), "bind");
}

static void bind_v6only(const struct kind *kind, int fd)
{
	if (kind->family == AF_INET6)
		must(set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1), "V6ONLY");
	must(bind_to(fd, any_of(kind, 0)), "bind");
}

static void connect_plain(const struct kind *kind, int fd)
{
	must(connect_to(fd, loopback_of(kind, OPEN_PORT)), "connect");
}

static void connect_mapped(const struct kind *kind, int fd)
{
	const char *text = kind->family == AF_INET6 ? "::ffff:127.0.0.1"
						    : "127.0.0.1";

	must(connect_to(fd, address_of(text, OPEN_PORT)), "connect");
}

static void connect_wildcard(const struct kind *kind, int fd)
{
	must(connect_to(fd, any_of(kind, OPEN_PORT)), "connect");
}

static void connect_hidden(const struct kind *kind, int fd)
{
	struct address peer = loopback_of(kind, OPEN_PORT);

	must(__connect(fd, &peer.sa, peer.length), "__connect");
}

static void connect_by_number(const struct kind *kind, int fd)
{
	struct address peer = loopback_of(kind, OPEN_PORT);

	must((int)syscall(SYS_connect, fd, &peer.sa, peer.length), "syscall");
}

static void bind_by_number(const struct kind *kind, int fd)
{
	struct address local = loopback_of(kind, 0);

	must((int)syscall(SYS_bind, fd, &local.sa, local.length), "syscall");
}

static void connect_reusing(const struct kind *kind, int fd)
{
	set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	connect_plain(kind, fd);
}

static void connect_nonblocking(const struct kind *kind, int fd)
{
	must(fcntl(fd, F_SETFL, O_NONBLOCK), "O_NONBLOCK");
	connect_to(fd, loopback_of(kind, OPEN_PORT));
	must(-await_connect(fd), "nonblocking connect");
}

static void connect_late(const struct kind *kind, int fd)
{
	set_int(fd, SOL_IP, IP_BIND_ADDRESS_NO_PORT, 1);
	must(bind_to(fd, loopback_of(kind, 0)), "bind without port");
	connect_plain(kind, fd);
}

static void connect_copy(const struct kind *kind, int fd)
{
	int copy = must(dup(fd), "dup");

	connect_plain(kind, copy);
	close(copy);
}

static void connect_again(const struct kind *kind, int fd)
{
	struct address none = { .length = sizeof(struct sockaddr_in) };

	none.sa.sa_family = AF_UNSPEC;
	connect_to(fd, loopback_of(kind, CLOSED_PORT));
	connect_to(fd, none);
	connect_plain(kind, fd);
}

/* The program's own range, which a child process resets. */
static void connect_without_range(const struct kind *kind, int fd)
{
	pid_t child;

	set_int(fd, SOL_IP, IP_LOCAL_PORT_RANGE, 30001 << 16 | 30000);
	child = must(fork(), "fork");
	if (child == 0) {
		set_int(fd, SOL_IP, IP_LOCAL_PORT_RANGE, 0);
		_exit(0);
	}
	must(waitpid(child, NULL, 0), "waitpid");
	connect_plain(kind, fd);
}

static void bind_reformed(const struct kind *kind, int fd)
{
	struct address none = { .length = sizeof(struct sockaddr_in) };

	none.sa.sa_family = AF_UNSPEC;
	connect_mapped(kind, fd);
	/* MPTCP does not have it. */
	if (kind->family == AF_INET6 &&
	    set_int(fd, IPPROTO_IPV6, IPV6_ADDRFORM, AF_INET) == 0)
		kind = &kinds[kind == &kinds[TCP6] ? TCP4 : UDP4];
	must(connect_to(fd, none), "disconnect");
	/* Fails where the port outlives the disconnect: it is of the range. */
	bind_to(fd, loopback_of(kind, 0));
}

static void listen_unbound(const struct kind *kind, int fd)
{
	(void)kind;
	must(listen(fd, 1), "listen");
}

static void listen_late(const struct kind *kind, int fd)
{
	set_int(fd, SOL_IP, IP_BIND_ADDRESS_NO_PORT, 1);
	must(bind_to(fd, loopback_of(kind, 0)), "bind without port");
	must(listen(fd, 1), "listen");
}

static void fastopen_sendto(const struct kind *kind, int fd)
{
	must((int)send_to(fd, loopback_of(kind, OPEN_PORT), MSG_FASTOPEN),
	     "MSG_FASTOPEN");
}

static void fastopen_connect(const struct kind *kind, int fd)
{
	must(set_int(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1), "option");
	connect_plain(kind, fd);
	must((int)send(fd, "x", 1, 0), "send");
}

static void sendto_first(const struct kind *kind, int fd)
{
	must((int)send_to(fd, loopback_of(kind, OPEN_PORT), 0), "sendto");
}

static void sendmsg_first(const struct kind *kind, int fd)
{
	struct address peer = loopback_of(kind, OPEN_PORT);
	struct iovec part = { .iov_base = payload, .iov_len = 1 };
	struct msghdr header = { .msg_name = &peer,
				 .msg_iov = &part,
				 .msg_namelen = peer.length,
				 .msg_iovlen = 1 };

	must((int)sendmsg(fd, &header, 0), "sendmsg");
}

static void sendmmsg_first(const struct kind *kind, int fd)
{
	struct address peer = loopback_of(kind, OPEN_PORT);
	struct iovec part = { .iov_base = payload, .iov_len = 1 };
	struct mmsghdr header = { .msg_hdr = { .msg_name = &peer,
					       .msg_namelen = peer.length,
					       .msg_iov = &part,
					       .msg_iovlen = 1 } };

	must(sendmmsg(fd, &header, 1, 0), "sendmmsg");
}

#define STREAM (1 << SOCK_STREAM)
#define DATAGRAM (1 << SOCK_DGRAM)

static const struct {
	const char *name;
	int types;
	void (*call)(const struct kind *kind, int fd);
} calls[] = {
	{ "bind any:0", STREAM | DATAGRAM, bind_any },
	{ "bind loopback:0", STREAM | DATAGRAM, bind_loopback },
	{ "bind of 128 bytes", STREAM | DATAGRAM, bind_long },
	{ "bind with reuse", STREAM | DATAGRAM, bind_reusing },
	{ "bind with V6ONLY", STREAM | DATAGRAM, bind_v6only },
	{ "SYS_bind", STREAM | DATAGRAM, bind_by_number },
	{ "connect", STREAM | DATAGRAM, connect_plain },
	{ "connect to a mapped address", STREAM | DATAGRAM, connect_mapped },
	{ "connect to the wildcard", STREAM | DATAGRAM, connect_wildcard },
	{ "__connect", STREAM | DATAGRAM, connect_hidden },
	{ "SYS_connect", STREAM | DATAGRAM, connect_by_number },
	{ "connect with reuse", STREAM | DATAGRAM, connect_reusing },
	{ "nonblocking connect", STREAM | DATAGRAM, connect_nonblocking },
	{ "bind without port, connect", STREAM | DATAGRAM, connect_late },
	{ "connect of a copy", STREAM | DATAGRAM, connect_copy },
	{ "refused, unspec, connect", STREAM | DATAGRAM, connect_again },
	{ "range set and reset, connect", STREAM | DATAGRAM,
	  connect_without_range },
	{ "IPV6_ADDRFORM, unspec, bind", STREAM | DATAGRAM, bind_reformed },
	{ "listen", STREAM, listen_unbound },
	{ "bind without port, listen", STREAM, listen_late },
	{ "sendto MSG_FASTOPEN", STREAM, fastopen_sendto },
	{ "TCP_FASTOPEN_CONNECT", STREAM, fastopen_connect },
	{ "sendto", DATAGRAM, sendto_first },
	{ "sendmsg", DATAGRAM, sendmsg_first },
	{ "sendmmsg", DATAGRAM, sendmmsg_first },
};

static void run_calls(const struct kind *kind, const char *range)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		if (!(calls[i].types & 1 << kind->type))
			continue;
		int fd = open_kind(kind);
		calls[i].call(kind, fd);
		check(range_has(range, local_port(fd)),
		      "%s: %s gets a port of the range, not %u", kind->name,
		      calls[i].name, local_port(fd));
		close(fd);
	}
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	for (const struct kind *kind = kinds; kind < kinds + N_KINDS; kind++) {
		if (!kind_present(kind))
			continue;
		int server = start_server(kind, any_of(kind, OPEN_PORT));
		run_calls(kind, argv[1]);
		close(server);
	}
	return 0;
}
