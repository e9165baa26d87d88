/* SPDX-License-Identifier: MIT */
/*
 * close, close_range, closefrom, dup, dup2, dup3 and fcntl look the same with
 * and without Berth, down to the numbers of the descriptors. Built with and
 * without _FILE_OFFSET_BITS=64, so that fcntl64 and fcntl are called.
 * Edge cases 17 and 18.
 */
#include "probe.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <stdio.h>
#include <unistd.h>

static void dup_socket(const struct kind *kind)
{
	int fd = open_kind(kind), copy, server;

	server = start_server(kind, loopback_of(kind, 5500));
	REPORT(-1, copy = dup(fd), "%s dup", kind->name);
	REPORT(copy, connect_to(copy, loopback_of(kind, 5500)),
	       "%s connect the copy", kind->name);
	REPORT(fd, connect_to(fd, loopback_of(kind, 5500)),
	       "%s connect the first", kind->name);
	REPORT(-1, close(fd), "%s close the first", kind->name);
	REPORT(copy, bind_to(copy, loopback_of(kind, 0)), "%s bind the copy",
	       kind->name);
	REPORT(-1, close(copy), "%s close the copy", kind->name);
	REPORT(-1, close(copy), "%s close twice", kind->name);
	close(server);
}

static void dup_over_socket(const struct kind *kind)
{
	int fd = open_kind(kind), target = open_kind(kind);

	REPORT(fd, bind_to(fd, loopback_of(kind, 0)), "%s bind", kind->name);
	REPORT(target, bind_to(target, loopback_of(kind, 0)), "%s bind target",
	       kind->name);
	REPORT(target, dup2(fd, target), "%s dup2", kind->name);
	REPORT(target, listen(target, 1), "%s listen", kind->name);
	REPORT(target, dup2(target, target), "%s dup2 onto itself", kind->name);
	REPORT(-1, dup3(target, target, 0), "%s dup3 onto itself", kind->name);
	REPORT(50, dup3(fd, 50, O_CLOEXEC), "%s dup3", kind->name);
	REPORT(-1, fcntl(50, F_GETFD), "%s F_GETFD", kind->name);
	close(target);
	target = open_kind(kind);
	REPORT(target, bind_to(target, loopback_of(kind, 0)),
	       "%s bind after reuse", kind->name);
	REPORT(50, bind_to(50, loopback_of(kind, 0)), "%s bind 50", kind->name);
	close(50);
	close(fd);
	close(target);
}

/* Berth knows neither descriptor when the second one is made. */
static void dup_accepted(const struct kind *kind)
{
	int server = start_server(kind, loopback_of(kind, 5502));
	int client = open_kind(kind), accepted, copy;

	must(connect_to(client, loopback_of(kind, 5502)), "connect");
	accepted = must(accept(server, NULL, NULL), "accept");
	must(set_int(accepted, SOL_SOCKET, SO_REUSEADDR, 0), "SO_REUSEADDR");
	copy = must(dup(accepted), "dup");
	close(client);
	REPORT(copy, connect(copy, &(struct sockaddr){ AF_UNSPEC },
			     sizeof(struct sockaddr)),
	       "%s disconnect the copy of an accepted socket", kind->name);
	REPORT(copy, connect_to(accepted, loopback_of(kind, 5502)),
	       "%s connect an accepted socket", kind->name);
	REPORT(accepted, close(copy), "%s close its copy", kind->name);
	close(accepted);
	close(server);
}

static void dup_bad(void)
{
	const int fds[] = { -1, 0, 77, FD_HUGE, INT_MIN, INT_MAX };

	for (size_t i = 0; i < 6; i++) {
		REPORT(-1, dup(fds[i] ? fds[i] : -5), "dup %d", fds[i]);
		REPORT(-1, close(fds[i] ? fds[i] : -5), "close %d", fds[i]);
		for (size_t j = 0; j < 6; j++) {
			int to = fds[j] ? fds[j] : 60;

			REPORT(-1, dup2(fds[i], to), "dup2 %d %d", fds[i], to);
			REPORT(-1, dup3(fds[i], to, 0), "dup3 %d %d", fds[i],
			       to);
			REPORT(-1, dup3(fds[i], to, -1), "dup3 %d %d flags",
			       fds[i], to);
		}
	}
	for (int fd = 60; fd < 80; fd++)
		close(fd);
}

