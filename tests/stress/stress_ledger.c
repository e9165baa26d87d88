/* SPDX-License-Identifier: MIT */

/*
 * Processes and threads that lease and give back at random, on one map.
 *
 *     stress_ledger PROCESSES THREADS ROUNDS [SEED]
 *
 * Beside the ledger stands a table of who really holds what, entered after each
 * lease and cleared before each release: nobody may find another one there that
 * excludes him. In the end the ledger must be as empty as in the beginning.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "assign/pick.h"
#include "process/process.h"
#include "../tap.h"

#define LO 40000u
#define N_RANGE 96u /* few, so that they meet; no multiple of a word */
#define N_STRESSED_PLANES 4u
#define N_HELD 12u
#define MAX_THREADS 16u

/* Who holds a port, by use; and each plane of it. */
struct holders {
	atomic_uint by_use[N_USES];
	atomic_uint planes[N_STRESSED_PLANES];
};

struct shared {
	struct holders holders[N_RANGE];
	atomic_uint n_failures;
	atomic_uint now_ms;
	atomic_uint released_ms[N_RANGE]; /* with rest; 0 = never */
};

static struct process process;
static struct shared *shared;
static unsigned int n_rounds, seed;

static void fail(const char *what, const struct lease *lease)
{
	atomic_fetch_add(&shared->n_failures, 1);
	printf("# %s: port %u, use %d, plane %u, seed %u\n", what, lease->port,
	       lease->use, lease->plane, seed);
}

static unsigned int others(const struct holders *holders, enum use use)
{
	unsigned int n = 0;

	for (int other = USE_WHOLE; other < N_USES; other++)
		if (other != (int)use)
			n += atomic_load(&holders->by_use[other]);
	return n;
}

static void enter(const struct lease *lease)
{
	struct holders *holders = &shared->holders[lease->port - LO];
	const unsigned int same = atomic_fetch_add(&holders->by_use[lease->use],
						   1);

	if (others(holders, lease->use) != 0)
		fail("leased beside another use", lease);
	if (lease->use == USE_WHOLE
		    ? same != 0
		    : atomic_fetch_add(&holders->planes[lease->plane], 1) != 0)
		fail("leased twice", lease);
}

static void leave(const struct lease *lease, uint64_t rest_now_ms)
{
	struct holders *holders = &shared->holders[lease->port - LO];

	if (lease->use != USE_WHOLE)
		atomic_fetch_sub(&holders->planes[lease->plane], 1);
	atomic_fetch_sub(&holders->by_use[lease->use], 1);
	ledger_release(&process.map, lease, rest_now_ms);
	/* Afterwards: who has leased the port until now did so in time. */
	if (rest_now_ms != 0)
		atomic_store(&shared->released_ms[lease->port - LO],
			     (unsigned int)rest_now_ms);
}

/*
 * A port that rests may be had only when nothing else is left. Of a port that
 * is shared, another holder may have given his lease back since ours was taken.
 */
static void check_rest(const struct port_pick *pick, const struct lease *lease)
{
	const unsigned int released =
		atomic_load(&shared->released_ms[lease->port - LO]);

	const uint64_t age = pick->now_ms - released;

	if (lease->use != USE_WHOLE || released == 0 || pick->now_ms < released)
		return;
	if (pick->limit == REST_NONE &&
	    age < load_relaxed_u32(&process.map.rest_ms))
		fail("leased while it rests", lease);
	/* By more than two may differ who give a shared port back at once. */
	if (pick->limit == REST_LONGEST && pick->rested_ms > 10000 &&
	    age < pick->rested_ms / 2)
		fail("leased though it has rested since it was chosen", lease);
}

static bool take(unsigned int *randomp, struct lease *leasep)
{
	struct port_pick pick;
	struct policy policy;
	const enum use use = USE_WHOLE + rand_r(randomp) % 3;
	const struct port_wish wish = { .protocol = PROTOCOL_TCP,
					.use = use,
					.role = ROLE_OF_LISTEN };

	process_policy(&process, &policy);
	port_pick_start(&pick, &process, &policy, &wish);
	pick.now_ms = atomic_load(&shared->now_ms);
	if (use != USE_WHOLE)
		pick.wanted.plane = rand_r(randomp) % N_STRESSED_PLANES;
	if (!port_pick_next(&pick, leasep))
		return false;
	check_rest(&pick, leasep);
	enter(leasep);
	return true;
}

