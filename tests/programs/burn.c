/* SPDX-License-Identifier: MIT */

/*
 * burn SERVICE_PORT N_HELD WATCHED_PORT: a client that burns through its range.
 *
 * Connects to a listener of its own on SERVICE_PORT and binds to port 0, by
 * turns and without a pause, and keeps the last N_HELD sockets of either kind.
 * Prints "ready" once it holds them, ends with its input, and then prints
 *
 *     CONNECTS BINDS FAILURES WATCHED NEIGHBOURS
 *
 * how often it was given the watched port, and the port before or after it.
 */

#include "probe.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>

#define MAX_HELD 256

struct ring {
	int fds[MAX_HELD];
	long n_made;
};

static int n_held, watched;
static long n_failures, n_watched, n_neighbours;

/* Makes the next socket of a kind; the oldest one gives way to it. */
static void make_next(struct ring *ring,
		      int (*use)(int fd, struct address address),
		      struct address address)
{
	int *fdp = &ring->fds[ring->n_made++ % n_held];

	if (*fdp > 0)
		close_with_reset(*fdp);
	*fdp = open_kind(&kinds[TCP4]);
	if (use(*fdp, address) != 0) {
		close(*fdp);
		*fdp = -1;
		n_failures++;
		return;
	}

	const int port = local_port(*fdp);

	n_watched += port == watched;
	n_neighbours += abs(port - watched) == 1;
}

static bool input_has_ended(void)
{
	struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };

	return poll(&input, 1, 0) > 0;
}

/* In a child, which ends with its parent. */
static void start_service(struct address address)
{
	const int fd = start_server(&kinds[TCP4], address);
	const pid_t parent = getpid();
	const pid_t child = must(fork(), "fork");

	if (child != 0) {
		close(fd);
		return;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (getppid() == parent)
		close(accept(fd, NULL, NULL));
	_exit(0);
}

int main(int argc, char *argv[])
{
	static struct ring connected, bound;

	if (argc != 4 || atoi(argv[2]) < 1 || atoi(argv[2]) > MAX_HELD) {
		fprintf(stderr, "burn SERVICE_PORT N_HELD WATCHED_PORT\n");
		return 2;
	}
	n_held = atoi(argv[2]);
	watched = atoi(argv[3]);

	const struct address any = address_of("0.0.0.0", 0);
	const struct address service = address_of("127.0.0.1",
						  (uint16_t)atoi(argv[1]));

	start_service(service);
	while (!input_has_ended()) {
		make_next(&connected, connect_to, service);
		make_next(&bound, bind_to, any);
		if (bound.n_made == n_held)
			report_text("ready");
	}
	report_text("%ld %ld %ld %ld %ld", connected.n_made, bound.n_made,
		    n_failures, n_watched, n_neighbours);
	return 0;
}
