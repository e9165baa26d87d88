/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Events: counted, and kept in a ring in the map: what was refused, or would have been, and
 * what an operator would want to know. Any process of the namespace writes it;
 * nothing in it is trusted. Lock-free, async-signal-safe; a writer that dies
 * leaves at worst one entry that is never complete, which readers pass over.
 */

#include <stdbool.h>
#include <stdint.h>

#include "map/layout.h"
#include "map/map.h"

const char *event_kind_name(enum event_kind kind);	/* "reserved" */
const char *event_verdict_name(enum event_verdict verdict);	/* "refused" */
const char *event_call_name(enum event_call call);	/* "bind"; "-" for none */

/* Enters an event. Nothing without a map. */
void event_put(const struct map *map, const struct event *event);

/* The number of events that were ever entered. */
uint64_t event_end(const struct map *map);

/* The number of the oldest that is still to be had. */
uint64_t event_begin(const struct map *map);

/*
 * Copies event number index, checked: enums in range, texts terminated and
 * printable. Returns false when it is not complete, or overwritten.
 */
bool event_get(const struct map *map, uint64_t index, struct event *eventp);

/* Room for any event. */
#define EVENT_TEXT_SIZE 256

/*
 * `redis-server[712]: bind to 0.0.0.0:8020/tcp refused: the port is reserved for
 * others; rule "default"`, without the time; `listen of tcp` without an address.
 */
void event_text(const struct event *event, char text[EVENT_TEXT_SIZE]);

/* Counts what happened. Nothing without a map. */
static inline void event_count(const struct map *map, enum counter counter)
{
	/* Relaxed: a count, read for reports only. */
	if (map->memory != NULL)
		add_relaxed_u64(&map->memory->counter.counters[counter], 1);
}
