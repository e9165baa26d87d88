/* SPDX-License-Identifier: MIT */
/*
 * A library that opens sockets before libberth.so's constructor has run (it is
 * listed after it in LD_PRELOAD, so the linker initialises it first), and again
 * when libberth.so's destructor has. Edge case 21.
 */
#include "probe.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define OPEN_PORT 7700

/* stdio may be gone by then: only write(2). */
static void say(bool holds, const char *what, const char *when)
{
	char line[128];

	strcpy(line, holds ? "ok " : "not ok ");
	strcat(line, what);
	strcat(line, when);
	strcat(line, "\n");
	if (write(1, line, strlen(line)) < 0)
		_exit(98);
}

/* Copies of a descriptor, made and closed in each way that there is. */
static void use_copies(int fd, const char *when)
{
	const int low = 100, high = 110;

	say(dup2(fd, fd) == fd, "dup2 onto itself works ", when);
	errno = 0;
	say(dup2(FD_HUGE, FD_HUGE) == -1 && errno == EBADF,
	    "dup2 of no descriptor onto itself is refused ", when);
	say(dup2(fd, low) == low && dup3(fd, low + 1, O_CLOEXEC) == low + 1 &&
		    fcntl(low + 1, F_GETFD) == FD_CLOEXEC,
	    "dup2 and dup3 work ", when);
	say(fcntl(fd, F_DUPFD, low) == low + 2, "F_DUPFD works ", when);
	say(dup(fd) >= 0, "dup works ", when);
	say(local_port(low + 2) == local_port(fd), "copies have the port ",
	    when);
	say(!close_range((unsigned int)low, (unsigned int)low + 1, 0) &&
		    fcntl(low, F_GETFD) == -1 && fcntl(low + 2, F_GETFD) == 0,
	    "close_range closes what it is to ", when);
	say(dup2(fd, high) == high, "and dup2 works again ", when);
	closefrom(low);
	say(fcntl(high, F_GETFD) == -1, "closefrom closes ", when);
}

static void use_messages(const char *range, struct address peer,
			 const char *when)
{
	const int fd = open_kind(&kinds[UDP4]), other = open_kind(&kinds[UDP4]);
	const int listener = (int)syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);
	struct iovec text = { (char[]){ "x" }, 1 };
	struct mmsghdr messages[2] = {
		{ .msg_hdr = { &peer.sa, peer.length, &text, 1, NULL, 0, 0 } },
		{ .msg_hdr = { &peer.sa, peer.length, &text, 1, NULL, 0, 0 } },
	};
	int type = 0;
	socklen_t length = sizeof(type);

	say(sendmsg(fd, &messages[0].msg_hdr, 0) == 1 &&
		    range_has(range, local_port(fd)),
	    "sendmsg in the range ", when);
	say(sendmmsg(other, messages, 2, 0) == 2 &&
		    range_has(range, local_port(other)),
	    "sendmmsg in the range ", when);
	say(!getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) &&
		    type == SOCK_DGRAM &&
		    !set_int(fd, SOL_SOCKET, SO_RCVBUF, 9999),
	    "options work ", when);
	say(!listen(listener, 1) && range_has(range, local_port(listener)),
	    "listen in the range ", when);
	use_copies(listener, when);
	close(fd);
	close(other);
	close(listener);
}

static void use_sockets(const char *when)
{
	const char *range = getenv("EARLY_RANGE");
	struct address peer = address_of("127.0.0.1", OPEN_PORT);

	if (!range)
		return;
	int server = start_server(&kinds[TCP4], peer);
	int one = open_kind(&kinds[TCP4]), two = open_kind(&kinds[TCP4]);
	int three = open_kind(&kinds[UDP4]);

	say(!connect_to(one, peer), "connect works ", when);
	say(range_has(range, local_port(one)), "connect in the range ", when);
	say(!bind_to(two, any_of(&kinds[TCP4], 0)), "bind works ", when);
	say(range_has(range, local_port(two)), "bind in the range ", when);
	say(send_to(three, peer, 0) == 1, "sendto works ", when);
	say(range_has(range, local_port(three)), "sendto in the range ", when);
	use_messages(range, peer, when);
	close(one);
	close(two);
	close(three);
	close(server);
}

static void at_exit(void)
{
	use_sockets("in atexit");
}

__attribute__((constructor)) static void start(void)
{
	atexit(at_exit);
	use_sockets("before the constructor");
}

__attribute__((destructor)) static void end(void)
{
	use_sockets("after the destructor");
}
