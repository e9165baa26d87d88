/* SPDX-License-Identifier: MIT */
/*
 * assert_copies RANGE: two descriptors of one socket stay known as such when its
 * port goes and another one is taken, under a filter that lets nobody ask for
 * SO_COOKIE too: while the second is open, the map shows the lease.
 */
#include "lease_map.h"
#include "probe.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#ifndef SO_COOKIE
#define SO_COOKIE 57
#endif

#define PORT 7500

static struct lease_map map;

static void forbid_cookie(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getsockopt, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, args[2])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SO_COOKIE, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = {
		.len = sizeof(code) / sizeof(*code), .filter = code,
	};

	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
	must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), "seccomp");
}

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

int main(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	lease_map_open(&map, argv[1]);
	lose_and_take(&kinds[UDP4], "no filter");
	lose_and_take(&kinds[UDP6], "no filter");
	forbid_cookie();
	lose_and_take(&kinds[UDP4], "no SO_COOKIE");
	lose_and_take(&kinds[UDP6], "no SO_COOKIE");
	return 0;
}
