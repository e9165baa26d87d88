/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/events.h"
#include "cli/message.h"
#include "cli/netns.h"
#include "cli/output.h"
#include "cli/user_name.h"
#include "kernel/kernel.h"
#include "map/event.h"
#include "map/place.h"

#define FOLLOW_INTERVAL_NS 200000000

static const char usage[] =
	"Usage: berth log [-f] [-n N] [--porcelain | --json]\n"
	"\n"
	"Shows what was refused in this network namespace, and what else Berth\n"
	"has noticed, the oldest first: the last 4096 events of each user's\n"
	"map are kept. Root is shown those of all users.\n"
	"\n"
	"  -f, --follow  wait for more\n"
	"  -n N          the last N only\n"
	"  --porcelain   tab-separated records, see berth(1)\n"
	"  --json        one JSON object a line\n";

static const struct output_column columns[] = {
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
};
static const struct output_section section = {
	.kind = "event", .key = "events",
	.n_columns = sizeof(columns) / sizeof(columns[0]), .columns = columns,
};

struct log_options {
	enum output_format format;
	bool follow, help;
	uint64_t n_last;	/* UINT64_MAX = all */
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

/* NULL where it may be anybody. */
static const char *user_of(const struct event_record *record)
{
	return record->is_shared ? NULL : user_name(record->uid);
}

static void print_record(const struct event_record *record, const char *time,
			 enum output_format format)
{
	const struct event *event = &record->event;
	const bool has_address = event->call != CALL_NONE;
	char pid[12], address[ENDPOINT_TEXT_SIZE];

	snprintf(pid, sizeof(pid), "%u", event->pid);
	endpoint_text(&event->address, address);
	output_line(format, stdout, &section, (const char *const[]){
		time, pid, event->program,
		has_address ? event_call_name(event->call) : NULL,
		has_address ? address : NULL,
		has_address ? protocol_name(event->protocol) : NULL,
		event_verdict_name(event->verdict),
		event_kind_name(event->kind), event->rule, user_of(record) });
}

static void print_event(const struct event_record *record,
			enum output_format format)
{
	char time[40], text[EVENT_TEXT_SIZE];

	format_time(record->event.time_ns, time);
	if (format != OUTPUT_TABLE) {
		print_record(record, time, format);
		return;
	}
	event_text(&record->event, text);
	printf("%s %s", time, text);
	if (record->uid != geteuid() && user_of(record) != NULL)
		message_to(stdout, "; user %s", user_of(record));
	printf("\n");
}

static void print_events(const struct events *events, uint64_t n_last,
			 enum output_format format)
{
	size_t i = n_last < events->n_items
		? events->n_items - (size_t)n_last : 0;

	for (; i < events->n_items; i++)
		print_event(&events->items[i], format);
}

static bool is_written(void)
{
	return fflush(stdout) == 0 && !ferror(stdout);
}

static void wait_for_more(void)
{
	const struct timespec interval = { 0, FOLLOW_INTERVAL_NS };

	nanosleep(&interval, NULL);
}

/* Until the output is closed, or for ever. */
static int follow(const struct place *place, struct events *events,
		  enum output_format format)
{
	events->missed.is_quiet = true;
	while (is_written()) {
		wait_for_more();
		if (events_read(place, events) == 0)
			print_events(events, UINT64_MAX, format);
	}
	return message_written();
}

static int show(const struct log_options *options)
{
	static struct kernel kernel;
	struct events events = { 0 };
	struct place place;
	int result;

	kernel_read(&kernel);
	netns_place(&kernel, &place);
	result = events_read(&place, &events);
	maps_missed_tell(&events.missed);
	if (result < 0)
		message("berth: cannot read the shared maps: %s\n",
			strerror(-result));

	const bool is_whole = result == 0 && !events.missed.is_broken;

	print_events(&events, options->n_last, options->format);
	result = options->follow ? follow(&place, &events, options->format)
				 : message_written();
	events_close(&events);
	return is_whole ? result : EXIT_FAILURE;
}

static bool read_number(const char *word, uint64_t *np)
{
	char *end;

	if (word == NULL || *word < '0' || *word > '9')
		return false;
	errno = 0;
	*np = strtoull(word, &end, 10);
	return errno == 0 && *end == '\0';
}

static int refuse(const char *word, const char *reason)
{
	message("berth log: \"%s\" %s; see berth log --help\n", word,
		reason);
	return -EINVAL;
}

/* Returns 0, or -EINVAL for a mistake, which is said. */
static int read_options(char *argv[], struct log_options *options)
{
	*options = (struct log_options){ .n_last = UINT64_MAX };
	while (*++argv != NULL) {
		const char *word = *argv;

		if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
			options->help = true;
		} else if (strcmp(word, "-f") == 0 ||
			   strcmp(word, "--follow") == 0) {
			options->follow = true;
		} else if (strcmp(word, "--porcelain") == 0) {
			options->format = OUTPUT_PORCELAIN;
		} else if (strcmp(word, "--json") == 0) {
			options->format = OUTPUT_JSON;
		} else if (strcmp(word, "-n") == 0) {
			if (!read_number(argv[1], &options->n_last))
				return refuse(argv[1] != NULL ? argv[1] : "-n",
					      "is not a number of events");
			argv++;
		} else {
			return refuse(word, word[0] == '-' ? "is no option"
					    : "is one word too many");
		}
	}
	return 0;
}

int command_log(int argc, char *argv[])
{
	struct log_options options;

	(void)argc;
	if (read_options(argv, &options) < 0)
		return EXIT_USAGE;
	if (options.help)
		return message_usage(usage);
	return show(&options);
}
