/* SPDX-License-Identifier: MIT */
/*
 * target [-s|-f] RANGE SCENE...: a program for the tests of faults to run under
 * Berth.
 *
 * A scene opens sockets of its own, makes the calls that it is named after, and
 * prints a line for each: what, result, errno, and where the local port lies
 * ("in" or "out" of RANGE, "low" for 512 to 1023, a number below 10000, "none").
 * A call that fails ends its scene. The servers that it talks to, on
 * SERVER_PORT and the next, are the driver's.
 *
 * The scenes run twice, so that what a fault has left behind shows. The lines of
 * each pass by one write(2). For a tracer, -s stops it before; -f too, and then a
 * child plays, each time that it is let go on.
 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "target.h"

#define NAMED_PORT 7001
#define ERRNO_KEPT 1234
#define MAX_FDS 8

#ifndef IP_LOCAL_PORT_RANGE
#define IP_LOCAL_PORT_RANGE 51
#endif
#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

static unsigned long range_lo, range_hi;
static const char *scene_name;

static char lines[16384];
static size_t lines_length;

/* The sockets of a scene, closed when it ends. */
static int fds[MAX_FDS];
static int n_fds;

__attribute__((format(printf, 1, 2)))
static void print(const char *format, ...)
{
	va_list arguments;
	const size_t room = sizeof(lines) - lines_length;

	va_start(arguments, format);

	const int n = vsnprintf(lines + lines_length, room, format, arguments);

	va_end(arguments);
	if (n > 0)
		lines_length += (size_t)n < room ? (size_t)n : room - 1;
}

static void flush(void)
{
	size_t done = 0;

	while (done < lines_length) {
		const ssize_t n = write(STDOUT_FILENO, lines + done,
					lines_length - done);

		if (n <= 0)
			_exit(99);
		done += (size_t)n;
	}
	lines_length = 0;
}

union address {
	struct sockaddr generic;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_storage storage;
};

static int port_of(int fd)
{
	union address address = { .storage = { 0 } };
	socklen_t length = sizeof(address);

	if (fd < 0 || getsockname(fd, &address.generic, &length) != 0)
		return 0;
	/* sin_port and sin6_port lie at the same place. */
	return ntohs(address.in.sin_port);
}

static const char *where(int port)
{
	static char number[12];

	if (port == 0)
		return "none";
	if ((unsigned long)port >= range_lo && (unsigned long)port <= range_hi)
		return "in";
	if (port >= 512 && port < 1024)
		return "low";
	if (port >= 10000)
		return "out";
	snprintf(number, sizeof(number), "%d", port);
	return number;
}

/* Prints how a call went; returns whether it succeeded. */
static bool told(const char *what, long result, int error, int fd)
{
	const char *text = error == ERRNO_KEPT ? "kept" : strerrorname_np(error);

	print("%s/%s %s %s %s\n", scene_name, what, result < 0 ? "-1" : "ok",
	      text != NULL ? text : "0", where(port_of(fd)));
	return result >= 0;
}

/* fd is the socket whose port is told of, -1 for none. */
#define TELL(what, fd, call) \
	(errno = ERRNO_KEPT, tell_result = (long)(call), tell_errno = errno, \
	 told(what, tell_result, tell_errno, fd))

static long tell_result;
static int tell_errno;

static int open_socket(int family, int type, int protocol)
{
	/* A reset leaves no TIME_WAIT: each run finds all ports free. */
	const struct linger reset = { 1, 0 };

	if (!TELL("socket", -1, socket(family, type, protocol)))
		return -1;

	const int fd = (int)tell_result;

	fds[n_fds++] = fd;
	if ((type & ~SOCK_NONBLOCK) == SOCK_STREAM &&
	    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)) != 0)
		return told("linger", -1, errno, -1) ? fd : -1;
	return fd;
}

static void close_all(void)
{
	while (n_fds > 0)
		TELL("close", -1, close(fds[--n_fds]));
}

enum host { HOST_ANY, HOST_LOOPBACK };

