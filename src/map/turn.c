/* SPDX-License-Identifier: MIT */
#include "map/turn.h"

#include "map/layout.h"
#include "map/map.h"

/* How long to wait after the beginning of the last sweep. */
static uint64_t interval_ms(const struct turn_memory *turn,
			    enum protocol protocol)
{
	/* Relaxed: a number by itself, kept within bounds. */
	const uint64_t took_ms = load_relaxed_u64(&turn->took_ms[protocol]);

	if (took_ms <= TURN_INTERVAL_MS / TURN_PAUSE)
		return TURN_INTERVAL_MS;
	return took_ms < TURN_INTERVAL_MAX_MS / TURN_PAUSE
		       ? TURN_PAUSE * took_ms
		       : TURN_INTERVAL_MAX_MS;
}

bool turn_take(const struct map *map, enum protocol protocol, uint64_t now_ms)
{
	struct turn_memory *turn = &map->memory->turn;
	/* Relaxed: the compare-and-swap decides. */
	uint64_t last_ms = load_relaxed_u64(&turn->swept_ms[protocol]);
	const uint64_t wait_ms = interval_ms(turn, protocol);

	/* A time just ahead is of a process that has read the clock later; a
	 * time further ahead is of another clock, or was forged. */
	if (now_ms - last_ms < wait_ms || last_ms - now_ms < wait_ms)
		return false;
	/* Acq_rel: of several processes that come at once, one gets the
	 * turn. */
	return swap_if_acq_rel_u64(&turn->swept_ms[protocol], &last_ms, now_ms);
}

void turn_end(const struct map *map, enum protocol protocol, uint64_t took_ms)
{
	/* Relaxed: as in interval_ms(). */
	store_relaxed_u64(&map->memory->turn.took_ms[protocol], took_ms);
}
