/* SPDX-License-Identifier: MIT */

/*
 * Each instruction is once the last one of a process.
 *
 *     stress_step [all | NAME...]
 *
 * A process that leases, gives back, searches, sweeps, enters an event or adopts
 * a policy is run instruction by instruction and, after 0, 1, 2, ... of them until
 * it is through: killed; stopped while others lease and give back what it is
 * about, and let go on; the same while others sweep as well, or with the end some
 * instructions later; interrupted by a signal handler that does what the others
 * do. Others must get on in a bounded number of instructions of their own, nobody
 * may be given what another one holds, and in the end map and sockets agree.
 *
 * What others hold in the end changes with the instruction, and so does, where an
 * operation is long, what happens beside the kill; with "all" everything is tried
 * at each instruction.
 */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "map/layout.h"
#include "map/map.h"
#include "step_operation.h"
#include "stepper.h"
#include "../tap.h"

/* What others may need for five leases and releases and a search, by their own
 * instructions: some 1,000 here. */
#define MAX_OTHERS 10000u

#define TRIAL_MS 1000000u /* nothing rests into the next one */

/* So many get all fates at each instruction; of those behind, and of a sweep's,
 * each second one has one beside the kill. */
#define MAX_SHORT 250u

enum fate {
	KILLED, /* first: at each instruction */
	STOPPED,
	STOPPED_SWEPT,
	MOVED_ON,
	INTERRUPTED,
	N_FATES
};

static const char *const fate_names[N_FATES] = {
	[KILLED] = "killed",
	[STOPPED] = "stopped",
	[STOPPED_SWEPT] = "stopped while others sweep",
	[MOVED_ON] = "stopped, and killed a little later",
	[INTERRUPTED] = "interrupted by a signal",
};

struct count {
	unsigned int n_instructions;
	unsigned int n_trials;
	unsigned int most_of_others;
};

static const struct operation *current;
static struct stepped_trace trace; /* of its part that is tried */

/* What was seen to end well: the same again is not worth two more sweeps. */
static uint64_t seen[4096];

/* Whether a state is new. */
static bool is_new(uint64_t state)
{
	size_t at = state % 4096;

	for (unsigned int i = 0; i < 64; i++, at = (at + 1) % 4096) {
		if (seen[at] == state)
			return false;
		if (seen[at] != 0)
			continue;
		seen[at] = state;
		return true;
	}
	return true;
}

static void act(void *context)
{
	(void)context;
	current->act(current);
}

static void work_counted(void *context)
{
	(void)context;
	stepped_begin();
	current->others();
	stepped_end();
}

static void interrupt(int signal)
{
	(void)signal;
	current->others();
}

/* Others get on, each step of theirs counted; they hold nothing in the end. */
static void count_others(struct count *count)
{
	const uint32_t hold = load_relaxed_u32(&trial->hold);
	struct stepped other;

	store_relaxed_u32(&trial->hold, 0);
	stepped_start(&other, 1, work_counted, NULL);
	if (stepped_steps(&other, MAX_OTHERS)) {
		fail("others wait: %u instructions are not enough", MAX_OTHERS);
		stepped_kill(&other);
	} else if (!stepped_finish(&other, 0)) {
		fail("others end badly: status %#x", other.status);
	}
	if (other.n_steps > count->most_of_others)
		count->most_of_others = other.n_steps;
	store_relaxed_u32(&trial->hold, hold);
}

static void begin(enum fate fate, unsigned int hold)
{
	store_relaxed_u64(&trial->now_ms,
			  load_relaxed_u64(&trial->now_ms) + TRIAL_MS);
	store_relaxed_u32(&trial->strict, !current->in_regions &&
						  !current->survived &&
						  fate != STOPPED_SWEPT);
	store_relaxed_u32(&trial->hold, hold);
	store_relaxed_u32(&trial->n_turns, 0);
	if (current->prepare != NULL)
		current->prepare(current);
}

/* What others do while the process is stopped, or dead. */
static void meet(enum fate fate, unsigned int n)
{
	if (fate == STOPPED_SWEPT && n % 2 == 0)
		operation_sweep();
	current->others();
	if (fate == STOPPED_SWEPT && n % 2 != 0)
		operation_sweep();
}

static void check(void)
{
	if (current->check != NULL)
		current->check(current);
}

static void expect_agreement(const char *when)
{
	if (!truth_agrees())
		fail("map and sockets differ %s", when);
}

static void end(bool killed)
{
	const bool is_exact = load_relaxed_u32(&trial->strict) && !killed;

	check();
	if (current->finally != NULL)
		current->finally(killed);
	if (current->no_map)
		return;
	if (is_new(truth_fingerprint() + is_exact)) {
		if (is_exact)
			expect_agreement("without any sweep");
		operation_sweep();
		operation_sweep();
		expect_agreement("after two sweeps");
	}
	truth_reset();
}

