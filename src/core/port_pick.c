/* SPDX-License-Identifier: MIT */
#include "core/port_pick.h"

#include "base/clock.h"
#include "core/endpoint.h"
#include "core/process.h"

/* The range is empty where ip_local_reserved_ports leaves nothing of it. */
static bool has_choice(const struct process *process)
{
	return process->arena.memory != NULL &&
	       process->policy.range.n_ports > 0;
}

void port_pick_start(struct port_pick *pick, struct process *process,
		     enum space space, enum use use,
		     const struct endpoint *local,
		     const struct endpoint *remote)
{
	const struct port_set *range = &process->policy.range;
	struct arena_memory *memory = process->arena.memory;

	*pick = (struct port_pick){
		.process = process,
		.wanted = { .space = space, .use = use },
		.avoid = remote != NULL ? remote->port : -1,
		.now_ms = clock_now_ms(),
	};
	if (!has_choice(process))
		return;

	const uint64_t hash = choice_flow_hash(&memory->header.key, local,
					       remote);
	const struct choice_request request = {
		.space = space,
		.algorithm = process->policy.algorithm,
		.has_remote = remote != NULL,
		.flow_hash = hash,
	};

	if (use != USE_WHOLE)
		pick->wanted.plane = ledger_plane(space, hash);
	pick->choice = choice_start(&memory->choice, &memory->header.key,
				    &request, range->n_ports);
	pick->start = port_set_select(range, pick->choice.index);
}

/* The next port from the pick's place on, in this pass; -1 = none. */
static int find(const struct port_pick *pick)
{
	const uint32_t from = (pick->start + pick->distance) % N_PORTS;
	const int port = ledger_find(&pick->process->arena, &pick->wanted,
				     &pick->process->policy.range, from,
				     pick->limit, pick->now_ms);

	if (port < 0)
		return -1;
	/* Once around is enough: what lies before from has been looked at. */
	return ((uint32_t)port - pick->start) % N_PORTS < pick->distance
		? -1 : port;
}

/*
 * Leases the wanted port. It may have been leased, given back and put to rest
 * by another one since it was found: that shows only once it is ours.
 */
static bool lease(const struct port_pick *pick)
{
	const struct arena *arena = &pick->process->arena;

	if (ledger_lease(arena, &pick->wanted) < 0)
		return false;
	if (!ledger_rests(arena, &pick->wanted, pick->limit, pick->now_ms))
		return true;
	ledger_release(arena, &pick->wanted, 0);
	return false;
}

/* Moves the algorithm's counter behind the ports that were passed over. */
static void skip_to(const struct port_pick *pick, uint32_t port)
{
	const struct port_set *range = &pick->process->policy.range;
	const uint32_t index = port_set_rank(range, port);
	const uint32_t chosen = pick->choice.index;

	choice_skip(&pick->choice, index >= chosen
		? index - chosen : index + range->n_ports - chosen);
}

bool port_pick_next(struct port_pick *pick, struct lease *leasep)
{
	const bool first = pick->distance == 0 && pick->limit == REST_NONE;

	if (!has_choice(pick->process))
		return false;
	for (;;) {
		const int port = pick->distance < N_PORTS ? find(pick) : -1;

		if (port < 0) {
			if (pick->limit == REST_ANY)
				return false;
			pick->limit++;
			pick->distance = 0;
			continue;
		}
		pick->distance = ((uint32_t)port - pick->start) % N_PORTS + 1;
		if (port == pick->avoid)
			continue;
		pick->wanted.port = (uint16_t)port;
		if (lease(pick))
			break;
	}
	if (first)
		skip_to(pick, pick->wanted.port);
	*leasep = pick->wanted;
	return true;
}

void port_pick_reject(struct port_pick *pick, const struct lease *lease)
{
	ledger_release(&pick->process->arena, lease, 0);
}

void port_pick_reject_foreign(struct port_pick *pick, const struct lease *lease)
{
	ledger_release(&pick->process->arena, lease, pick->now_ms);
}
