/* SPDX-License-Identifier: MIT */

/*
 * Nanoseconds of one lease and release: found and leased on one plane of a
 * range of 16,000 ports, half of them taken. Alone, in two processes at once,
 * and beside one that reads the map as a sweep does, without a pause.
 */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "map/ledger.h"
#include "map/map.h"
#include "map/sweep.h"

#define N_LEASES 2000000
#define LO 40000u
#define N_RANGE 16000u

static struct map map;
static struct port_set range;

static double now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static double measure(uint32_t step)
{
	struct lease lease = { .protocol = PROTOCOL_TCP,
			       .use = USE_CONNECT,
			       .plane = 1 };
	uint32_t from = LO;
	const double start = now_ns();

	for (int i = 0; i < N_LEASES; i++) {
		const int port = ledger_find(&map, &lease, &range, from, false,
					     1);

		lease.port = (uint16_t)port;
		if (ledger_lease(&map, &lease) == 0)
			ledger_release(&map, &lease, 0);
		from = LO + (from - LO + step) % N_RANGE;
	}
	return (now_ns() - start) / N_LEASES;
}

static double measure_two(void)
{
	int ends[2];
	double mine, other = 0;

	if (pipe(ends) != 0)
		return 0;
	if (fork() == 0) {
		other = measure(7);
		_exit(write(ends[1], &other, sizeof(other)) < 0);
	}
	mine = measure(11);
	if (read(ends[0], &other, sizeof(other)) != sizeof(other))
		return 0;
	wait(NULL);
	return (mine + other) / 2;
}

/* The kernel cannot be asked: all is read and nothing cleared. */
static int list_none(enum protocol protocol, uint16_t port,
		     kernel_socket_visit visit, void *context)
{
	(void)protocol;
	(void)port;
	(void)visit;
	(void)context;
	return -EPERM;
}

static double measure_beside_sweep(void)
{
	struct sweep_result result;
	const pid_t sweeper = fork();

	if (sweeper < 0)
		return 0;
	while (sweeper == 0)
		sweep_protocol(&map, PROTOCOL_TCP, &range, list_none, 1,
			       &result);

	const double mine = measure(1);

	kill(sweeper, SIGKILL);
	waitpid(sweeper, NULL, 0);
	return mine;
}

int main(void)
{
	struct lease taken = { .protocol = PROTOCOL_TCP,
			       .use = USE_CONNECT,
			       .plane = 1 };

	if (map_open_private(0, &map) < 0)
		return 1;
	port_set_add(&range, LO, LO + N_RANGE - 1);
	port_set_finish(&range);
	for (uint32_t port = LO; port < LO + N_RANGE; port += 2) {
		taken.port = (uint16_t)port;
		ledger_lease(&map, &taken);
	}
	measure(1);
	printf("%.1f ", measure(1));
	printf("%.1f ", measure_two());
	printf("%.1f\n", measure_beside_sweep());
	return 0;
}
