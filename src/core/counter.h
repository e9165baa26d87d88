/* SPDX-License-Identifier: MIT */
#pragma once

#include "core/arena.h"
#include "core/arena_layout.h"

/* Counts one event. Lock-free; nothing without a map. */
static inline void counter_add(const struct arena *arena, enum counter counter)
{
	/* Relaxed: a count, read for reports only. */
	if (arena->memory != NULL)
		add_relaxed_u64(&arena->memory->counter.counters[counter], 1);
}
