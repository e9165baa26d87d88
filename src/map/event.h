/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Events: counted, and kept in a ring in the map. They tell what was refused,
 * or would have been, and what else an operator wants to know. Any process of
 * the namespace may write the ring; nothing in it is trusted. Lock-free,
 * async-signal-safe; a writer that dies leaves at worst one entry that is never
 * complete, which readers skip.
 */

#include <stdbool.h>
#include <stdint.h>

#include "map/layout.h"
#include "map/map.h"

const char *event_kind_name(enum event_kind kind);	    /* "reserved" */
const char *event_verdict_name(enum event_verdict verdict); /* "refused" */
const char *event_call_name(enum event_call call); /* "bind"; "-" for none */

/* Adds an event to the ring. Does nothing without a map. */
void event_put(const struct map *map, const struct event *event);

/* The number of events that were ever added. */
uint64_t event_end(const struct map *map);

/* The number of the oldest event that is still in the ring. */
uint64_t event_begin(const struct map *map);

/*
 * Copies event number index, checked: enums in range, texts terminated and
 * printable. Returns false when it is not complete, or overwritten.
 */
bool event_get(const struct map *map, uint64_t index, struct event *eventp);

/* Room for any event. */
#define EVENT_TEXT_SIZE 256

/*
 * `redis-server[712]: bind to 0.0.0.0:8020/tcp refused: the port is reserved
 * for others; rule "default"`, without the time; `listen of tcp` without an
 * address.
 */
void event_text(const struct event *event, char text[EVENT_TEXT_SIZE]);

/* Counts an occurrence. Does nothing without a map. */
static inline void event_count(const struct map *map, enum counter counter)
{
	/* Relaxed: a count, read for reports only. */
	if (map->memory != NULL)
		add_relaxed_u64(&map->memory->counter.counters[counter], 1);
}
