/* SPDX-License-Identifier: MIT */
/*
 * A sweep, one of its changes of the map at a time: of what it calls, the
 * functions of the ledger are stepped. And the turn to sweep.
 */
#include "map/layout.h"
#include "map/ledger.h"
#include "map/map.h"
#include "map/turn.h"
#include "step_parts.h"
#include "stepper.h"

/* In a stepped process: the call it is at, of which one is stepped. */
static unsigned int n_calls;
static bool is_sweeper;

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

/* Of the functions of the ledger that change it: see meson.build, --wrap. */
int __real_ledger_lease(const struct map *map, const struct lease *lease);
int __wrap_ledger_lease(const struct map *map, const struct lease *lease);

int __wrap_ledger_lease(const struct map *map, const struct lease *lease)
{
	if (steps_from_lease)
		stepped_begin();

	const bool stepped = enter_call(lease->port);
	const int result = __real_ledger_lease(map, lease);

	leave_call(stepped);
	return result;
}

/* enter: whether a call is one that may be stepped, and is. */
#define WRAP(name, enter, parameters, ...) \
	void __real_##name parameters; \
	void __wrap_##name parameters; \
	void __wrap_##name parameters \
	{ \
		const bool stepped = (enter); \
		__real_##name(__VA_ARGS__); \
		leave_call(stepped); \
	}

WRAP(ledger_release, enter_call(lease->port),
     (const struct map *map, const struct lease *lease, uint64_t rest_now_ms),
     map, lease, rest_now_ms)
WRAP(ledger_rest, enter_call(port),
     (const struct map *map, enum protocol protocol, uint16_t port,
      uint64_t at_ms),
     map, protocol, port, at_ms)
WRAP(ledger_settle, enter_call(port),
     (const struct map *map, enum protocol protocol, uint16_t port,
      uint32_t use_word, uint32_t n_leases),
     map, protocol, port, use_word, n_leases)
WRAP(ledger_mend_hints, word == PORT / PORT_WORD_BITS && enter_call(PORT),
     (const struct map *map, enum protocol protocol, uint32_t word), map,
     protocol, word)

static void use_directly(uint16_t port, uint32_t use_word)
{
	struct protocol_memory *protocol =
		&operation_map()->memory->protocols[PROTOCOL_TCP];

	store_relaxed_u16(&protocol->uses[port], (uint16_t)use_word);
	or_acq_rel_u64(&protocol->hints[use_word & 3][port / PORT_WORD_BITS],
		       UINT64_C(1) << port % PORT_WORD_BITS);
}

void prepare_damage(const struct operation *operation)
{
	const struct claim dead[] = {
		{ USE_WHOLE, PORT, 0 },
		{ USE_CONNECT, PORT + 1, 0 },
		{ USE_CONNECT, PORT + 2, 0 },
		{ USE_BOUND, PORT + 3, 0 },
	};
	const struct claim foreign[] = {
		{ USE_WHOLE, PORT + 7, 0 },
		{ USE_BOUND, PORT + 8, 0 },
		{ USE_CONNECT, PORT + 9, 0 },
		{ USE_CONNECT, PORT + 9, 1 },
	};
	struct map_memory *memory = operation_map()->memory;
	const struct claim connecting = { USE_CONNECT, PORT + 10, 0 };
	const struct lease lone =
		truth_lease(&(struct claim){ USE_CONNECT, PORT + 4, 0 });

	hold_other(operation);
	others_try(&(struct claim){ USE_CONNECT, PORT + 2, 1 }, true);
	others_try(&(struct claim){ USE_CONNECT, PORT + 6, 1 }, true);
	others_try(&connecting, true);
	truth_unconnect(&connecting);
	for (unsigned int i = 0; i < sizeof(dead) / sizeof(dead[0]); i++) {
		const struct lease lease = truth_lease(&dead[i]);

		ledger_lease(operation_map(), &lease);
	}
	for (unsigned int i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
		truth_take(&foreign[i]);
	or_acq_rel_u64(&memory->planes[lone.plane].words[lone.port / 64],
		       UINT64_C(1) << lone.port % 64);
	use_directly(PORT + 5, 4 + USE_CONNECT);
	use_directly(PORT + 6, 3 * 4 + USE_CONNECT);
	or_acq_rel_u64(
		&memory->protocols[PROTOCOL_TCP].hints[USE_BOUND][PORT / 64],
		UINT64_C(1) << PORT % 64);
}

void act_sweep(const struct operation *operation)
{
	(void)operation;
	is_sweeper = true;
	n_calls = 0;
	operation_sweep();
	is_sweeper = false;
}

/* --- the turn to sweep ---------------------------------------------------- */

void take_turn(void)
{
	if (turn_take(operation_map(), PROTOCOL_TCP, now_ms()))
		add_relaxed_u32(&trial->n_turns, 1);
}

void act_turn(const struct operation *operation)
{
	bool taken;

	(void)operation;
	stepped_begin();
	taken = turn_take(operation_map(), PROTOCOL_TCP, now_ms());
	stepped_end();
	if (taken)
		add_relaxed_u32(&trial->n_turns, 1);
}

void finally_turn(bool killed)
{
	const uint32_t n_turns = load_relaxed_u32(&trial->n_turns);

	if (n_turns > 1 || (n_turns == 0 && !killed))
		fail("%u have the turn to sweep", n_turns);
	if (!turn_take(operation_map(), PROTOCOL_TCP,
		       now_ms() + TURN_INTERVAL_MS))
		fail("the turn to sweep is never had again");
}
