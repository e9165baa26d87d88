/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The map of the library that is preloaded, read beside it: which ports of a
 * range it shows as leased, of TCP and UDP.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/port_set.h"
#include "map/map.h"

struct lease_map {
	struct map map;
	struct port_set range;
};

/* ports is "lo-hi". Ends the probe where there is no map. */
void lease_map_open(struct lease_map *map, const char *ports);

/* Whether fd has no port of the range, or one that the map shows as leased. */
bool lease_map_has(const struct lease_map *map, int fd);

uint32_t lease_map_count(const struct lease_map *map);

/* Takes all leases away, of all protocols. */
void lease_map_clear(struct lease_map *map);
