/* SPDX-License-Identifier: MIT */
/*
 * A range of one port serves a connection to each destination, and gives a
 * clear errno where it cannot serve. The range is one port. Edge cases 10, 11.
 */
#include "probe.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ONE_PORT 7100
#define OTHER_PORT 7101

static void destinations_share(const struct kind *kind, uint16_t only)
{
	int one = start_server(kind, loopback_of(kind, ONE_PORT));
	int other = start_server(kind, loopback_of(kind, OTHER_PORT));
	int first = open_kind(kind), second = open_kind(kind);
	int third = open_kind(kind);

	check(!connect_to(first, loopback_of(kind, ONE_PORT)),
	      "%s: the only port goes to one destination", kind->name);
	check(!connect_to(second, loopback_of(kind, OTHER_PORT)),
	      "%s: and to another one", kind->name);
	check(local_port(first) == only && local_port(second) == only,
	      "%s: both have the only port, not %u and %u", kind->name,
	      local_port(first), local_port(second));
	int result = connect_to(third, loopback_of(kind, ONE_PORT));
	check(result && errno == EADDRNOTAVAIL,
	      "%s: a second connection says EADDRNOTAVAIL, not %s", kind->name,
	      result ? strerrorname_np(errno) : "success");
	close(first);
	close(second);
	close(third);
	close(one);
	close(other);
}

/* Edge case 10: the destination is all that the range has. */
static void destination_is_the_range(const struct kind *kind, uint16_t only)
{
	int other = start_server(kind, loopback_of(kind, OTHER_PORT));
	int fd = open_kind(kind);

	for (int try = 0; try < 3; try++) {
		int result = connect_to(fd, loopback_of(kind, only));

		check(result && errno == EADDRNOTAVAIL,
		      "%s: connect to the range says EADDRNOTAVAIL, not %s",
		      kind->name, result ? strerrorname_np(errno) : "success");
	}
	check(!connect_to(fd, loopback_of(kind, OTHER_PORT)),
	      "%s: the same socket connects elsewhere", kind->name);
	check(local_port(fd) == only, "%s: from the only port", kind->name);
	close(fd);
	close(other);
}

/*
 * assert_share PORT KIND share|destination: each needs a namespace of its own,
 * free of TIME_WAIT.
 */
int main(int argc, char **argv)
{
	if (argc != 4)
		return 2;
	const uint16_t only = (uint16_t)atoi(argv[1]);

	for (const struct kind *kind = kinds; kind <= kinds + MPTCP6; kind++) {
		if (strcmp(argv[2], kind->name) != 0 || !kind_present(kind))
			continue;
		if (strcmp(argv[3], "share") == 0)
			destinations_share(kind, only);
		else
			destination_is_the_range(kind, only);
	}
	return 0;
}
