/* SPDX-License-Identifier: MIT */
#include "assign/pick.h"

#include "base/clock.h"
#include "kernel/endpoint.h"
#include "map/sweep.h"
#include "process/process.h"

/* The range is empty where ip_local_reserved_ports contains all of it. */
static bool has_choice(const struct port_pick *pick)
{
	return pick->process->map.memory != NULL && !pick->is_away &&
	       port_pick_range(pick)->n_ports > 0;
}

/* Begins, or begins again, with the policy that was read last. */
static void begin(struct port_pick *pick)
{
	struct map_memory *memory = pick->process->map.memory;
	const struct port_set *range = port_pick_range(pick);

	pick->distance = 0;
	pick->limit = REST_NONE;
	pick->n_sampled = 0;
	if (!has_choice(pick))
		return;

	const struct choice_request request = {
		.protocol = pick->wanted.protocol,
		.algorithm = (enum algorithm)
				     pick->policy->settings[SETTING_ALGORITHM],
		.has_remote = pick->avoid >= 0,
		.flow_hash = pick->flow_hash,
	};

	pick->choice = choice_start(&memory->choice, &memory->header.key,
				    &request, range->n_ports);
	pick->start = port_set_select(range, pick->choice.index);
}

void port_pick_start(struct port_pick *pick, struct process *process,
		     struct policy *policy, const struct port_wish *wish)
{
	const struct map_memory *memory = process->map.memory;

	pick->process = process;
	pick->policy = policy;
	pick->role = wish->role;
	pick->wanted = (struct lease){ .protocol = wish->protocol,
				       .use = wish->use };
	pick->avoid = wish->remote != NULL ? wish->remote->port : -1;
	pick->now_ms = clock_now_ms();
	pick->is_away = process_is_away(process);
	pick->flow_hash = 0;
	if (memory != NULL) {
		pick->flow_hash = choice_flow_hash(&memory->header.key,
						   wish->local, wish->remote);
		if (wish->use != USE_WHOLE)
			pick->wanted.plane = ledger_plane(wish->protocol,
							  pick->flow_hash);
	}
	begin(pick);
}

/* The next port from the pick's place on, in this pass; -1 = none. */
static int find(const struct port_pick *pick)
{
	const uint32_t from = (pick->start + pick->distance) % N_PORTS;
	const int port = ledger_find(&pick->process->map, &pick->wanted,
				     port_pick_range(pick), from,
				     pick->limit == REST_ANY, pick->now_ms);

	if (port < 0)
		return -1;
	/* One round is enough: the ports before from were tried already. */
	return ((uint32_t)port - pick->start) % N_PORTS < pick->distance ? -1
									 : port;
}

/*
 * How many ports are compared to find one that has rested long. If all ports
 * rest and began evenly over time, the oldest of 64 is among the oldest tenth
 * in all but one of 850 searches.
 */
#define N_SAMPLES 64u

static bool was_sampled(const struct port_pick *pick, uint16_t port)
{
	for (uint32_t i = 0; i < pick->n_sampled; i++)
		if (pick->sampled[i] == port)
			return true;
	return false;
}

/*
 * For how long a port has rested; 0 for a port that does not rest, or cannot be
 * leased.
 */
static uint32_t rest_of(const struct port_pick *pick, uint16_t port)
{
	const struct map *map = &pick->process->map;
	struct lease candidate = pick->wanted;

	candidate.port = port;
	if ((int)port == pick->avoid || was_sampled(pick, port) ||
	    !ledger_is_open(map, &candidate) ||
	    !ledger_rests(map, candidate.protocol, port, pick->now_ms))
		return 0;
	return ledger_rested_ms(map, candidate.protocol, port, pick->now_ms);
}

/*
 * Of samples from the whole range, the port that has rested the longest; -1 =
 * none.
 */
static int sample(struct port_pick *pick)
{
	const struct port_set *range = port_pick_range(pick);
	const uint32_t step = range->n_ports / N_SAMPLES + 1;
	uint32_t longest = 0;
	int best = -1;

	if (pick->n_sampled == N_PICK_SAMPLINGS)
		return -1;
	for (uint32_t i = 0; i < N_SAMPLES && i < range->n_ports; i++) {
		const uint32_t index = (pick->choice.index + pick->n_sampled +
					i * step) %
				       range->n_ports;
		const uint32_t port = port_set_select(range, index);
		const uint32_t rested = rest_of(pick, (uint16_t)port);

		if (rested <= longest)
			continue;
		longest = rested;
		best = (int)port;
	}
	if (best >= 0)
		pick->sampled[pick->n_sampled++] = (uint16_t)best;
	pick->rested_ms = longest;
	return best;
}

/*
 * Leases the wanted port. Another process may have leased and released it since
 * the search found it, so that it rests: this shows only when it is leased.
 */
static bool lease(const struct port_pick *pick)
{
	const struct map *map = &pick->process->map;
	const struct lease *wanted = &pick->wanted;

	if (ledger_lease(map, wanted) < 0)
		return false;
	if (pick->limit == REST_ANY ||
	    (pick->limit == REST_NONE
		     ? !ledger_rests(map, wanted->protocol, wanted->port,
				     pick->now_ms)
		     : ledger_rested_ms(map, wanted->protocol, wanted->port,
					pick->now_ms) == pick->rested_ms))
		return true;
	ledger_release(map, wanted, 0);
	return false;
}

/* Moves the algorithm's counter behind the ports that were skipped. */
static void skip_to(const struct port_pick *pick, uint32_t port)
{
	const struct port_set *range = port_pick_range(pick);
	const uint32_t index = port_set_rank(range, port);
	const uint32_t chosen = pick->choice.index;

	choice_skip(&pick->choice, index >= chosen
					   ? index - chosen
					   : index + range->n_ports - chosen);
}

/* Leases the next candidate of this policy; returns false when none is left. */
static bool next(struct port_pick *pick)
{
	for (;;) {
		const int port = pick->limit == REST_LONGEST ? sample(pick)
				 : pick->distance < N_PORTS  ? find(pick)
							     : -1;

		if (port < 0) {
			if (pick->limit == REST_ANY)
				return false;
			/* Before a port is leased that is not bound yet. */
			if (pick->limit == REST_NONE && pick->process->sweeps)
				sweep_if_due(&pick->process->map,
					     pick->wanted.protocol,
					     port_pick_range(pick));
			pick->limit++;
			pick->distance = 0;
			continue;
		}
		if (pick->limit != REST_LONGEST)
			pick->distance =
				((uint32_t)port - pick->start) % N_PORTS + 1;
		if (port == pick->avoid)
			continue;
		pick->wanted.port = (uint16_t)port;
		if (lease(pick))
			return true;
	}
}

bool port_pick_next(struct port_pick *pick, struct lease *leasep)
{
	for (;;) {
		const bool first = pick->distance == 0 &&
				   pick->limit == REST_NONE;
		const bool found = has_choice(pick) && next(pick);

		/* The policy that was read counts if it is still in force. */
		if (!policy_source_is(&pick->process->source, pick->policy)) {
			if (found)
				port_pick_reject(pick, &pick->wanted);
			process_policy(pick->process, pick->policy);
			begin(pick);
			continue;
		}
		if (found && first)
			skip_to(pick, pick->wanted.port);
		if (found)
			*leasep = pick->wanted;
		return found;
	}
}

void port_pick_reject(struct port_pick *pick, const struct lease *lease)
{
	ledger_release(&pick->process->map, lease, 0);
}

void port_pick_reject_foreign(struct port_pick *pick, const struct lease *lease)
{
	ledger_release(&pick->process->map, lease, pick->now_ms);
}
