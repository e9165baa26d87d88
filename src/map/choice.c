/* SPDX-License-Identifier: MIT */
#include "map/choice.h"

#include <stddef.h>
#include <string.h>

#include "kernel/endpoint.h"
#include "map/layout.h"
#include "map/siphash.h"

/* Which bits of the flow hash serve what; ledger_plane() takes bits 48-63. */
#define OFFSET_BITS 32u
#define TABLE_BITS 16u

_Static_assert(CHOICE_TABLE_LENGTH == 1u << TABLE_BITS, "G indexes the table");

#define INCREMENT_MAX 500u /* N of RFC 6056 section 3.3.5, as it advises */

/* What of a flow is hashed: no padding, no family. */
struct flow {
	uint8_t local_address[16], remote_address[16];
	uint32_t local_scope, remote_scope;
	uint16_t remote_port;
	uint16_t has_remote;
};

_Static_assert(sizeof(struct flow) == 44, "padding would be hashed");

uint64_t choice_flow_hash(const struct siphash_key *key,
			  const struct endpoint *local,
			  const struct endpoint *remote)
{
	struct flow flow = { .has_remote = remote != NULL };

	/* Bound to the wildcard is as good as not bound, in either family. */
	if (local && !endpoint_is_wildcard(local)) {
		memcpy(flow.local_address, local->address, 16);
		flow.local_scope = local->scope;
	}
	if (remote) {
		memcpy(flow.remote_address, remote->address, 16);
		flow.remote_scope = remote->scope;
		flow.remote_port = remote->port;
	}
	return siphash_2_4(key, &flow, sizeof(flow));
}

/*
 * Maps 32 random bits to 0 ... n - 1 without the bias and the cost of a modulo.
 */
static uint32_t scale(uint32_t bits, uint32_t n)
{
	return (uint32_t)((uint64_t)bits * n >> 32);
}

/*
 * The only modulo here. The counter may hold any value: a sum that wraps at
 * 2^32 is as good a start as any other.
 */
static uint32_t wrap(uint32_t offset, uint32_t counter, uint32_t n_ports)
{
	return n_ports ? (offset + counter) % n_ports : 0;
}

static uint32_t random_bits(struct choice_memory *memory,
			    const struct siphash_key *key)
{
	/*
	 * Relaxed: a number that nobody else gets is all that is wanted, the
	 * addition itself gives it, and no reader concludes anything from it.
	 */
	uint64_t position = add_relaxed_u64(&memory->random_counter, 1);

	return (uint32_t)siphash_2_4(key, &position, sizeof(position));
}

static struct choice start_random(struct choice_memory *memory,
				  const struct siphash_key *key,
				  uint32_t n_ports)
{
	return (struct choice){
		.index = scale(random_bits(memory, key), n_ports),
	};
}

/* offset plus a counter, which is moved on by a step. */
static struct choice start_counter(atomic_u32 *counterp, uint32_t offset,
				   uint32_t step, uint32_t n_ports)
{
	/*
	 * Relaxed: the counter says where to begin a search, never that a port
	 * is free, so no reader needs to see anything written before it.
	 */
	const uint32_t counter = add_relaxed_u32(counterp, step);

	return (struct choice){
		.index = wrap(offset, counter, n_ports),
		.step = step,
		.counterp = counterp,
	};
}

/*
 * The same with a random step, from the key and the counter itself: a counter
 * of random numbers in the map would be written by all connects of a namespace.
 */
static struct choice start_table(struct choice_memory *memory,
				 const struct siphash_key *key, uint32_t g,
				 uint32_t offset, uint32_t n_ports)
{
	atomic_u32 *counterp = &memory->table[g];
	/* Relaxed: two that read the same take the same step, from places that
	 * differ by it. */
	const uint64_t from = (uint64_t)g << 32 | load_relaxed_u32(counterp);
	const uint32_t step =
		1 + scale((uint32_t)siphash_2_4(key, &from, sizeof(from)),
			  CHOICE_STEP_MAX);

	return start_counter(counterp, offset, step, n_ports);
}

/* The search begins where the counter is afterwards, and goes on by one. */
static struct choice start_increment(struct choice_memory *memory,
				     const struct siphash_key *key,
				     atomic_u32 *counterp, uint32_t n_ports)
{
	const uint32_t step = 1 +
			      scale(random_bits(memory, key), INCREMENT_MAX);
	struct choice choice = start_counter(counterp, step, step, n_ports);

	choice.step = 1;
	return choice;
}

struct choice choice_start(struct choice_memory *memory,
			   const struct siphash_key *key,
			   const struct choice_request *request,
			   uint32_t n_ports)
{
	atomic_u32 *next_ephemeral = &memory->next_ephemeral[request->protocol];
	uint32_t f = scale((uint32_t)request->flow_hash, n_ports);
	uint32_t g = request->flow_hash >> OFFSET_BITS &
		     (CHOICE_TABLE_LENGTH - 1);

	switch (request->algorithm) {
	case ALGORITHM_SEQUENTIAL:
		return start_counter(next_ephemeral, 0, 1, n_ports);
	case ALGORITHM_RANDOM_INCREMENTS:
		return start_increment(memory, key, next_ephemeral, n_ports);
	case ALGORITHM_HASH:
		if (request->has_remote)
			return start_counter(next_ephemeral, f, 1, n_ports);
		break;
	case ALGORITHM_DOUBLE_HASH:
		if (request->has_remote)
			return start_table(memory, key, g, f, n_ports);
		break;
	case ALGORITHM_RANDOM:
	case N_ALGORITHMS: break;
	}
	return start_random(memory, key, n_ports);
}

void choice_skip(const struct choice *choice, uint32_t n_skipped)
{
	/* Relaxed: as in start_counter(), a hint that nobody decides on. */
	if (choice->counterp && n_skipped >= choice->step)
		add_relaxed_u32(choice->counterp,
				n_skipped - (choice->step - 1));
}
