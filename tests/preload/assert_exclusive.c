/* SPDX-License-Identifier: MIT */
/*
 * An automatic port is its socket's alone. Edge case 6.
 */
#include "probe.h"

#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define N_SOCKETS 30
#define N_CHILDREN 4
#define MAX_PORTS 30

static int open_reusing(const struct kind *kind, int bits)
{
	int fd = open_kind(kind);

	set_int(fd, SOL_SOCKET, SO_REUSEADDR, bits & 1);
	set_int(fd, SOL_SOCKET, SO_REUSEPORT, bits >> 1);
	return fd;
}

/* Whether ports are all different; 0 never is a port. */
static bool all_differ(const uint16_t *ports, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < i; j++) {
			if (ports[i] == ports[j])
				return false;
		}
		if (ports[i] == 0)
			return false;
	}
	return true;
}

/* Edge case 6. */
static void automatic_ports_differ(const struct kind *kind, int bits)
{
	int fds[N_SOCKETS], listening = 0;
	uint16_t ports[N_SOCKETS];

	for (int i = 0; i < N_SOCKETS; i++) {
		fds[i] = open_reusing(kind, bits);
		must(bind_to(fds[i],
			     i & 1 ? any_of(kind, 0) : loopback_of(kind, 0)),
		     "bind");
		ports[i] = local_port(fds[i]);
	}
	for (int i = 0; i < N_SOCKETS; i++) {
		listening += kind->type != SOCK_STREAM || !listen(fds[i], 1);
		close(fds[i]);
	}
	check(all_differ(ports, N_SOCKETS),
	      "%s: bind(0) gives different ports, reuse %d", kind->name, bits);
	check(listening == N_SOCKETS, "%s: all of them can listen, reuse %d",
	      kind->name, bits);
}

static void child_main(int output)
{
	uint16_t ports[N_SOCKETS];
	char byte;

	for (int i = 0; i < N_SOCKETS; i++) {
		int fd = open_reusing(&kinds[TCP4], 1);

		must(bind_to(fd, any_of(&kinds[TCP4], 0)), "bind");
		ports[i] = local_port(fd);
	}
	must((int)write(output, ports, sizeof(ports)), "write");
	/* Holds its sockets until the parent has read from everyone. */
	must((int)read(0, &byte, 1), "read");
	_exit(0);
}

/* Edge case 6, between processes. */
static void children_differ(void)
{
	static uint16_t ports[N_CHILDREN * N_SOCKETS];
	int hold[2], output[2];

	must(pipe(hold), "pipe");
	must(pipe(output), "pipe");
	for (int i = 0; i < N_CHILDREN; i++) {
		if (must(fork(), "fork") == 0) {
			must(dup2(hold[0], 0), "dup2");
			close(hold[1]);
			child_main(output[1]);
		}
	}
	close(output[1]);
	for (size_t i = 0; i < N_CHILDREN; i++)
		must((int)read(output[0], ports + i * N_SOCKETS,
			       N_SOCKETS * sizeof(*ports)),
		     "read");
	close(hold[1]);
	while (wait(NULL) > 0)
		;
	check(all_differ(ports, N_CHILDREN * N_SOCKETS),
	      "bind(0) gives different ports to different processes");
}

/* By calls that Berth does not see: every even port of the range, as sharable as
 * can be. */
static void occupy_even(const char *range)
{
	const int one = 1;

	for (uint32_t port = 2; port < 65536; port += 2) {
		for (int i = 0; range_has(range, (uint16_t)port) && i < N_KINDS;
		     i++) {
			const struct kind *kind = &kinds[i];
			const struct address any = any_of(kind, (uint16_t)port);
			const long fd = call_unseen(SYS_socket, kind->family,
						    kind->type, kind->protocol,
						    0, 0);

			call_unseen(SYS_setsockopt, fd, SOL_SOCKET,
				    SO_REUSEADDR, (long)&one, sizeof(one));
			call_unseen(SYS_setsockopt, fd, SOL_SOCKET,
				    SO_REUSEPORT, (long)&one, sizeof(one));
			call_unseen(SYS_bind, fd, (long)&any.sa, any.length, 0,
				    0);
		}
	}
}

/*
 * What was bound without Berth is nobody's automatic port, although the kernel
 * would say yes to an explicit bind with the options set. Edge case 6.
 */
static void avoids_foreign(const struct kind *kind, int bits)
{
	int fds[MAX_PORTS], even = 0, listening = 0, count = 0;

	while (count < MAX_PORTS) {
		fds[count] = open_reusing(kind, bits);
		if (bind_to(fds[count], any_of(kind, 0)))
			break;
		even += local_port(fds[count]) % 2 == 0;
		listening += kind->type != SOCK_STREAM ||
			     !listen(fds[count], 1);
		count++;
	}
	check(even == 0, "%s: no foreign port is given, reuse %d, not %d",
	      kind->name, bits, even);
	check(count == 10, "%s: all the other ports are given, reuse %d: %d",
	      kind->name, bits, count);
	check(listening == count, "%s: all can listen, reuse %d", kind->name,
	      bits);
	for (int i = 0; i <= count && i < MAX_PORTS; i++)
		close(fds[i]);
}

static void with_foreign_ports(const char *range)
{
	occupy_even(range);
	for (const struct kind *kind = kinds; kind < kinds + N_KINDS; kind++) {
		for (int bits = 0; bits < 4 && kind_present(kind); bits++)
			avoids_foreign(kind, bits);
	}
}

static void alone(void)
{
	for (const struct kind *kind = kinds; kind < kinds + N_KINDS; kind++) {
		if (!kind_present(kind))
			continue;
		for (int bits = 0; bits < 4; bits++)
			automatic_ports_differ(kind, bits);
	}
	children_differ();
}

/* assert_exclusive [RANGE]; RANGE has 20 ports. */
int main(int argc, char **argv)
{
	if (argc == 1)
		alone();
	else
		with_foreign_ports(argv[1]);
	return 0;
}