static socklen_t fill(union address *address, int family, enum host host,
		      uint16_t port)
{
	memset(address, 0, sizeof(*address));
	if (family == AF_INET6) {
		address->in6.sin6_family = AF_INET6;
		address->in6.sin6_port = htons(port);
		address->in6.sin6_addr = host == HOST_ANY ? in6addr_any
							  : in6addr_loopback;
		return sizeof(address->in6);
	}
	address->in.sin_family = AF_INET;
	address->in.sin_port = htons(port);
	address->in.sin_addr.s_addr = htonl(host == HOST_ANY ? INADDR_ANY
							     : INADDR_LOOPBACK);
	return sizeof(address->in);
}

static bool bind_to(int fd, int family, enum host host, uint16_t port)
{
	union address address;
	const socklen_t length = fill(&address, family, host, port);

	return fd >= 0 && TELL("bind", fd, bind(fd, &address.generic, length));
}

static bool connect_to(int fd, int family, uint16_t port)
{
	union address address;
	const socklen_t length = fill(&address, family, HOST_LOOPBACK, port);

	return fd >= 0 &&
	       TELL("connect", fd, connect(fd, &address.generic, length));
}

static bool set(int fd, int level, int option, int value)
{
	return fd >= 0 && TELL("setsockopt", -1,
			       setsockopt(fd, level, option, &value,
					  sizeof(value)));
}

static void get(int fd, int level, int option)
{
	int value = -1;
	socklen_t length = sizeof(value);

	if (TELL("getsockopt", -1,
		 getsockopt(fd, level, option, &value, &length)))
		print("%s/value %d\n", scene_name, value);
}

/* --- the scenes --------------------------------------------------------------- */

static void bind_and_listen(int family)
{
	const int fd = open_socket(family, SOCK_STREAM, 0);

	if (bind_to(fd, family, HOST_ANY, 0))
		TELL("listen", fd, listen(fd, 1));
}

static void bind4(void)
{
	bind_and_listen(AF_INET);
}

static void bind6(void)
{
	bind_and_listen(AF_INET6);
}

static void bind_udp(void)
{
	bind_to(open_socket(AF_INET, SOCK_DGRAM, 0), AF_INET, HOST_LOOPBACK, 0);
}

static void bind_named(void)
{
	bind_to(open_socket(AF_INET, SOCK_STREAM, 0), AF_INET, HOST_LOOPBACK,
		NAMED_PORT);
}

static void bind_reserved(void)
{
	bind_to(open_socket(AF_INET, SOCK_STREAM, 0), AF_INET, HOST_ANY,
		RESERVED_PORT);
}

static void bind_shared(void)
{
	const int fd = open_socket(AF_INET, SOCK_STREAM, 0);

	if (set(fd, SOL_SOCKET, SO_REUSEADDR, 1) &&
	    set(fd, SOL_SOCKET, SO_REUSEPORT, 1) &&
	    bind_to(fd, AF_INET, HOST_ANY, 0)) {
		get(fd, SOL_SOCKET, SO_REUSEADDR);
		get(fd, SOL_SOCKET, SO_REUSEPORT);
	}
}

static void bind_no_port(void)
{
	const int fd = open_socket(AF_INET, SOCK_STREAM, 0);

	if (set(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1) &&
	    bind_to(fd, AF_INET, HOST_LOOPBACK, 0))
		connect_to(fd, AF_INET, SERVER_PORT);
}

static void connect4(void)
{
	const int fd = open_socket(AF_INET, SOCK_STREAM, 0);

	if (connect_to(fd, AF_INET, SERVER_PORT)) {
		get(fd, SOL_SOCKET, SO_REUSEADDR);
		get(fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE);
	}
}

static void connect6(void)
{
	connect_to(open_socket(AF_INET6, SOCK_STREAM, 0), AF_INET6,
		   SERVER_PORT);
}

static void connect_mptcp(void)
{
	connect_to(open_socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP), AF_INET,
		   SERVER_PORT);
}

static void connect_bound(void)
{
	const int fd = open_socket(AF_INET, SOCK_STREAM, 0);

	if (bind_to(fd, AF_INET, HOST_LOOPBACK, 0))
		connect_to(fd, AF_INET, SERVER_PORT);
}

static void connect_refused(void)
{
	const int fd = open_socket(AF_INET, SOCK_STREAM, 0);

	connect_to(fd, AF_INET, CLOSED_PORT);
	connect_to(fd, AF_INET, SERVER_PORT);
}

static void connect_later(void)
{
	connect_to(open_socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0),
		   AF_INET, SERVER_PORT);
}

