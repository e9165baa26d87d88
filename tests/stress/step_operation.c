/* SPDX-License-Identifier: MIT */
#include "step_operation.h"

#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "assign/pick.h"
#include "map/event.h"
#include "map/layout.h"
#include "map/map.h"
#include "map/sweep.h"
#include "map/turn.h"
#include "policy/layout.h"
#include "process/descriptors.h"
#include "stepper.h"

#define PORT 40010u	/* in the middle of a word */
#define N_FEW 4u	/* ports of a search */

struct trial *trial;

/* In a stepped process: the call it is at, of which one is stepped. */
static unsigned int n_calls;
static bool is_sweeper;
static bool steps_from_lease;	/* of a long search, from there */

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

static uint64_t now_ms(void)
{
	return load_relaxed_u64(&trial->now_ms);
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
		{ USE_FREE, the_port(), 0 },
		{ USE_WHOLE, the_port(), 0 },
		{ USE_BOUND, the_port(), 0 },
		{ USE_BOUND, the_port(), 1 },
		{ USE_CONNECT, the_port(), 0 },
		{ USE_CONNECT, the_port(), 2 },
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

static void hold_other(const struct operation *operation)
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
	ledger_release(&process.map, &lease,
		       operation->rests ? now_ms() : 0);
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

/* --- a sweep, one of its changes of the map at a time --------------------- */

/* Of the functions of the ledger that change it: see meson.build, --wrap. */
int __real_ledger_lease(const struct map *map, const struct lease *lease);
int __wrap_ledger_lease(const struct map *map, const struct lease *lease);
void __real_ledger_release(const struct map *map, const struct lease *lease,
			   uint64_t rest_now_ms);
void __wrap_ledger_release(const struct map *map, const struct lease *lease,
			   uint64_t rest_now_ms);
void __real_ledger_rest(const struct map *map, enum protocol protocol,
			uint16_t port, uint64_t at_ms);
void __wrap_ledger_rest(const struct map *map, enum protocol protocol,
			uint16_t port, uint64_t at_ms);
void __real_ledger_settle(const struct map *map, enum protocol protocol,
			  uint16_t port, uint32_t use_word, uint32_t n_leases);
void __wrap_ledger_settle(const struct map *map, enum protocol protocol,
			  uint16_t port, uint32_t use_word, uint32_t n_leases);
void __real_ledger_mend_hints(const struct map *map, enum protocol protocol,
			      uint32_t word);
void __wrap_ledger_mend_hints(const struct map *map, enum protocol protocol,
			      uint32_t word);

/* Returns whether this is the call to be stepped. */
static bool enter_call(uint16_t port)
{
	if (!is_sweeper || n_calls++ != load_relaxed_u32(&trial->region))
		return false;
	store_relaxed_u32(&trial->port, port);
	stepped_begin();
	return true;
}

static void leave_call(bool stepped)
{
	if (stepped)
		stepped_end();
}

int __wrap_ledger_lease(const struct map *map, const struct lease *lease)
{
	if (steps_from_lease)
		stepped_begin();

	const bool stepped = enter_call(lease->port);
	const int result = __real_ledger_lease(map, lease);

	leave_call(stepped);
	return result;
}

void __wrap_ledger_release(const struct map *map, const struct lease *lease,
			   uint64_t rest_now_ms)
{
	const bool stepped = enter_call(lease->port);

	__real_ledger_release(map, lease, rest_now_ms);
	leave_call(stepped);
}

void __wrap_ledger_rest(const struct map *map, enum protocol protocol,
			uint16_t port, uint64_t at_ms)
{
	const bool stepped = enter_call(port);

	__real_ledger_rest(map, protocol, port, at_ms);
	leave_call(stepped);
}

void __wrap_ledger_settle(const struct map *map, enum protocol protocol,
			  uint16_t port, uint32_t use_word, uint32_t n_leases)
{
	const bool stepped = enter_call(port);

	__real_ledger_settle(map, protocol, port, use_word, n_leases);
	leave_call(stepped);
}

void __wrap_ledger_mend_hints(const struct map *map, enum protocol protocol,
			      uint32_t word)
{
	const bool stepped = word == PORT / PORT_WORD_BITS && enter_call(PORT);

	__real_ledger_mend_hints(map, protocol, word);
	leave_call(stepped);
}

static void use_directly(uint16_t port, uint32_t use_word)
{
	struct protocol_memory *protocol =
		&process.map.memory->protocols[PROTOCOL_TCP];

	store_relaxed_u16(&protocol->uses[port], (uint16_t)use_word);
	or_acq_rel_u64(&protocol->hints[use_word & 3][port / PORT_WORD_BITS],
		       UINT64_C(1) << port % PORT_WORD_BITS);
}

/* Leases as those leave them who end while they take or give back one. */
static void prepare_damage(const struct operation *operation)
{
	const struct claim dead[] = {
		{ USE_WHOLE, PORT, 0 }, { USE_CONNECT, PORT + 1, 0 },
		{ USE_CONNECT, PORT + 2, 0 }, { USE_BOUND, PORT + 3, 0 },
	};
	const struct claim foreign[] = {
		{ USE_WHOLE, PORT + 7, 0 }, { USE_BOUND, PORT + 8, 0 },
		{ USE_CONNECT, PORT + 9, 0 }, { USE_CONNECT, PORT + 9, 1 },
	};
	struct map_memory *memory = process.map.memory;
	const struct claim connecting = { USE_CONNECT, PORT + 10, 0 };
	const struct lease lone = truth_lease(
		&(struct claim){ USE_CONNECT, PORT + 4, 0 });

	hold_other(operation);
	others_try(&(struct claim){ USE_CONNECT, PORT + 2, 1 }, true);
	others_try(&(struct claim){ USE_CONNECT, PORT + 6, 1 }, true);
	others_try(&connecting, true);
	truth_unconnect(&connecting);
	for (unsigned int i = 0; i < sizeof(dead) / sizeof(dead[0]); i++) {
		const struct lease lease = truth_lease(&dead[i]);

		ledger_lease(&process.map, &lease);
	}
	for (unsigned int i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
		truth_take(&foreign[i]);
	or_acq_rel_u64(&memory->planes[lone.plane].words[lone.port / 64],
		       UINT64_C(1) << lone.port % 64);
	use_directly(PORT + 5, 4 + USE_CONNECT);
	use_directly(PORT + 6, 3 * 4 + USE_CONNECT);
	or_acq_rel_u64(&memory->protocols[PROTOCOL_TCP]
			.hints[USE_BOUND][PORT / 64],
		       UINT64_C(1) << PORT % 64);
}

static void act_sweep(const struct operation *operation)
{
	(void)operation;
	is_sweeper = true;
	n_calls = 0;
	operation_sweep();
	is_sweeper = false;
}

/* --- the turn to sweep ---------------------------------------------------- */

static void take_turn(void)
{
	if (turn_take(&process.map, PROTOCOL_TCP, now_ms()))
		add_relaxed_u32(&trial->n_turns, 1);
}

static void act_turn(const struct operation *operation)
{
	bool taken;

	(void)operation;
	stepped_begin();
	taken = turn_take(&process.map, PROTOCOL_TCP, now_ms());
	stepped_end();
	if (taken)
		add_relaxed_u32(&trial->n_turns, 1);
}

static void finally_turn(bool killed)
{
	const uint32_t n_turns = load_relaxed_u32(&trial->n_turns);

	if (n_turns > 1 || (n_turns == 0 && !killed))
		fail("%u have the turn to sweep", n_turns);
	if (!turn_take(&process.map, PROTOCOL_TCP,
			     now_ms() + TURN_INTERVAL_MS))
		fail("the turn to sweep is never had again");
}

/* --- the ring of events --------------------------------------------------- */

/* Every word of it is of its number alone. */
static struct event event_of(uint32_t number)
{
	struct event event = {
		.time_ns = number, .pid = number, .kind = EVENT_RESERVED,
		.verdict = EVENT_REFUSED, .call = CALL_BIND,
		.protocol = PROTOCOL_TCP,
		.address = { .scope = number, .port = (uint16_t)number,
			     .family = AF_INET },
	};

	memset(event.address.address, (int)(number & 255), 16);
	for (size_t i = 0; i < sizeof(event.program) - 1; i++)
		event.program[i] = (char)('a' + (number >> i % 8 * 4 & 15));
	for (size_t i = 0; i < sizeof(event.rule) - 1; i++)
		event.rule[i] = (char)('A' + (number >> i % 8 * 4 & 15));
	return event;
}

static void put_event(void)
{
	const struct event event = event_of(
		1000000 + add_relaxed_u32(&trial->n_taken, 1));

	event_put(&process.map, &event);
}

static void act_event(const struct operation *operation)
{
	const struct event event = event_of(1);

	(void)operation;
	stepped_begin();
	event_put(&process.map, &event);
	stepped_end();
}

/* The ring once around, and once more into the entry of the stopped one. */
static void others_put_events(void)
{
	for (unsigned int i = 0; i < N_EVENTS + 1; i++)
		put_event();
}

/* Whole once more: the trial before has left one that is not. */
static void prepare_events(const struct operation *operation)
{
	(void)operation;
	others_put_events();
}

static void check_events(const struct operation *operation)
{
	const uint64_t end = event_end(&process.map);
	unsigned int n_missing = 0;

	(void)operation;
	for (uint64_t at = event_begin(&process.map); at < end; at++) {
		struct event event, whole;

		if (!event_get(&process.map, at, &event)) {
			n_missing++;
			continue;
		}
		whole = event_of(event.pid);
		if (memcmp(&whole, &event, sizeof(whole)) != 0)
			fail("event %llu is of two: pid %u, rule %s",
			     (unsigned long long)at, event.pid, event.rule);
	}
	if (n_missing > 1)
		fail("%u events are missing", n_missing);
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

#define SHARED_HOLD &(const struct claim){ USE_CONNECT, PORT, 1 }
#define LOCAL_HOLD &(const struct claim){ USE_BOUND, PORT, 1 }
#define WHOLE_HOLD &(const struct claim){ USE_WHOLE, PORT, 0 }
#define OF(use) .claim = { use, PORT, 0 }
#define LEASES .prepare = hold_other, .act = act_lease, .others = others_lease
#define RELEASES .prepare = hold_other, .act = act_release, \
	.others = others_lease, .check = check_rest

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
	{ "search", OF(USE_WHOLE), .prepare = prepare_search,
	  .act = act_search, .others = others_lease },
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
