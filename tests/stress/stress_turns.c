/* SPDX-License-Identifier: MIT */

/*
 * Processes that take turns at random instructions.
 *
 *     stress_turns [SCHEDULES [SEED]]
 *
 * Three processes lease and give back a port at random; each is stopped at an
 * instruction or two of it, and in the end they go on one after the other. Where
 * they meet depends on the seed alone, and is found again by it (what the
 * processor reorders is for stress_ledger). In most schedules nothing else
 * happens: nobody is given what another one holds, and in the end the map agrees
 * with the sockets without a sweep. In some somebody is killed instead of going
 * on, or others sweep too, and then two sweeps make the map right.
 */

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "map/map.h"
#include "map/sweep.h"
#include "stepper.h"
#include "../tap.h"
#include "truth.h"

#define N_PROCESSES 3u
#define N_ROUNDS 3u
#define N_HELD 2u
#define N_TURNS 5u
#define MAX_TURN 300u /* instructions: some four leases or releases */

enum plot { PLOT_PEACE, PLOT_PEACE_TOO, PLOT_KILL, PLOT_SWEEP, N_PLOTS };

static struct map map;
static struct port_set range;
static atomic_u32 *n_failuresp; /* shared */
static enum plot plot;
static unsigned int seed; /* of the schedule */
static uint64_t now_ms = 1000000;

static void fail(const char *what, const struct claim *claim)
{
	add_relaxed_u32(n_failuresp, 1);
	printf("# %s: port %u, use %d, index %u, schedule %u\n", what,
	       claim->port, claim->use, claim->index, seed);
	fflush(stdout);
}

static bool take(unsigned int *randomp, struct claim *claimp)
{
	const enum use use = USE_WHOLE + rand_r(randomp) % 3;
	const struct claim claim = {
		.use = use,
		.port = TRUTH_LO,
		.index = use == USE_WHOLE ? 0 : rand_r(randomp) % 2,
	};
	const struct lease lease = truth_lease(&claim);

	if (ledger_lease(&map, &lease) < 0)
		return false;
	*claimp = claim;
	if (truth_take(&claim))
		return true;
	/* A sweep may have cleared what was leased and not bound yet. */
	if (plot != PLOT_SWEEP)
		fail("given twice", &claim);
	ledger_release(&map, &lease, 0);
	return false;
}

static void give_back(unsigned int *randomp, const struct claim *claim)
{
	const struct lease lease = truth_lease(claim);

	truth_drop(claim);
	ledger_release(&map, &lease, rand_r(randomp) % 2 ? now_ms : 0);
}

static void work(void *context)
{
	unsigned int random = *(const unsigned int *)context;
	struct claim held[N_HELD];
	unsigned int n_held = 0;

	stepped_begin();
	for (unsigned int round = 0; round < N_ROUNDS; round++) {
		if (n_held < N_HELD && rand_r(&random) % 3 != 0)
			n_held += take(&random, &held[n_held]);
		else if (n_held > 0)
			give_back(&random, &held[--n_held]);
	}
	while (n_held > 0)
		give_back(&random, &held[--n_held]);
	stepped_end();
}

static void sweep(void)
{
	struct sweep_result result;

	sweep_protocol(&map, PROTOCOL_TCP, &range, truth_list, now_ms, &result);
}

static void finish(struct stepped *stepped)
{
	const struct claim nobody = { 0 };

	if (!stepped_finish(stepped, 0))
		fail("ended badly", &nobody);
}

static void run(struct stepped *stepped)
{
	unsigned int random = seed;
	const unsigned int first = rand_r(&random) % N_PROCESSES;

	for (unsigned int turn = 0; turn < N_TURNS; turn++) {
		struct stepped *next = &stepped[rand_r(&random) % N_PROCESSES];
		const unsigned int n = rand_r(&random) % MAX_TURN;

		if (plot == PLOT_SWEEP && rand_r(&random) % 2 == 0)
			sweep();
		if (!next->gone && !stepped_steps(next, n))
			finish(next);
	}
	if (plot == PLOT_KILL)
		stepped_kill(&stepped[first]);
	for (unsigned int i = plot == PLOT_KILL; i < N_PROCESSES; i++)
		finish(&stepped[(first + i) % N_PROCESSES]);
}

static unsigned int run_schedule(void)
{
	const struct claim nobody = { 0 };
	struct stepped stepped[N_PROCESSES];
	unsigned int seeds[N_PROCESSES];
	unsigned int n_steps = 0;

	now_ms += 1000000;
	for (unsigned int i = 0; i < N_PROCESSES; i++) {
		seeds[i] = seed * N_PROCESSES + i;
		stepped_start(&stepped[i], i, work, &seeds[i]);
	}
	run(stepped);
	for (unsigned int i = 0; i < N_PROCESSES; i++)
		n_steps += stepped[i].n_steps;
	if (plot >= PLOT_KILL) {
		sweep();
		sweep();
	}
	if (!truth_agrees())
		fail("map and sockets differ", &nobody);
	truth_reset();
	return n_steps;
}

int main(int argc, char *argv[])
{
	const unsigned int n_schedules = argc > 1 ? (unsigned int)atoi(argv[1])
						  : 300;
	const unsigned int first = argc > 2 ? (unsigned int)atoi(argv[2])
					    : (unsigned int)time(NULL) ^
						      (unsigned int)getpid()
							      << 8;
	const char *why_not = stepper_open();
	unsigned long long n_steps = 0;

	struct tap tap = { 0 };

	if (why_not != NULL)
		return tap_skip_all(why_not);
	stepper_stay_here();
	n_failuresp = stepper_share(sizeof(*n_failuresp));
	if (map_open_private(0, &map) < 0)
		return 99;
	truth_set_up(&map, &range);
	for (unsigned int i = 0; i < n_schedules; i++) {
		seed = first + i;
		plot = (enum plot)(seed % N_PLOTS);
		n_steps += run_schedule();
	}
	printf("# %llu instructions\n", n_steps);
	tap_ok(&tap, *n_failuresp == 0,
	       "%u schedules of %u processes, from %u on", n_schedules,
	       N_PROCESSES, first);
	return tap_end(&tap);
}
