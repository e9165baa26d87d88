/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/message.h"
#include "cli/options.h"
#include "cli/program.h"
#include "cli/report/events.h"
#include "cli/view.h"
#include "map/event.h"

#define FOLLOW_INTERVAL_NS 200000000

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
