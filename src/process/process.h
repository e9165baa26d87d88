/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * All that Berth knows within one process: the policy, what the kernel allows,
 * the shared map, and the file descriptors.
 */

#include "base/standard_error.h"
#include "kernel/kernel.h"
#include "map/layout.h"
#include "map/map.h"
#include "policy/source.h"
#include "process/fd_cache.h"
#include "process/report.h"

struct process {
	struct kernel kernel;
	struct map map;
	struct fd_cache cache;
	atomic_u64 pin_verified_ms;	      /* when a pin was last checked */
	struct standard_error standard_error; /* descriptor 2 at the start */
	struct reporter reporter;
	atomic_u32 has_moved; /* a thread has changed its network namespace */
	/* Other processes may have its datagram sockets */
	atomic_u32 shares;
	/* The map's number of losses that it has caught up with */
	atomic_u32 n_lost;
	/* Its leases have sockets, so that a sweep does no harm */
	bool sweeps;
	/* Bit by protocol, and PIN_MPTCP: no such option */
	atomic_u32 pin_refused;
	struct policy_source source; /* at the end, as its identity is */
};

#define PIN_MPTCP N_PROTOCOLS

/*
 * Connects its parts. Called before anything else; process_open() calls it too.
 */
void process_prepare(struct process *process);

/*
 * Reads the environment and the kernel's settings, and opens the map, or a
 * private map, and the policy file. Says what is wrong on standard error, as
 * BERTH_LOG allows.
 * Never fails: without a map, the kernel chooses within the range.
 * No heap; opens and closes descriptors; to be called once.
 */
void process_open(struct process *process, char *(*lookup)(const char *name));

/* The calling thread may be in another network namespace from now on. */
void process_move(struct process *process);

/*
 * Whether the calling thread is in another network namespace than the map's:
 * its sockets have no leases then. Costs a socket where a thread has moved.
 */
bool process_is_away(const struct process *process);

/* Copies the policy in force, see policy_source_get(). */
void process_policy(struct process *process, struct policy *policyp);

/* The name of an errno, as "EACCES", or "another error". */
const char *process_reason(int error);
