/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The sweep of one map by a process of its own: a sweep writes and so has to
 * map the file, and whoever may shorten it could end this process.
 */

#include <stdint.h>

#include "map/sweep.h"

struct place;
struct found_map;
struct policy;

struct found_map_sweep {
	int error;		/* why nothing was swept, -errno; or 0 */
	/* Each protocol's, and why that one was not swept. */
	struct sweep_result results[N_PROTOCOLS];
	int errors[N_PROTOCOLS];
};

/*
 * Sweeps a map that is open to be written, in all protocols. Returns 0; -EIO where
 * the process has died, of a file that was shortened meanwhile; or -errno.
 */
int found_map_sweep(const struct found_map *found, const struct place *place,
	      const struct policy *policy, sweep_lister list,
	      struct found_map_sweep *sweptp);