/* The process stands behind n instructions. */
static void decide(struct stepped *stepped, enum fate fate, unsigned int n,
		   struct count *count)
{
	if (fate == KILLED)
		stepped_kill(stepped);
	if (fate == KILLED && !current->no_map &&
	    is_new(truth_fingerprint() + 2))
		count_others(count);
	if (fate != INTERRUPTED)
		meet(fate, n);
	if (fate == MOVED_ON) {
		(void)stepped_steps(stepped, 1 + n * 5 % 29);
		check();
		stepped_kill(stepped);
		current->others();
	} else if (fate != KILLED &&
		   !stepped_finish(stepped,
				   fate == INTERRUPTED ? SIGUSR1 : 0)) {
		fail("it ends badly: status %#x", stepped->status);
	}
	end(fate == KILLED || fate == MOVED_ON);
}

/*
 * A process that stands behind n instructions of the part. It may take another
 * way than that which was traced, by what the clock says; false when it has fewer
 * then.
 */
static bool bring(struct stepped *stepped, enum fate fate, unsigned int n,
		  unsigned int hold)
{
	begin(fate, hold);
	stepped_start(stepped, 0, act, NULL);
	if (stepped_go(stepped, &trace, n))
		return true;
	truth_reset();
	begin(fate, hold);
	stepped_start(stepped, 0, act, NULL);
	if (stepped_steps(stepped, n))
		return true;
	stepped_kill(stepped);
	truth_reset();
	return false;
}

/* One process, ended or held up behind n instructions. */
static void try(unsigned int n, enum fate fate, unsigned int hold,
		struct count *count)
{
	const uint32_t before = trial->n_failures;
	struct stepped stepped;

	if (!bring(&stepped, fate, n, hold))
		return;
	check();
	decide(&stepped, fate, n, count);
	count->n_trials++;
	if (trial->n_failures == before)
		return;
	printf("# ... in \"%s\", part %u, %s behind %u instructions, others "
	       "hold %u\n",
	       current->name, trial->region, fate_names[fate], n, hold);
	fflush(stdout);
}

static bool is_due(enum fate fate, unsigned int n)
{
	if (current->in_process)
		return fate == INTERRUPTED;
	return fate == KILLED || (n < MAX_SHORT && !current->in_regions) ||
	       (n % 2 == 0 && n / 2 % (N_FATES - 1) + 1 == fate);
}

static void try_fates(unsigned int n, bool all, struct count *count)
{
	for (unsigned int i = 0; i < (all ? N_HOLDS : 1); i++)
		for (unsigned int fate = 0; fate < N_FATES; fate++)
			if (all || is_due((enum fate)fate, n))
				try(n, (enum fate)fate,
				    (n / 2 + i + fate) % N_HOLDS, count);
}

/* How many instructions the part has; 0 = there is no such part. */
static unsigned int trace_region(void)
{
	struct stepped stepped;

	begin(KILLED, 0);
	stepped_start(&stepped, 0, act, NULL);
	stepped_trace(&stepped, &trace);
	stepped_finish(&stepped, 0);
	truth_reset();
	return trace.n;
}

static bool try_operation(bool all, struct count *count)
{
	const uint32_t before = trial->n_failures;

	memset(seen, 0, sizeof(seen));
	store_relaxed_u32(&trial->region, 0);
	while (trace_region() > 0) {
		for (unsigned int n = 0; n < trace.n; n++)
			try_fates(n, all, count);
		count->n_instructions += trace.n;
		if (!current->in_regions)
			break;
		trial->region++;
	}
	if (count->n_instructions == 0)
		fail("there was nothing to try");
	/* Nothing was touched beyond its ports. */
	expect_agreement("in the end");
	return trial->n_failures == before;
}

static bool is_asked_for(const char *name, char *argv[])
{
	if (*argv == NULL || strcmp(*argv, "all") == 0)
		return true;
	for (; *argv != NULL; argv++)
		if (strstr(name, *argv) != NULL)
			return true;
	return false;
}

int main(int argc, char *argv[])
{
	const bool all = argc > 1 && strcmp(argv[1], "all") == 0;
	const char *why_not = stepper_open();
	struct tap tap = { 0 };

	if (why_not != NULL)
		return tap_skip_all(why_not);
	stepper_stay_here();
	operation_set_up();
	signal(SIGUSR1, interrupt);
	for (unsigned int i = 0; i < n_operations; i++) {
		struct count count = { 0 };

		current = &operations[i];
		if (!is_asked_for(current->name, argv + 1))
			continue;

		const bool passed = try_operation(all, &count);

		printf("# %u instructions, %u trials; others needed %u at "
		       "most\n",
		       count.n_instructions, count.n_trials,
		       count.most_of_others);
		tap_ok(&tap, passed, "%s: each instruction may be the last",
		       current->name);
	}
	return tap_end(&tap);
}
