/* SPDX-License-Identifier: MIT */
/*
 * A program under a filter of its own still connects and binds: Berth calls
 * nothing but setsockopt, getsockopt, getsockname, bind and getpid that the
 * program does not. Everything else kills. Edge case 24.
 *
 * With a second argument everything else says EPERM, and the range, one port,
 * is used up: the sweep's netlink socket gives way.
 */
#include "probe.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define OPEN_PORT 7600
#define N_ROUNDS 10

#define ALLOW(call) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##call, 0, 1), \
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

static void allow_some(unsigned int otherwise)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		/* what the program itself calls */
		ALLOW(socket),
		ALLOW(connect),
		ALLOW(listen),
		ALLOW(sendto),
		ALLOW(close),
		ALLOW(write),
		ALLOW(exit),
		ALLOW(exit_group),
		/* what DESIGN section 9 adds */
		ALLOW(setsockopt),
		ALLOW(getsockopt),
		ALLOW(getsockname),
		ALLOW(bind),
		ALLOW(getpid),
		BPF_STMT(BPF_RET | BPF_K, otherwise),
	};

	install_filter(code, sizeof(code) / sizeof(*code));
}

static void use_kind(const struct kind *kind, const char *range)
{
	int good = 0;

	for (int round = 0; round < N_ROUNDS; round++) {
		int one = open_kind(kind), two = open_kind(kind);

		must(bind_to(one, loopback_of(kind, 0)), "bind");
		if (kind->type == SOCK_STREAM)
			must(listen(one, 1), "listen");
		must(connect_to(two, loopback_of(kind, OPEN_PORT)), "connect");
		good += range_has(range, local_port(one));
		good += range_has(range, local_port(two));
		close(one);
		close(two);
		one = open_kind(kind);
		if (kind->type == SOCK_DGRAM)
			send_to(one, loopback_of(kind, OPEN_PORT), 0);
		else
			must(listen(one, 1), "listen unbound");
		good += range_has(range, local_port(one));
		close(one);
	}
	check(good == 3 * N_ROUNDS, "%s: %d of %d ports in the range",
	      kind->name, good, 3 * N_ROUNDS);
}

static void use_up(const struct kind *kind, const char *range)
{
	int one = open_kind(kind), two = open_kind(kind);

	check(!bind_to(one, any_of(kind, 0)), "%s: the only port", kind->name);
	check(range_has(range, local_port(one)), "%s: in range", kind->name);
	int result = bind_to(two, any_of(kind, 0));
	check(result && errno == EADDRINUSE, "%s: a second bind says %s",
	      kind->name, result ? strerrorname_np(errno) : "success");
	result = connect_to(two, loopback_of(kind, OPEN_PORT));
	check(result && errno == (kind->type == SOCK_STREAM ? EADDRNOTAVAIL
							    : EAGAIN),
	      "%s: a connect says %s", kind->name,
	      result ? strerrorname_np(errno) : "success");
	close(one);
	close(two);
}

int main(int argc, char **argv)
{
	static const int used[] = { TCP4, TCP6, UDP4, UDP6 };
	static char buffer[BUFSIZ];

	if (argc < 2)
		return 2;
	/* stdio's own fstat and allocation would be killed. */
	setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
	for (size_t i = 0; i < 4; i++)
		start_server(&kinds[used[i]],
			     loopback_of(&kinds[used[i]], OPEN_PORT));
	allow_some(argc > 2 ? SECCOMP_RET_ERRNO | EPERM
			    : SECCOMP_RET_KILL_PROCESS);
	for (size_t i = 0; i < 4; i++) {
		if (argc > 2)
			use_up(&kinds[used[i]], argv[1]);
		else
			use_kind(&kinds[used[i]], argv[1]);
	}
	return 0;
}
