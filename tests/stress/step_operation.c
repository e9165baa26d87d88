/* SPDX-License-Identifier: MIT */
#include "step_operation.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "assign/pick.h"
#include "map/layout.h"
#include "map/map.h"
#include "map/sweep.h"
#include "policy/layout.h"
#include "process/descriptors.h"
#include "step_parts.h"
#include "stepper.h"

#define N_FEW 4u /* ports of a search */

struct trial *trial;
bool steps_from_lease;

static struct process process, searcher;
static struct port_set range;
static struct policy_preamble *policy_header;

void fail(const char *format, ...)
{
	va_list arguments;

	add_relaxed_u32(&trial->n_failures, 1);
	printf("# ");
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	printf("\n");
	fflush(stdout);
}

static uint16_t the_port(void)
{
	return (uint16_t)load_relaxed_u32(&trial->port);
}

const struct map *operation_map(void)
{
	return &process.map;
}

void operation_sweep(void)
{
	struct sweep_result result;

	sweep_protocol(&process.map, PROTOCOL_TCP, &range, truth_list, now_ms(),
		       &result);
}

/* --- others --------------------------------------------------------------- */

void others_try(const struct claim *claim, bool hold)
{
	const struct lease lease = truth_lease(claim);

	if (ledger_lease(&process.map, &lease) < 0)
		return;
	if (!truth_take(claim)) {
		if (load_relaxed_u32(&trial->strict))
			fail("port %u is given twice, use %d", claim->port,
			     claim->use);
		ledger_release(&process.map, &lease, 0);
		return;
	}
	if (hold)
		return;
	truth_drop(claim);
	ledger_release(&process.map, &lease, 0);
}

/* All uses of the port, and one search. */
static void others_lease(void)
{
	const struct claim claims[N_HOLDS] = {
		{ USE_FREE, the_port(), 0 },	{ USE_WHOLE, the_port(), 0 },
		{ USE_BOUND, the_port(), 0 },	{ USE_BOUND, the_port(), 1 },
		{ USE_CONNECT, the_port(), 0 }, { USE_CONNECT, the_port(), 2 },
	};
	const struct port_wish wish = { .protocol = PROTOCOL_TCP,
					.use = USE_WHOLE,
					.role = ROLE_OF_LISTEN };
	const uint32_t held = load_relaxed_u32(&trial->hold);
	struct port_pick pick;
	struct policy policy;
	struct lease lease;

	for (unsigned int i = 1; i < N_HOLDS; i++)
		others_try(&claims[i], false);
	if (held != 0)
		others_try(&claims[held], true);
	process_policy(&process, &policy);
	port_pick_start(&pick, &process, &policy, &wish);
	pick.now_ms = now_ms();
	if (!port_pick_next(&pick, &lease))
		fail("a search finds none of %u ports", range.n_ports);
	else
		port_pick_reject(&pick, &lease);
}

/* --- leases --------------------------------------------------------------- */

void hold_other(const struct operation *operation)
{
	store_relaxed_u32(&trial->port, PORT);
	if (operation->held != NULL)
		others_try(operation->held, true);
}

/* The kernel's judgement of what the map gave. */
static void take(const struct claim *claim, const struct lease *lease)
{
	if (truth_take(claim))
		return;
	if (load_relaxed_u32(&trial->strict))
		fail("port %u is another's already, use %d", claim->port,
		     claim->use);
	ledger_release(&process.map, lease, 0);
}

static void act_lease(const struct operation *operation)
{
	const struct lease lease = truth_lease(&operation->claim);
	int result;

	stepped_begin();
	result = ledger_lease(&process.map, &lease);
	stepped_end();
	if (result == 0)
		take(&operation->claim, &lease);
}

static void act_release(const struct operation *operation)
{
	const struct lease lease = truth_lease(&operation->claim);

	others_try(&operation->claim, true);
	if (!truth_has(&operation->claim))
		fail("cannot hold what is to be released");
	if (!operation->survived)
		truth_drop(&operation->claim);
	stepped_begin();
	ledger_release(&process.map, &lease, operation->rests ? now_ms() : 0);
	stepped_end();
}

