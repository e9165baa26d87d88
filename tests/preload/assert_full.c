/* SPDX-License-Identifier: MIT */
/*
 * Each port of a list is used: both ends of every range, and nothing between
 * the ranges. Edge cases 11 and 40.
 */
#include "probe.h"

#include <unistd.h>

#define OPEN_PORT 7200
#define MAX_PORTS 64

/* 0 and the port, or -1 when there is none left. */
static int take(const struct kind *kind, bool connecting, int *fdp)
{
	*fdp = open_kind(kind);
	if (connecting)
		return connect_to(*fdp, loopback_of(kind, OPEN_PORT));
	return bind_to(*fdp, any_of(kind, 0));
}

static void take_all(const struct kind *kind, bool connecting,
		     const char *range)
{
	static const char *const names[] = { "bind", "connect" };
	const size_t size = (size_t)range_size(range);
	size_t count = 0;
	int fds[MAX_PORTS + 1];
	bool seen[65536] = { false };
	int server = start_server(kind, loopback_of(kind, OPEN_PORT));

	while (count < MAX_PORTS && !take(kind, connecting, &fds[count]))
		seen[local_port(fds[count++])] = true;
	size_t used = 0, outside = 0;
	for (uint32_t port = 0; port < 65536; port++) {
		used += seen[port] && range_has(range, (uint16_t)port);
		outside += seen[port] && !range_has(range, (uint16_t)port);
	}
	check(outside == 0, "%s: %s stays inside %s", kind->name,
	      names[connecting], range);
	check(used == size, "%s: %s uses %zu of the %zu ports of %s",
	      kind->name, names[connecting], used, size, range);
	check(count == size, "%s: %s succeeds %zu times with %zu ports of %s",
	      kind->name, names[connecting], count, size, range);
	for (size_t i = 0; i <= count && i <= MAX_PORTS; i++)
		close(fds[i]);
	close(server);
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	for (const struct kind *kind = kinds; kind < kinds + N_KINDS; kind++) {
		if (kind == &kinds[MPTCP4] || kind == &kinds[MPTCP6])
			continue; /* the ports of TCP */
		if (kind == &kinds[TCP6] || kind == &kinds[UDP6])
			continue; /* taken by TIME_WAIT, or the same */
		if (!kind_present(kind))
			continue;
		take_all(kind, false, argv[1]);
		take_all(kind, true, argv[1]);
	}
	return 0;
}
