/* SPDX-License-Identifier: MIT */
#pragma once

/* The maps that a tally is made of, and those that could not be read. */

#include <stddef.h>
#include <stdint.h>

struct tally_map {
	char *path;
	uint32_t uid;
	int error;		/* why it is not in the tally, -errno; or 0 */
};

struct tally_maps {
	struct tally_map *items;
	size_t n_items;
};

/* The path is copied. Returns 0 or -ENOMEM. */
int tally_maps_add(struct tally_maps *maps, const char *path, uint32_t uid,
		   int error);

void tally_maps_deinit(struct tally_maps *maps);
