/* SPDX-License-Identifier: MIT */
#include "cli/report/events.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "base/raw_file.h"
#include "map/layout.h"
#include "map/map.h"
#include "map/place.h"

#define END_OFFSET (offsetof(struct map_memory, event) + \
		    offsetof(struct event_memory, end))

struct reading {
	const struct place *place;
	struct events *events;
	int result;
};

static struct event_cursor *cursor_of(struct events *events,
				      const struct found_map *found)
{
	for (size_t i = 0; i < events->n_cursors; i++)
		if (events->cursors[i].device == found->status.device &&
		    events->cursors[i].inode == found->status.inode)
			return &events->cursors[i];
	if (events->n_cursors == events->cursor_capacity) {
		const size_t capacity = 2 * events->cursor_capacity + 16;
		struct event_cursor *cursors = reallocarray(
			events->cursors, capacity, sizeof(*cursors));

		if (cursors == NULL)
			return NULL;
		events->cursors = cursors;
		events->cursor_capacity = capacity;
	}
	events->cursors[events->n_cursors] = (struct event_cursor){
		.device = found->status.device, .inode = found->status.inode };
	return &events->cursors[events->n_cursors++];
}

/* Of files that are gone: their numbers may be used again. */
static void forget_gone(struct events *events)
{
	size_t n_kept = 0;

	for (size_t i = 0; i < events->n_cursors; i++)
		if (events->cursors[i].is_there)
			events->cursors[n_kept++] = events->cursors[i];
	events->n_cursors = n_kept;
	for (size_t i = 0; i < n_kept; i++)
		events->cursors[i].is_there = false;
}

static int add(struct events *events, const struct found_map *found,
	       const struct event *event)
{
	if (events->n_items == events->capacity) {
		const size_t capacity = 2 * events->capacity + 256;
		struct event_record *items = reallocarray(
			events->items, capacity, sizeof(*items));

		if (items == NULL)
			return -ENOMEM;
		events->items = items;
		events->capacity = capacity;
	}
	events->items[events->n_items] = (struct event_record){
		.event = *event, .number = events->n_items, .uid = found->uid,
		.is_shared = found->is_shared };
	events->n_items++;
	return 0;
}

/* Adds those of a copy from number from on. Returns 0 or -ENOMEM. */
static int add_events(struct events *events, const struct found_map *found,
		      const struct map *copy, uint64_t from)
{
	const uint64_t begin = event_begin(copy), end = event_end(copy);
	struct event event;
	int result = 0;

	for (uint64_t i = from > begin ? from : begin; i < end && result == 0;
	     i++)
		if (event_get(copy, i, &event))
			result = add(events, found, &event);
	return result;
}

/* Returns 0, or why the map could not be read. */
static int read_map(struct reading *reading, const struct found_map *found)
{
	struct event_cursor *cursor = cursor_of(reading->events, found);
	struct map copy;
	uint64_t end;
	int result;

	if (cursor == NULL)
		return -ENOMEM;
	cursor->is_there = true;
	/* Most of the time nothing has come. */
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
	result = add_events(reading->events, found, &copy, cursor->next);
	cursor->next = event_end(&copy);
	map_close(&copy);
	return result;
}

static void visit(const struct found_map *found, void *context)
{
	struct reading *reading = context;
	int error = found->error;

	if (reading->result < 0)
		return;
	if (error == 0)
		error = read_map(reading, found);
	if (error == -ENOMEM)
		reading->result = error;
	else if (error < 0)
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
	struct reading reading = { .place = place, .events = events };
	int result;

	events->n_items = 0;
	events->missed.n_denied = 0;
	events->missed.is_broken = false;
	result = found_maps_visit(place, O_RDONLY, visit, &reading);
	forget_gone(events);
	if (events->n_items > 0)
		qsort(events->items, events->n_items, sizeof(*events->items),
		      compare);
	return reading.result < 0 ? reading.result : result;
}

void events_close(struct events *events)
{
	free(events->items);
	free(events->cursors);
	*events = (struct events){ 0 };
}
