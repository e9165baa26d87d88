/* SPDX-License-Identifier: MIT */
#pragma once

#include "map/map.h"
#include "map/layout.h"

/* Counts one event. Lock-free; nothing without a map. */
static inline void counter_add(const struct map *map, enum counter counter)
{
	/* Relaxed: a count, read for reports only. */
	if (map->memory != NULL)
		add_relaxed_u64(&map->memory->counter.counters[counter], 1);
}