static void connect_udp(void)
{
	const int fd = open_socket(AF_INET, SOCK_DGRAM, 0);
	const struct sockaddr nowhere = { .sa_family = AF_UNSPEC };

	if (connect_to(fd, AF_INET, SERVER_PORT) &&
	    TELL("disconnect", fd, connect(fd, &nowhere, sizeof(nowhere))))
		connect_to(fd, AF_INET, SERVER_PORT);
}

static void disconnect(void)
{
	const int fd = open_socket(AF_INET, SOCK_STREAM, 0);
	const struct sockaddr nowhere = { .sa_family = AF_UNSPEC };

	if (connect_to(fd, AF_INET, SERVER_PORT) &&
	    TELL("disconnect", -1, connect(fd, &nowhere, sizeof(nowhere))))
		connect_to(fd, AF_INET, SERVER_PORT);
}

static void listen_only(int family)
{
	const int fd = open_socket(family, SOCK_STREAM, 0);

	if (fd >= 0)
		TELL("listen", fd, listen(fd, 1));
}

static void listen4(void)
{
	listen_only(AF_INET);
}

static void listen6(void)
{
	listen_only(AF_INET6);
}

static void send_udp(void)
{
	const int fd = open_socket(AF_INET, SOCK_DGRAM, 0);
	union address address;
	const socklen_t length = fill(&address, AF_INET, HOST_LOOPBACK,
				      SERVER_PORT);

	for (int i = 0; i < 2 && fd >= 0; i++)
		TELL("sendto", fd, sendto(fd, "x", 1, 0, &address.generic,
					  length));
}

static char byte[1] = "x";

static void send_message(void)
{
	const int fd = open_socket(AF_INET6, SOCK_DGRAM, 0);
	union address address;
	struct iovec data = { byte, sizeof(byte) };
	struct msghdr message = {
		.msg_name = &address,
		.msg_namelen = fill(&address, AF_INET6, HOST_LOOPBACK,
				    SERVER_PORT),
		.msg_iov = &data, .msg_iovlen = 1,
	};

	if (fd >= 0)
		TELL("sendmsg", fd, sendmsg(fd, &message, 0));
}

static void send_messages(void)
{
	const int fd = open_socket(AF_INET, SOCK_DGRAM, 0);
	union address address;
	struct iovec data = { byte, sizeof(byte) };
	struct mmsghdr messages[2] = { { {
		.msg_name = &address,
		.msg_namelen = fill(&address, AF_INET, HOST_LOOPBACK,
				    SERVER_PORT),
		.msg_iov = &data, .msg_iovlen = 1,
	}, 0 } };

	messages[1] = messages[0];
	if (fd >= 0)
		TELL("sendmmsg", fd, sendmmsg(fd, messages, 2, 0));
}

static void fast_open(void)
{
	const int fd = open_socket(AF_INET, SOCK_STREAM, 0);
	union address address;
	const socklen_t length = fill(&address, AF_INET, HOST_LOOPBACK,
				      SERVER_PORT);

	if (fd >= 0)
		TELL("sendto", fd, sendto(fd, "x", 1, MSG_FASTOPEN,
					  &address.generic, length));
}

static void copy(const char *what, int copied)
{
	if (told(what, copied, errno, -1))
		fds[n_fds++] = copied;
}

static void copies(void)
{
	const int fd = open_socket(AF_INET, SOCK_STREAM, 0);

	if (!bind_to(fd, AF_INET, HOST_LOOPBACK, 0))
		return;
	errno = ERRNO_KEPT;
	copy("dup", dup(fd));
	copy("dup2", dup2(fd, 50));
	copy("dup3", dup3(fd, 51, O_CLOEXEC));
	copy("fcntl", fcntl(fd, F_DUPFD_CLOEXEC, 52));
	connect_to(fds[n_fds - 1], AF_INET, SERVER_PORT);
}

static void close_many(void)
{
	const int first = open_socket(AF_INET, SOCK_STREAM, 0);
	const int second = open_socket(AF_INET, SOCK_DGRAM, 0);

	bind_to(first, AF_INET, HOST_ANY, 0);
	bind_to(second, AF_INET, HOST_ANY, 0);
	if (TELL("close_range", -1, close_range(3, ~0u, 0)))
		n_fds = 0;
}

