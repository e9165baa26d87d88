/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/raw_file.h"
#include "cli/commands.h"
#include "cli/memory.h"
#include "cli/message.h"
#include "cli/options.h"
#include "cli/program.h"
#include "cli/report/maps.h"
#include "cli/view.h"
#include "map/event.h"
#include "map/layout.h"
#include "map/map.h"

#define FOLLOW_INTERVAL_NS 200000000
#define END_OFFSET \
	(offsetof(struct map_memory, event) + \
	 offsetof(struct event_memory, end))

static const struct output_section section = {
	.kind = "event", .key = "events",
	.columns = {
		{ .name = "time" },
		{ .name = "pid", .number = true },
		{ .name = "program" },
		{ .name = "call" },
		{ .name = "address" },
		{ .name = "protocol" },
		{ .name = "verdict" },
		{ .name = "event" },
		{ .name = "rule" },
		{ .name = "user" },
	},
};

static struct {
	enum output_format format;
	bool follows;
	uint64_t n_last;
} request = { .n_last = UINT64_MAX };

static const struct command_option list[] = {
	{ .name = "follow",
	  .letter = 'f',
	  .flagp = &request.follows,
	  .help = "wait for more events" },
	{ .letter = 'n',
	  .value = "N",
	  .numberp = &request.n_last,
	  .max = UINT64_MAX,
	  .wanted = "is not a number of events",
	  .help = "show only the last N events" },
	OPTIONS_FORMAT(&request.format),
	OPTION_HELP,
};

/* --- the events of all maps, by their times ------------------------------- */

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

static void visit_map(const struct found_map *found, void *context)
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

static void events_close(struct events *events)
{
	memory_free(&events->memory);
	*events = (struct events){ .items = NULL };
}

/*
 * Reads the events since the last call; with *events zeroed, all that there
 * are. Returns 0, or why the maps could not be listed. missed are the
 * maps that this call could not read.
 */
static int events_read(const struct place *place, struct events *events)
{
	struct events last = *events;
	struct reading reading = { .place = place,
				   .last = &last,
				   .events = events };
	int result;

	*events = (struct events){ .missed.is_quiet = last.missed.is_quiet };
	result = found_maps_visit(place, O_RDONLY, visit_map, &reading);
	events_close(&last);
	if (events->n_items > 0)
		qsort(events->items, events->n_items, sizeof(*events->items),
		      compare);
	return result;
}

/* --- how they are shown --------------------------------------------------- */

static void format_time(uint64_t time_ns, char text[40])
{
	const time_t seconds = (time_t)(time_ns / 1000000000u);
	struct tm tm = { 0 };
	char date[32];

	gmtime_r(&seconds, &tm);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text, 40, "%s.%03uZ", date,
		 (unsigned int)(time_ns / 1000000u % 1000u));
}

/* NULL if the event may be of any user. */
static const char *user_of(const struct event_record *record)
{
	return record->is_shared ? NULL : user_name(record->uid);
}

static void print_record(const struct event_record *record, const char *time)
{
	const struct event *event = &record->event;
	const bool has_address = event->call != CALL_NONE;
	char address[ENDPOINT_TEXT_SIZE];

	endpoint_text(&event->address, address);
	output_line(request.format, stdout, &section, time,
		    output_number(event->pid).text, event->program,
		    has_address ? event_call_name(event->call) : NULL,
		    has_address ? address : NULL,
		    has_address ? protocol_name(event->protocol) : NULL,
		    event_verdict_name(event->verdict),
		    event_kind_name(event->kind), event->rule, user_of(record));
}

static void print_event(const struct event_record *record)
{
	char time[40], text[EVENT_TEXT_SIZE];

	format_time(record->event.time_ns, time);
	if (request.format != OUTPUT_TABLE) {
		print_record(record, time);
		return;
	}
	event_text(&record->event, text);
	printf("%s %s", time, text);
	if (record->uid != geteuid() && user_of(record) != NULL)
		message_to(stdout, "; user %s", user_of(record));
	printf("\n");
}

static void print_events(const struct events *events, uint64_t n_last)
{
	size_t i = n_last < events->n_items ? events->n_items - (size_t)n_last
					    : 0;

	for (; i < events->n_items; i++)
		print_event(&events->items[i]);
}

/* Until the output is closed, or for ever. */
static int follow(const struct place *place, struct events *events)
{
	static const struct timespec interval = { 0, FOLLOW_INTERVAL_NS };

	events->missed.is_quiet = true;
	while (message_written() == EXIT_SUCCESS) {
		nanosleep(&interval, NULL);
		if (events_read(place, events) == 0)
			print_events(events, UINT64_MAX);
	}
	return EXIT_FAILURE;
}

static int run(const struct command_words *words)
{
	static struct view view;
	struct events events = { 0 };
	int result;

	(void)words;
	view_open(&view);
	result = events_read(&view.place, &events);
	maps_missed_tell(&events.missed);
	if (result < 0)
		message("cannot read the shared maps: %s", strerror(-result));

	const bool is_whole = result == 0 && !events.missed.is_broken;

	print_events(&events, request.n_last);
	result = request.follows ? follow(&view.place, &events)
				 : message_written();
	events_close(&events);
	return is_whole ? result : EXIT_FAILURE;
}

const struct options command_log = {
	.command = "log",
	.help = "show which calls were refused",
	.run = run,
	.synopsis = "",
	.list = list,
	.about =
		"Shows the events of this network namespace, the oldest first: calls\n"
		"that were refused, and the other events that berth(1) lists.\n"
		"Each user's map keeps its last 4096 events. Root sees those of all\n"
		"users.\n",
};
