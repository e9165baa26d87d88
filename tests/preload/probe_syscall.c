/* SPDX-License-Identifier: MIT */
/*
 * syscall() with the numbers of the hooked calls, and __connect, look the same
 * with and without Berth.
 */
#include "probe.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define OPEN_PORT 5800

int __connect(int fd, const struct sockaddr *address, socklen_t length);

static char payload[] = "x";

static int new_socket(const struct kind *kind)
{
	return must((int)syscall(SYS_socket, kind->family, kind->type,
				 kind->protocol), kind->name);
}

static void streams(const struct kind *kind)
{
	struct address peer = loopback_of(kind, OPEN_PORT);
	struct address local = loopback_of(kind, 0);
	int fd = new_socket(kind);

	REPORT(fd, syscall(SYS_connect, fd, &peer.sa, peer.length),
	       "%s SYS_connect", kind->name);
	REPORT(-1, syscall(SYS_close, fd), "%s SYS_close", kind->name);
	REPORT(-1, syscall(SYS_close, fd), "%s SYS_close again", kind->name);
	fd = new_socket(kind);
	REPORT(fd, syscall(SYS_bind, fd, &local.sa, local.length),
	       "%s SYS_bind", kind->name);
	REPORT(fd, syscall(SYS_bind, fd, &local.sa, local.length),
	       "%s SYS_bind again", kind->name);
	REPORT(fd, syscall(SYS_listen, fd, 3), "%s SYS_listen", kind->name);
	close(fd);
	fd = new_socket(kind);
	REPORT(fd, syscall(SYS_listen, fd, 3), "%s SYS_listen unbound",
	       kind->name);
	close(fd);
	fd = new_socket(kind);
	REPORT(fd, syscall(SYS_sendto, fd, "x", 1, MSG_FASTOPEN | MSG_NOSIGNAL,
			   &peer.sa, peer.length),
	       "%s SYS_sendto MSG_FASTOPEN", kind->name);
	close(fd);
	fd = new_socket(kind);
	REPORT(fd, __connect(fd, NULL, peer.length), "%s __connect NULL",
	       kind->name);
	REPORT(fd, __connect(fd, &peer.sa, 7), "%s __connect short",
	       kind->name);
	REPORT(fd, __connect(fd, &peer.sa, peer.length), "%s __connect",
	       kind->name);
	REPORT(fd, __connect(fd, &peer.sa, peer.length), "%s __connect again",
	       kind->name);
	close(fd);
}

static void datagrams(const struct kind *kind)
{
	struct address peer = loopback_of(kind, OPEN_PORT);
	struct iovec part = { .iov_base = payload, .iov_len = 1 };
	struct mmsghdr header = { .msg_hdr = { .msg_name = &peer,
		.msg_namelen = peer.length, .msg_iov = &part,
		.msg_iovlen = 1 } };
	int fd = new_socket(kind);

	REPORT(fd, syscall(SYS_sendto, fd, "x", 1, 0, &peer.sa, peer.length),
	       "%s SYS_sendto", kind->name);
	close(fd);
	fd = new_socket(kind);
	REPORT(fd, syscall(SYS_sendmsg, fd, &header.msg_hdr, 0),
	       "%s SYS_sendmsg", kind->name);
	close(fd);
	fd = new_socket(kind);
	REPORT(fd, syscall(SYS_sendmmsg, fd, &header, 1, 0), "%s SYS_sendmmsg",
	       kind->name);
	close(fd);
}

static void options(void)
{
	int fd = new_socket(&kinds[TCP4]), value = 1;
	socklen_t length = sizeof(value);

	REPORT(fd, syscall(SYS_setsockopt, fd, SOL_SOCKET, SO_REUSEADDR, &value,
			   sizeof(value)), "SYS_setsockopt");
	value = 7;
	REPORT(-1, syscall(SYS_getsockopt, fd, SOL_SOCKET, SO_REUSEADDR, &value,
			   &length), "SYS_getsockopt");
	report_text("value %d length %u", value, length);
	REPORT(-1, syscall(SYS_setsockopt, fd, -1, 0, NULL, 0),
	       "SYS_setsockopt bad");
	close(fd);
}

static void copies(void)
{
	struct address local = address_of("127.0.0.1", 0);
	int fd = new_socket(&kinds[TCP4]);

	REPORT(-1, syscall(SYS_dup, fd), "SYS_dup");
#ifdef SYS_dup2
	REPORT(-1, syscall(SYS_dup2, fd, 30), "SYS_dup2");
#endif
	REPORT(-1, syscall(SYS_dup3, fd, 31, O_CLOEXEC), "SYS_dup3");
	REPORT(-1, syscall(SYS_fcntl, fd, F_DUPFD, 32), "SYS_fcntl F_DUPFD");
	REPORT(-1, syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 32),
	       "SYS_fcntl F_DUPFD_CLOEXEC");
	REPORT(-1, syscall(SYS_fcntl, 33, F_GETFD), "SYS_fcntl F_GETFD");
	REPORT(33, bind(33, &local.sa, local.length), "bind 33");
	REPORT(31, listen(31, 1), "listen 31");
	REPORT(-1, syscall(SYS_close_range, 30, 40, 0), "SYS_close_range");
	REPORT(-1, syscall(SYS_close_range, 40, 30, 0),
	       "SYS_close_range reversed");
	REPORT(-1, close(33), "close 33");
	close(fd);
	close(fd + 1);
}

static void bad(void)
{
	static const long numbers[] = {
		SYS_bind, SYS_connect, SYS_listen, SYS_sendto, SYS_sendmsg,
		SYS_sendmmsg, SYS_close, SYS_dup, SYS_dup3, SYS_fcntl,
		SYS_setsockopt, SYS_getsockopt, SYS_socket,
	};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		REPORT(-1, syscall(numbers[i], -1L, 0L, 0L, 0L, 0L, 0L),
		       "syscall %zu, -1", i);
		REPORT_WILD(-1, syscall(numbers[i], 0xffffffff00000099L, 1L,
					-1L, -1L, -1L, -1L),
			    "syscall %zu, upper half set", i);
	}
	REPORT(-1, syscall(SYS_getpid) == getpid(), "SYS_getpid");
	REPORT(-1, syscall(-1L), "syscall -1");
	REPORT(-1, syscall(99999L, 1, 2, 3, 4, 5, 6), "syscall 99999");
	REPORT(-1, syscall(SYS_write, -1, "", 0), "SYS_write");
}

/* All six arguments arrive. */
static void six_arguments(void)
{
	char bytes[4096] = { 0 };
	int ends[2];
	loff_t offset = 0;

	must(pipe(ends), "pipe");
	int file = must(open("/proc/self/exe", O_RDONLY), "exe");
	REPORT(-1, syscall(SYS_splice, file, &offset, ends[1], NULL, 16UL, 0U),
	       "SYS_splice");
	REPORT(-1, read(ends[0], bytes, sizeof(bytes)), "read");
	report_text("%.3s, offset %ld", bytes + 1, (long)offset);
	close(file);
	close(ends[0]);
	close(ends[1]);
}

int main(void)
{
	for (const struct kind *kind = kinds; kind < kinds + N_KINDS; kind++) {
		if (!kind_present(kind))
			continue;
		int server = start_server(kind, loopback_of(kind, OPEN_PORT));
		if (kind->type == SOCK_STREAM)
			streams(kind);
		else
			datagrams(kind);
		close(server);
	}
	options();
	copies();
	bad();
	six_arguments();
	return 0;
}
