/* SPDX-License-Identifier: MIT */
/*
 * assert_copies RANGE [dry]: two descriptors of one socket stay known as such
 * when its port goes and another one is taken, under a filter that lets nobody
 * ask for SO_COOKIE too: while the second is open, the map shows the lease.
 * Where the range is dry, neither gets a port.
 */
#include "lease_map.h"
#include "probe.h"

#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>

#ifndef SO_COOKIE
#define SO_COOKIE 57
#endif

#define PORT 7500
#define N_RANGE 8

static struct lease_map map;

static void lose_and_take(const struct kind *kind, const char *when)
{
	const struct sockaddr none = { .sa_family = AF_UNSPEC };
	const int fd = open_kind(kind);
	int copy;

	must(connect_to(fd, loopback_of(kind, PORT)), "connect");
	copy = must(dup(fd), "dup");
	/* The kernel lets a port go that nobody has named. */
	must(connect(fd, &none, sizeof(none)), "AF_UNSPEC");
	must(connect_to(fd, loopback_of(kind, PORT)), "connect again");
	close(fd);
	check(lease_map_has(&map, copy), "%s, %s: the copy has the lease",
	      kind->name, when);
	close(copy);
	check(lease_map_count(&map) == 0, "%s, %s: nobody has it", kind->name,
	      when);
}

static int bind_unseen(const struct kind *kind, uint16_t port)
{
	const int fd = open_kind(kind);
	const struct address any = any_of(kind, port);

	must((int)call_unseen(SYS_bind, fd, (long)&any.storage, any.length, 0,
			      0),
	     "bind");
	return fd;
}

/* A port that the map has free and the kernel has not is given up by all
 * copies. */
static void refused(const struct kind *kind, const char *range)
{
	int others[N_RANGE];
	const int fd = open_kind(kind), copy = must(dup(fd), "dup");

	for (int i = 0; i < N_RANGE; i++)
		others[i] = bind_unseen(kind, (uint16_t)(atoi(range) + i));
	check(send_to(fd, loopback_of(kind, PORT), 0) < 0 && errno == EAGAIN,
	      "%s: no port is left", kind->name);
	check(send_to(copy, loopback_of(kind, PORT), 0) < 0 && errno == EAGAIN,
	      "%s: nor for the copy", kind->name);
	for (int i = 0; i < N_RANGE; i++)
		close(others[i]);
	close(fd);
	close(copy);
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	if (argc > 2) {
		refused(&kinds[UDP4], argv[1]);
		refused(&kinds[UDP6], argv[1]);
		return 0;
	}
	lease_map_open(&map, argv[1]);
	lose_and_take(&kinds[UDP4], "no filter");
	lose_and_take(&kinds[UDP6], "no filter");
	answer_call(SYS_getsockopt, 2, SO_COOKIE, SECCOMP_RET_KILL_PROCESS);
	lose_and_take(&kinds[UDP4], "no SO_COOKIE");
	lose_and_take(&kinds[UDP6], "no SO_COOKIE");
	return 0;
}