static void resvport(void)
{
	const int fd = open_socket(AF_INET, SOCK_STREAM, 0);
	int port = 1023;

	if (fd >= 0)
		TELL("bindresvport", fd, bindresvport(fd, NULL));
	if (TELL("rresvport", -1, rresvport(&port)))
		fds[n_fds++] = (int)tell_result;
}

static void self_connect(void)
{
	const int fd = open_socket(AF_INET, SOCK_STREAM, 0);

	if (bind_to(fd, AF_INET, HOST_ANY, NAMED_PORT))
		connect_to(fd, AF_INET, NAMED_PORT);
}

static void own_range(void)
{
	const int fd = open_socket(AF_INET, SOCK_STREAM, 0);

	if (set(fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE, 50005 << 16 | 50000))
		connect_to(fd, AF_INET, SERVER_PORT);
}

static void by_number(void)
{
	const int fd = open_socket(AF_INET, SOCK_STREAM, 0);
	union address address;
	const socklen_t length = fill(&address, AF_INET, HOST_ANY, 0);

	if (fd >= 0)
		TELL("bind", fd, syscall(SYS_bind, fd, &address, length));
}

/* For ranges of two ports: the third finds none, and sweeps. */
static void use_up_binds(void)
{
	for (int i = 0; i < 3; i++)
		bind_to(open_socket(AF_INET, SOCK_STREAM, 0), AF_INET, HOST_ANY,
			0);
}

static void use_up_sends(void)
{
	for (int i = 0; i < 3; i++)
		send_udp();
}

/* Beyond the kernel's own range, ports are shared by destination. */
static void use_up_connects(void)
{
	for (int i = 0; i < 3; i++)
		connect_to(open_socket(AF_INET, SOCK_STREAM, 0), AF_INET,
			   SERVER_PORT);
	connect_to(open_socket(AF_INET, SOCK_STREAM, 0), AF_INET,
		   SERVER_PORT + 1);
}

static const struct scene {
	const char *name;
	void (*play)(void);
} scenes[] = {
	{ "bind4", bind4 }, { "bind6", bind6 }, { "bind_udp", bind_udp },
	{ "bind_named", bind_named }, { "bind_reserved", bind_reserved },
	{ "bind_shared", bind_shared }, { "bind_no_port", bind_no_port },
	{ "connect4", connect4 }, { "connect6", connect6 },
	{ "connect_mptcp", connect_mptcp }, { "connect_bound", connect_bound },
	{ "connect_refused", connect_refused },
	{ "connect_later", connect_later }, { "connect_udp", connect_udp },
	{ "disconnect", disconnect }, { "listen4", listen4 },
	{ "listen6", listen6 }, { "send_udp", send_udp },
	{ "send_message", send_message }, { "send_messages", send_messages },
	{ "fast_open", fast_open }, { "copies", copies },
	{ "close_many", close_many }, { "resvport", resvport },
	{ "self_connect", self_connect }, { "own_range", own_range },
	{ "by_number", by_number }, { "use_up_binds", use_up_binds },
	{ "use_up_sends", use_up_sends },
	{ "use_up_connects", use_up_connects },
};

static void play(const char *name)
{
	for (size_t i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++) {
		if (strcmp(scenes[i].name, name) != 0)
			continue;
		scene_name = name;
		scenes[i].play();
		close_all();
		return;
	}
	print("no scene %s\n", name);
}

static void play_twice(char **names)
{
	for (int pass = 1; pass <= 2; pass++) {
		print("pass %d\n", pass);
		for (char **name = names; *name != NULL; name++)
			play(*name);
		flush();
	}
}

/* Returns in a child. */
static void serve(void)
{
	for (;;) {
		raise(SIGSTOP);

		const pid_t child = fork();

		if (child == 0)
			return;
		waitpid(child, NULL, 0);
	}
}

int main(int argc, char **argv)
{
	const char *option = argc > 1 && argv[1][0] == '-' ? argv[1] : "";
	char **names = argv + 2 + (*option != '\0');

	if (names >= argv + argc ||
	    sscanf(names[-1], "%lu-%lu", &range_lo, &range_hi) != 2)
		return 2;
	if (strcmp(option, "-f") == 0)
		serve();
	else if (strcmp(option, "-s") == 0)
		raise(SIGSTOP);
	play_twice(names);
	return 0;
}