static void fcntl_socket(const struct kind *kind)
{
	struct flock lock = { .l_type = F_WRLCK };
	int fd = open_kind(kind), owner = 0;

	REPORT(61, fcntl(fd, F_DUPFD, 61), "%s F_DUPFD", kind->name);
	REPORT(62, fcntl(fd, F_DUPFD_CLOEXEC, 61), "%s F_DUPFD_CLOEXEC",
	       kind->name);
	REPORT(-1, fcntl(62, F_GETFD), "%s F_GETFD", kind->name);
	REPORT(-1, fcntl(fd, F_DUPFD, -1), "%s F_DUPFD -1", kind->name);
	REPORT(-1, fcntl(fd, F_DUPFD, INT_MAX), "%s F_DUPFD INT_MAX",
	       kind->name);
	REPORT(-1, fcntl(fd, F_GETFL) & O_ACCMODE, "%s F_GETFL", kind->name);
	REPORT(-1, fcntl(fd, F_SETFL, O_NONBLOCK), "%s F_SETFL", kind->name);
	REPORT(-1, fcntl(fd, F_GETFL) & O_NONBLOCK, "%s F_GETFL", kind->name);
	REPORT(-1, fcntl(fd, F_SETFD, FD_CLOEXEC), "%s F_SETFD", kind->name);
	REPORT(-1, fcntl(fd, F_SETOWN, getpid()), "%s F_SETOWN", kind->name);
	REPORT(-1, (owner = fcntl(fd, F_GETOWN)) == getpid(), "%s F_GETOWN",
	       kind->name);
	REPORT(-1, fcntl(fd, F_SETLK, &lock), "%s F_SETLK", kind->name);
	REPORT(-1, fcntl(fd, F_GETPIPE_SZ), "%s F_GETPIPE_SZ", kind->name);
	REPORT(-1, fcntl(fd, 99999, 0), "%s fcntl 99999", kind->name);
	REPORT(61, bind_to(61, loopback_of(kind, 0)), "%s bind 61", kind->name);
	REPORT(62, listen(62, 1), "%s listen 62", kind->name);
	close(fd);
	close(61);
	close(62);
}

static void fcntl_bad(void)
{
	const int commands[] = { F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_GETFL,
				 F_SETFL, F_GETOWN, -1 };
	const int fds[] = { -1, 77, FD_HUGE, INT_MIN };

	for (size_t i = 0; i < 7; i++) {
		for (size_t j = 0; j < 4; j++)
			REPORT(-1, fcntl(fds[j], commands[i], 0),
			       "fcntl %d, %d", fds[j], commands[i]);
	}
}

static void close_ranges(void)
{
	const struct kind *kind = &kinds[TCP4];
	int low = open_kind(kind), high;

	REPORT(low, bind_to(low, loopback_of(kind, 0)), "bind low");
	REPORT(-1, high = dup2(low, 40), "dup2 40");
	REPORT(-1, close_range(40, 30, 0), "close_range reversed");
	REPORT(-1, close_range(30, 60, 1U << 20), "close_range bad flags");
	REPORT(high, close_range(30, ~0U, CLOSE_RANGE_CLOEXEC),
	       "close_range CLOEXEC");
	REPORT(-1, fcntl(high, F_GETFD), "F_GETFD");
	REPORT(-1, close_range(30, 60, 0), "close_range");
	REPORT(-1, fcntl(high, F_GETFD), "F_GETFD closed");
	REPORT(low, listen(low, 1), "listen low");
	REPORT(-1, dup2(low, 41), "dup2 41");
	/* Prints before, as stdout's own descriptor stays. */
	closefrom(41);
	REPORT(-1, close(41), "close after closefrom");
	REPORT(-1, close_range(41, 41, CLOSE_RANGE_UNSHARE),
	       "close_range UNSHARE");
	close(low);
}

/* Edge case 17: closed where no hook sees it, and the number comes back. */
static void closed_elsewhere(void)
{
	const struct kind *kind = &kinds[TCP4];
	int server = start_server(kind, loopback_of(kind, 5501));

	for (int round = 0; round < 3; round++) {
		int fd = open_kind(kind);
		FILE *stream = fdopen(fd, "r+");

		REPORT(fd, bind_to(fd, loopback_of(kind, 0)), "bind %d", round);
		REPORT(-1, fclose(stream), "fclose %d", round);
		fd = round == 1 ? open_kind(&kinds[UDP4]) : open_kind(kind);
		REPORT(fd, connect_to(fd, loopback_of(kind, 5501)),
		       "connect after fclose %d", round);
		REPORT(-1, fclose(fdopen(fd, "r+")), "fclose again %d", round);
		REPORT(-1, fd = open("/dev/null", O_RDWR), "open %d", round);
		REPORT(-1, bind_to(fd, loopback_of(kind, 0)), "bind file %d",
		       round);
		REPORT(-1, send_to(fd, loopback_of(kind, 5501), 0),
		       "sendto file %d", round);
		close(fd);
	}
	close(server);
}

int main(void)
{
	static const int used[] = { TCP4, TCP6, UDP4, UDP6 };

	for (size_t i = 0; i < 4; i++) {
		dup_socket(&kinds[used[i]]);
		dup_over_socket(&kinds[used[i]]);
		fcntl_socket(&kinds[used[i]]);
	}
	dup_accepted(&kinds[TCP4]);
	dup_accepted(&kinds[TCP6]);
	dup_bad();
	fcntl_bad();
	close_ranges();
	closed_elsewhere();
	return 0;
}
