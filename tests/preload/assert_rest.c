/* SPDX-License-Identifier: MIT */
/*
 * A port that bind(0) gave and close() released is not given again while
 * others are free, and an explicit bind to it works: the way of test suites.
 */
#include "probe.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define OPEN_PORT 7300
#define N_TRIES 100

static uint16_t released_port(const struct kind *kind)
{
	int fd = open_kind(kind);

	must(bind_to(fd, any_of(kind, 0)), "bind");
	uint16_t port = local_port(fd);
	close(fd);
	return port;
}

/* How often the port comes back. */
static int count_returns(const struct kind *kind, uint16_t port)
{
	int server = start_server(kind, loopback_of(kind, OPEN_PORT));
	int returns = 0;

	for (int i = 0; i < N_TRIES; i++) {
		int fd = open_kind(kind);

		if (i & 1)
			must(connect_to(fd, loopback_of(kind, OPEN_PORT)),
			     "connect");
		else
			must(bind_to(fd, any_of(kind, 0)), "bind");
		returns += local_port(fd) == port;
		close(fd);
	}
	close(server);
	return returns;
}

static void rests(const struct kind *kind)
{
	uint16_t port = released_port(kind);
	int returns = count_returns(kind, port), status = -1;

	check(returns == 0, "%s: a released port rests, not %d returns",
	      kind->name, returns);
	if (must(fork(), "fork") == 0)
		_exit(count_returns(kind, port));
	must(wait(&status), "wait");
	check(status == 0, "%s: for other processes too", kind->name);

	int fd = open_kind(kind);
	check(!bind_to(fd, any_of(kind, port)),
	      "%s: an explicit bind to it works", kind->name);
	if (kind->type == SOCK_STREAM)
		check(!listen(fd, 1), "%s: and listen", kind->name);
	close(fd);
}

/*
 * assert_rest KIND RANGE. The range has few more ports than are used here, so
 * that a port that did not rest would come back.
 */
int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	for (const struct kind *kind = kinds; kind < kinds + N_KINDS; kind++) {
		if (strcmp(argv[1], kind->name) == 0 && kind_present(kind))
			rests(kind);
	}
	return 0;
}