/* A port is not free before it rests. */
static void check_rest(const struct operation *operation)
{
	const uint16_t port = operation->claim.port;

	if (operation->rests &&
	    ledger_use_word(&process.map, PROTOCOL_TCP, port) == 0 &&
	    !ledger_rests(&process.map, PROTOCOL_TCP, port, now_ms()))
		fail("port %u is free and does not rest", port);
}

/* --- searches ------------------------------------------------------------- */

static void search(const struct operation *operation, bool from_lease)
{
	const struct port_wish wish = { .protocol = PROTOCOL_TCP,
					.use = USE_WHOLE,
					.role = ROLE_OF_LISTEN };
	struct claim claim = operation->claim;
	struct port_pick pick;
	struct policy policy;
	struct lease lease;
	bool found;

	process_policy(&searcher, &policy);
	port_pick_start(&pick, &searcher, &policy, &wish);
	pick.now_ms = now_ms();
	steps_from_lease = from_lease;
	if (!from_lease)
		stepped_begin();
	found = port_pick_next(&pick, &lease);
	stepped_end();
	steps_from_lease = false;
	if (!found)
		return;
	claim.port = lease.port;
	take(&claim, &lease);
}

/* Every second port of the few is taken. */
static void prepare_search(const struct operation *operation)
{
	hold_other(operation);
	others_try(&(struct claim){ USE_WHOLE, PORT + 1, 0 }, true);
	others_try(&(struct claim){ USE_WHOLE, PORT + 3, 0 }, true);
}

static void act_search(const struct operation *operation)
{
	search(operation, false);
}

/* All of the few rest; where two have done so for as long, any is taken. */
static void prepare_rest(const struct operation *operation)
{
	hold_other(operation);
	for (uint16_t port = PORT; port < PORT + N_FEW; port++)
		ledger_rest(&process.map, PROTOCOL_TCP, port,
			    now_ms() - 10 - port % 3);
}

static void act_search_rest(const struct operation *operation)
{
	search(operation, true);
}

/* --- within one process: what a signal handler meets ---------------------- */

static void act_adopt(const struct operation *operation)
{
	struct policy policy;

	(void)operation;
	policy_header->edition += 2;
	stepped_begin();
	process_policy(&searcher, &policy);
	stepped_end();
	process_policy(&searcher, &policy);
	if (policy.edition != policy_header->edition ||
	    policy.ranges[PROTOCOL_TCP][ROLE_OF_LISTEN] !=
		    &searcher.source.environment.range)
		fail("edition %llu is followed after %llu",
		     (unsigned long long)policy.edition,
		     (unsigned long long)policy_header->edition);
	if (policy_source_get(&searcher.source, &policy) != POLICY_SAME)
		fail("a policy is never kept");
}

/* Every second time another policy is published. */
static void others_adopt(void)
{
	struct policy policy;

	policy_header->edition += load_relaxed_u32(&trial->hold) % 2 * 2;
	process_policy(&searcher, &policy);
	if (policy.edition != policy_header->edition)
		fail("a signal handler has edition %llu",
		     (unsigned long long)policy.edition);
}

#define THE_FD 5

static void take_descriptor(void)
{
	const struct fd_facts facts = fd_cache_take(&process.cache, THE_FD);

	if (facts.use != USE_FREE)
		add_relaxed_u32(&trial->n_taken, 1);
	process_release(&process, &facts);
}

static void act_close(const struct operation *operation)
{
	const struct lease lease = truth_lease(&operation->claim);
	struct fd_facts facts = { .known = 1, .covered = 1 };

	if (ledger_lease(&process.map, &lease) < 0)
		fail("cannot lease what is to be closed");
	process_note_lease(&process, &lease, &facts);
	process_set(&process, THE_FD, facts);
	stepped_begin();
	take_descriptor();
	stepped_end();
	if (load_relaxed_u32(&trial->n_taken) != 1)
		fail("a lease is given back %u times",
		     load_relaxed_u32(&trial->n_taken));
}

static void prepare_process(const struct operation *operation)
{
	hold_other(operation);
	store_relaxed_u32(&trial->n_taken, 0);
}

/* --- all of them ---------------------------------------------------------- */

#define SHARED_HOLD \
	&(const struct claim) \
	{ \
		USE_CONNECT, PORT, 1 \
	}
