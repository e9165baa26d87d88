/* SPDX-License-Identifier: MIT */
#include "cli/report/events.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "base/raw_file.h"
#include "map/layout.h"
#include "map/map.h"
#include "map/place.h"

#define END_OFFSET \
	(offsetof(struct map_memory, event) + \
	 offsetof(struct event_memory, end))

struct reading {
	const struct place *place;
	const struct events *last; /* what was read before */
	struct events *events;
};

/* How far a map was read the last time. */
static uint64_t find_next(const struct events *last,
			  const struct file_status *status)
{
	for (size_t i = 0; i < last->n_cursors; i++)
		if (last->cursors[i].device == status->device &&
		    last->cursors[i].inode == status->inode)
			return last->cursors[i].next;
	return 0;
}

static struct event_cursor *add_cursor(struct reading *reading,
				       const struct file_status *status)
{
	struct events *events = reading->events;
	struct event_cursor *cursor = memory_add(
		&events->memory, &events->cursors, &events->n_cursors);

	*cursor = (struct event_cursor){
		.device = status->device,
		.inode = status->inode,
		.next = find_next(reading->last, status),
	};
	return cursor;
}

/* Adds the events of a copied map from a number on. */
static void add_events(struct events *events, const struct found_map *found,
		       const struct map *copy, uint64_t from)
{
	const uint64_t begin = event_begin(copy), end = event_end(copy);
	struct event event;

	for (uint64_t i = from > begin ? from : begin; i < end; i++)
		if (event_get(copy, i, &event))
			*memory_add(&events->memory, &events->items,
				    &events->n_items) = (struct event_record){
				.event = event,
				.number = events->n_items,
				.uid = found->uid,
				.is_shared = found->is_shared,
			};
}

/* Returns 0, or why the map could not be read. */
static int read_map(struct reading *reading, const struct found_map *found)
{
	struct event_cursor *cursor = add_cursor(reading, &found->status);
	struct map copy;
	uint64_t end;
	int result;

	/* Most of the time there is nothing new. */
	result = raw_file_read(found->fd, &end, sizeof(end), END_OFFSET);
	if (result < 0)
		return result == -ENODATA ? -ESTALE : result;
	if (end == cursor->next)
		return 0;
	result = found_map_copy(found, reading->place,
				offsetof(struct map_memory, event),
				sizeof(struct event_memory), &copy);
	if (result < 0)
		return result;
	add_events(reading->events, found, &copy, cursor->next);
	cursor->next = event_end(&copy);
	map_close(&copy);
	return 0;
}

static void visit(const struct found_map *found, void *context)
{
	struct reading *reading = context;
	const int error = found->error != 0 ? found->error
					    : read_map(reading, found);

	if (error < 0)
		maps_missed_add(&reading->events->missed, found, error);
}

static int compare(const void *left, const void *right)
{
	const struct event_record *a = left, *b = right;

	if (a->event.time_ns != b->event.time_ns)
		return a->event.time_ns < b->event.time_ns ? -1 : 1;
	return a->number < b->number ? -1 : 1;
}

int events_read(const struct place *place, struct events *events)
{
	struct events last = *events;
	struct reading reading = { .place = place,
				   .last = &last,
				   .events = events };
	int result;

	*events = (struct events){ .missed.is_quiet = last.missed.is_quiet };
	result = found_maps_visit(place, O_RDONLY, visit, &reading);
	events_close(&last);
	if (events->n_items > 0)
		qsort(events->items, events->n_items, sizeof(*events->items),
		      compare);
	return result;
}

void events_close(struct events *events)
{
	memory_free(&events->memory);
	*events = (struct events){ .items = NULL };
}
