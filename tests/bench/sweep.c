/* SPDX-License-Identifier: MIT */

/*
 * Milliseconds of a dump of the kernel's TCP sockets and of a sweep, by turns:
 * prints the sockets, the median of the dumps, that of the sweeps.
 *
 *     sweep              once, in the map of BERTH_DIR
 *     sweep forever      sweeps until it is ended, for those who run beside it
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "kernel/kernel.h"
#include "map/map.h"
#include "map/sweep.h"

#define N_ROUNDS 11

static struct kernel kernel;
static struct port_set range;
static struct map map;

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static bool count(const struct kernel_socket *socket, void *context)
{
	uint32_t *np = context;

	*np += socket->local.port != 0;
	return true;
}

static double measure_dump(uint32_t *np)
{
	const double start = now_ms();

	*np = 0;
	socket_table_list(PROTOCOL_TCP, ANY_PORT, count, np);
	return now_ms() - start;
}

static double measure_sweep(void)
{
	struct sweep_result result;
	const double start = now_ms();

	if (sweep_protocol(&map, PROTOCOL_TCP, &range, socket_table_list,
			   clock_now_ms(), &result) < 0)
		exit(1);
	return now_ms() - start;
}

static int compare(const void *a, const void *b)
{
	const double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

static double median(double values[N_ROUNDS])
{
	qsort(values, N_ROUNDS, sizeof(values[0]), compare);
	return values[N_ROUNDS / 2];
}

int main(int argc, char *argv[])
{
	double dumps[N_ROUNDS], sweeps[N_ROUNDS];
	uint32_t n = 0;

	kernel_read(&kernel);

	const struct place place = {
		.directory = getenv("BERTH_DIR"),
		.netns_inode = kernel.netns_inode,
		.netns_cookie = kernel.netns_cookie,
	};

	if (map_open(&place, MAP_CREATE, &map, NULL) < 0)
		return 1;
	port_set_add(&range, 1024, 65535);
	port_set_finish(&range);
	while (argc > 1 && strcmp(argv[1], "forever") == 0)
		measure_sweep();
	for (int i = 0; i < N_ROUNDS; i++) {
		dumps[i] = measure_dump(&n);
		sweeps[i] = measure_sweep();
	}
	printf("%u %.2f %.2f\n", n, median(dumps), median(sweeps));
	return 0;
}
