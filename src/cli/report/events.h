/* SPDX-License-Identifier: MIT */
#pragma once

/* The events of all maps of this network namespace, by their times. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/memory.h"
#include "cli/report/maps.h"
#include "map/event.h"

struct place;

struct event_record {
	struct event event;
	size_t number;	/* as they were read */
	uint32_t uid;	/* whose map has it */
	bool is_shared; /* other users may write that map */
};

/* How far a map has been read. */
struct event_cursor {
	uint64_t device, inode;
	uint64_t next;
};

struct events {
	struct event_record *items;
	size_t n_items;
	struct event_cursor *cursors; /* of the maps that are there */
	size_t n_cursors;
	struct memory memory; /* of both */
	struct maps_missed missed;
};

/*
 * Reads the events since the last call; with *events zeroed, all that there
 * are. Returns 0, or why the maps could not be listed. missed are the
 * maps that this call could not read.
 */
int events_read(const struct place *place, struct events *events);
void events_close(struct events *events);
