/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The sweep of one map by a process of its own: a sweep writes and so has to
 * map the file, and whoever may shorten it could end this process.
 */

#include <stdint.h>

#include "core/sweep.h"

struct arena_place;
struct map;
struct policy;

struct map_sweep {
	int error;		/* why nothing was swept, -errno; or 0 */
	/* Each space's, and why that one was not swept. */
	struct sweep_result results[N_SPACES];
	int errors[N_SPACES];
};

/*
 * Sweeps a map that is open to be written, in all spaces. Returns 0; -EIO where
 * the process has died, of a file that was shortened meanwhile; or -errno.
 */
int map_sweep(const struct map *map, const struct arena_place *place,
	      const struct policy *policy, sweep_lister list,
	      struct map_sweep *sweptp);
