/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One search for a port: the start from RFC 6056, then the first free port of
 * the map from there, each candidate leased before it is tried.
 *
 * Ports that rest are offered only after all others: first some of those that
 * have rested the longest, found by samples, then any. Lock-free,
 * async-signal-safe, bounded: the first and the last pass offer each port at
 * most once, the one between N_PICK_SAMPLINGS ports.
 */

#include <stdbool.h>
#include <stdint.h>

#include "map/choice.h"
#include "map/ledger.h"
#include "policy/policy.h"

struct process;

/* Which resting ports a search takes. */
enum rest_limit {
	REST_NONE,    /* takes no port that rests */
	REST_LONGEST, /* takes those that have rested the longest */
	REST_ANY,     /* takes all */
};

#define N_PICK_SAMPLINGS 16u

struct port_pick {
	struct process *process;
	struct policy *policy; /* the caller's, see port_pick_start() */
	enum role role;
	uint64_t flow_hash;
	struct lease wanted;
	struct choice choice;
	uint32_t start; /* the port that the algorithm chose */
	/* The next place to look at, from start, cyclically */
	uint32_t distance;
	enum rest_limit limit;
	uint16_t sampled[N_PICK_SAMPLINGS];
	uint32_t n_sampled;
	uint32_t rested_ms; /* for how long the last of them had rested */
	/* In another namespace than the map's: without the map */
	bool is_away;
	int avoid; /* a port that is not offered; -1 = none */
	uint64_t now_ms;
};

/* What a port is wanted for. */
struct port_wish {
	enum protocol protocol;
	enum use use;
	enum role role;
	const struct endpoint *local; /* NULL = no address yet */
	/* For USE_CONNECT only, else NULL: its port is never offered */
	const struct endpoint *remote;
};

/*
 * Begins a search in the range of a policy that the caller has just read; the
 * policy is read again if another one is put in force before the search has
 * ended.
 */
void port_pick_start(struct port_pick *pick, struct process *process,
		     struct policy *policy, const struct port_wish *wish);

/* The range of the search. */
static inline const struct port_set *
port_pick_range(const struct port_pick *pick)
{
	return pick->policy->ranges[pick->wanted.protocol][pick->role];
}

/*
 * Leases the next candidate. Returns false when the map has no more, or there
 * is no map: the kernel is then asked. If a policy is put in force meanwhile,
 * the search begins again: no port is offered from a policy that is no longer
 * in force.
 */
bool port_pick_next(struct port_pick *pick, struct lease *leasep);

/* Releases a candidate that the kernel has refused. */
void port_pick_reject(struct port_pick *pick, const struct lease *lease);

/*
 * Releases a candidate that a socket outside Berth has, and lets it rest, so
 * that the next searches do not try it too.
 */
void port_pick_reject_foreign(struct port_pick *pick,
			      const struct lease *lease);
