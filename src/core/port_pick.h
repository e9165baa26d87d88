/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One search for a port: the start from RFC 6056, then the first free port of
 * the map from there, each candidate leased before it is tried.
 *
 * Ports that rest are offered only after all others, the longest-resting first.
 * Lock-free, async-signal-safe; a search offers each port at most once a pass,
 * in three passes.
 */

#include <stdbool.h>
#include <stdint.h>

#include "core/choice.h"
#include "core/ledger.h"

struct process;

struct port_pick {
	struct process *process;
	struct lease wanted;
	struct choice choice;
	uint32_t start;		/* the port that the algorithm chose */
	uint32_t distance;	/* from start, cyclically, of the next to look at */
	enum rest_limit limit;
	int avoid;		/* a port that is no candidate; -1 = none */
	uint64_t now_ms;
};

/*
 * Begins a search for use by a socket of space. local may be NULL (no address
 * yet); remote is given for USE_CONNECT only, and its port is never offered.
 */
void port_pick_start(struct port_pick *pick, struct process *process,
		     enum space space, enum use use,
		     const struct endpoint *local,
		     const struct endpoint *remote);

/*
 * Leases the next candidate. Returns false when the map has no more, or there
 * is no map: the kernel is to be asked then.
 */
bool port_pick_next(struct port_pick *pick, struct lease *leasep);

/* Whether the candidate offered last was released a short while ago. */
static inline bool port_pick_was_resting(const struct port_pick *pick)
{
	return pick->limit != REST_NONE;
}

/* Gives a candidate back that the kernel would not have. */
void port_pick_reject(struct port_pick *pick, const struct lease *lease);

/*
 * Gives a candidate back that somebody outside Berth holds, and lets it rest,
 * so that the next searches do not stumble over it too.
 */
void port_pick_reject_foreign(struct port_pick *pick, const struct lease *lease);