#define LOCAL_HOLD \
	&(const struct claim) \
	{ \
		USE_BOUND, PORT, 1 \
	}
#define WHOLE_HOLD \
	&(const struct claim) \
	{ \
		USE_WHOLE, PORT, 0 \
	}
#define OF(use) .claim = { use, PORT, 0 }
#define LEASES .prepare = hold_other, .act = act_lease, .others = others_lease
#define RELEASES \
	.prepare = hold_other, .act = act_release, .others = others_lease, \
	.check = check_rest

const struct operation operations[] = {
	{ "lease of a whole port", OF(USE_WHOLE), LEASES },
	{ "lease of a local address", OF(USE_BOUND), LEASES },
	{ "lease for a destination", OF(USE_CONNECT), LEASES },
	{ "lease beside another destination", OF(USE_CONNECT),
	  .held = SHARED_HOLD, LEASES },
	{ "lease beside another local address", OF(USE_BOUND),
	  .held = LOCAL_HOLD, LEASES },
	{ "lease that another use excludes", OF(USE_CONNECT),
	  .held = WHOLE_HOLD, LEASES },
	{ "release of a whole port", OF(USE_WHOLE), RELEASES },
	{ "release of a whole port, to rest", OF(USE_WHOLE), RELEASES,
	  .rests = true },
	{ "release of a local address, to rest", OF(USE_BOUND), RELEASES,
	  .rests = true },
	{ "release of a destination", OF(USE_CONNECT), RELEASES },
	{ "release of one of two destinations", OF(USE_CONNECT),
	  .held = SHARED_HOLD, RELEASES, .rests = true },
	/* Edge case 19: the map does not know, the sweep repairs. */
	{ "release while a child still has the socket", OF(USE_WHOLE), RELEASES,
	  .survived = true },
	{ "release while a child still has the connection", OF(USE_CONNECT),
	  RELEASES, .survived = true },
	{ "search", OF(USE_WHOLE), .prepare = prepare_search, .act = act_search,
	  .others = others_lease },
	{ "search among ports that rest", OF(USE_WHOLE),
	  .prepare = prepare_rest, .act = act_search_rest,
	  .others = others_lease },
	{ "sweep", OF(USE_FREE), .prepare = prepare_damage, .act = act_sweep,
	  .others = others_lease, .in_regions = true },
	{ "turn to sweep", OF(USE_FREE), .no_map = true, .act = act_turn,
	  .others = take_turn, .finally = finally_turn },
	{ "entry of an event", OF(USE_FREE), .no_map = true,
	  .prepare = prepare_events, .act = act_event,
	  .others = others_put_events, .check = check_events },
	{ "adoption of a policy", OF(USE_FREE), .in_process = true,
	  .prepare = prepare_process, .act = act_adopt,
	  .others = others_adopt },
	{ "close of a descriptor", OF(USE_WHOLE), .in_process = true,
	  .prepare = prepare_process, .act = act_close,
	  .others = take_descriptor },
};

const unsigned int n_operations = sizeof(operations) / sizeof(operations[0]);

/* A policy without a file, that gives out ports from lo to hi. */
static void give_policy(struct process *to, uint32_t lo, uint32_t hi)
{
	struct environment *environment = &to->source.environment;

	environment->settings[SETTING_ALGORITHM] = ALGORITHM_SEQUENTIAL;
	port_set_add(&environment->range, lo, hi);
	port_set_finish(&environment->range);
	policy_of_environment(environment, &to->source.policies[0]);
}

void operation_set_up(void)
{
	trial = stepper_share(sizeof(*trial));
	policy_header = stepper_share(sizeof(*policy_header));
	if (map_open_private(0, &process.map) < 0)
		exit(99);
	truth_set_up(&process.map, &range);
	fd_cache_open(&process.cache);
	give_policy(&process, TRUTH_LO, TRUTH_LO + TRUTH_N_PORTS - 1);
	searcher.map = process.map;
	give_policy(&searcher, PORT, PORT + N_FEW - 1);
	searcher.source.files[0].preamble = policy_header;
	store_relaxed_u64(&trial->now_ms, 10000000);
}
