/* SPDX-License-Identifier: MIT */
/*
 * Nothing is printed and no descriptor is left. Says so by its exit status
 * only, so that every byte of its output is somebody else's. Edge case 37.
 */
#include "probe.h"

#include <string.h>
#include <unistd.h>

#define OPEN_PORT 7500
#define N_ROUNDS 50
#define N_STANDARD 3

static void use_kind(const struct kind *kind)
{
	int server = start_server(kind, loopback_of(kind, OPEN_PORT));

	for (int round = 0; round < N_ROUNDS; round++) {
		int one = open_kind(kind), two = open_kind(kind);
		int three = open_kind(kind);

		bind_to(one, any_of(kind, 0));
		listen(one, 1);
		bind_to(one, any_of(kind, 0));
		connect_to(two, loopback_of(kind, OPEN_PORT));
		send_to(three, loopback_of(kind, OPEN_PORT),
			MSG_FASTOPEN | MSG_NOSIGNAL);
		connect_to(three, loopback_of(kind, OPEN_PORT + 1));
		connect_to(three, loopback_of(kind, OPEN_PORT));
		dup2(two, one);
		close(one);
		close(two);
		close(three);
	}
	bind_to(-1, any_of(kind, 0));
	connect_to(0, any_of(kind, 0));
	close(server);
}

/* Exit status 1: a descriptor too many at the start; 2: at the end. */
int main(void)
{
	if (count_fds() != N_STANDARD)
		return 1;
	for (const struct kind *kind = kinds; kind < kinds + N_KINDS; kind++) {
		int fd = socket(kind->family, kind->type, kind->protocol);

		if (fd < 0)
			continue;
		close(fd);
		use_kind(kind);
	}
	return count_fds() == N_STANDARD ? 0 : 2;
}