static void *work(void *argument)
{
	unsigned int random = seed + (unsigned int)(uintptr_t)argument;
	struct lease held[N_HELD];
	unsigned int n_held = 0;

	for (unsigned int round = 0; round < n_rounds; round++) {
		if (n_held < N_HELD && rand_r(&random) % 2 != 0) {
			n_held += take(&random, &held[n_held]);
		} else if (n_held > 0) {
			const unsigned int at = rand_r(&random) % n_held;
			const bool rests = rand_r(&random) % 8 == 0;

			leave(&held[at],
			      rests ? atomic_load(&shared->now_ms) : 0);
			held[at] = held[--n_held];
		}
		if (rand_r(&random) % 64 == 0)
			atomic_fetch_add(&shared->now_ms, 100);
	}
	while (n_held > 0)
		leave(&held[--n_held], 0);
	return NULL;
}

static void run_threads(unsigned int first, unsigned int n_threads)
{
	pthread_t threads[MAX_THREADS];

	for (unsigned int i = 0; i < n_threads; i++)
		pthread_create(&threads[i], NULL, work,
			       (void *)(uintptr_t)(first + i));
	for (unsigned int i = 0; i < n_threads; i++)
		pthread_join(threads[i], NULL);
}

static void run_processes(unsigned int n_processes, unsigned int n_threads)
{
	for (unsigned int i = 0; i < n_processes; i++)
		if (fork() == 0) {
			run_threads(i * n_threads, n_threads);
			fflush(stdout);
			_exit(0);
		}
	for (int status; wait(&status) > 0;)
		if (status != 0)
			atomic_fetch_add(&shared->n_failures, 1);
}

/* What nobody has leased must show nowhere. */
static void expect_empty(void)
{
	const struct map_memory *memory = process.map.memory;
	const struct protocol_memory *protocol =
		&memory->protocols[PROTOCOL_TCP];

	for (uint32_t port = LO; port < LO + N_RANGE; port++) {
		const struct lease lease = { .port = (uint16_t)port };
		const uint32_t word = port / PORT_WORD_BITS;
		const uint64_t bit = UINT64_C(1) << port % PORT_WORD_BITS;
		uint64_t bits = 0;

		for (int use = USE_WHOLE; use < N_USES; use++)
			bits |= protocol->hints[use][word];
		for (uint32_t i = 0; i < N_STRESSED_PLANES; i++)
			bits |= memory->planes[i].words[word];
		if (protocol->uses[port] != 0)
			fail("still in use", &lease);
		if ((bits & bit) != 0)
			fail("still marked", &lease);
	}
}

static void set_up(void)
{
	/* 1 ms of the test's clock is one of the ledger's. */
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED || map_open_private(0, &process.map) < 0)
		exit(99);
	shared->now_ms = 1000000;

	struct environment *environment = &process.source.environment;

	environment->settings[SETTING_ALGORITHM] = ALGORITHM_RANDOM;
	port_set_add(&environment->range, LO, LO + N_RANGE - 1);
	port_set_finish(&environment->range);
	policy_of_environment(environment, &process.source.policies[0]);
}

int main(int argc, char *argv[])
{
	if (argc < 4) {
		fprintf(stderr, "usage: %s PROCESSES THREADS ROUNDS [SEED]\n",
			argv[0]);
		return 2;
	}

	const unsigned int n_processes = (unsigned int)atoi(argv[1]);
	const unsigned int n_threads = (unsigned int)atoi(argv[2]) %
				       (MAX_THREADS + 1);

	n_rounds = (unsigned int)atoi(argv[3]);
	seed = argc > 4 ? (unsigned int)atoi(argv[4])
			: (unsigned int)time(NULL) ^ (unsigned int)getpid();
	struct tap tap = { 0 };

	set_up();
	/* One process is this one: a thread sanitizer sees all of it. */
	if (n_processes == 1)
		run_threads(0, n_threads);
	else
		run_processes(n_processes, n_threads);
	expect_empty();

	tap_ok(&tap, shared->n_failures == 0,
	       "%u x %u that lease and release at random, seed %u", n_processes,
	       n_threads, seed);
	return tap_end(&tap);
}
