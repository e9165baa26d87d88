/* SPDX-License-Identifier: MIT */
#pragma once

/* All maps of this network namespace together. A port has the leases of all
 * maps, and of their uses the one that leaves the least to others. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/memory.h"
#include "cli/report/maps.h"
#include "map/layout.h"

struct place;

struct tally_map {
	const char *path;
	uint32_t uid;
	int error; /* why it is not in the tally, -errno; or 0 */
};

struct tally_maps {
	struct tally_map *items;
	size_t n_items;
	struct memory memory; /* of items, and their paths */
};

struct port_tally {
	uint32_t n_leases;
	uint8_t use; /* enum use */
	bool rests;  /* in some map; if USE_FREE */
};

/* Too large for the stack. */
struct tally {
	struct tally_maps maps;
	struct maps_missed missed; /* of them, those that were not read */
	size_t n_read;		   /* of them, those that could be read */
	uint64_t counters[N_COUNTERS];
	struct port_tally ports[N_PROTOCOLS][N_PORTS];
};

/*
 * Reads all maps; ports rest for rest_ms. Returns 0, also when some could not
 * be read (see maps; a broken one is reported at once); or -errno when they
 * could not be listed. To be closed always.
 */
int tally_open(const struct place *place, uint32_t rest_ms, uint64_t now_ms,
	       struct tally *tally);
void tally_close(struct tally *tally);
