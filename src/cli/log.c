/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/commands.h"
#include "cli/message.h"
#include "cli/netns.h"
#include "cli/output.h"
#include "core/arena.h"
#include "core/event.h"
#include "core/event_text.h"
#include "core/kernel.h"

#define FOLLOW_INTERVAL_NS 200000000

static const char usage[] =
	"Usage: berth log [-f] [-n N] [--porcelain | --json]\n"
	"\n"
	"Shows what was refused in this network namespace, and what else Berth\n"
	"has noticed, the oldest first: the last 4096 events are kept.\n"
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

static void print_record(const struct event *event, const char *time,
			 enum output_format format)
{
	const bool has_address = event->call != CALL_NONE;
	char pid[12], address[ENDPOINT_TEXT_SIZE];

	snprintf(pid, sizeof(pid), "%u", event->pid);
	endpoint_text(&event->address, address);
	output_line(format, stdout, &section, (const char *const[]){
		time, pid, event->program,
		has_address ? event_call_name(event->call) : NULL,
		has_address ? address : NULL,
		has_address ? space_name(event->space) : NULL,
		event_verdict_name(event->verdict),
		event_kind_name(event->kind), event->rule });
}

static void print_event(const struct event *event, enum output_format format)
{
	char time[40], text[EVENT_TEXT_SIZE];

	format_time(event->time_ns, time);
	if (format != OUTPUT_TABLE) {
		print_record(event, time, format);
		return;
	}
	event_text(event, text);
	printf("%s %s\n", time, text);
}

/* Prints the events from number from on; returns the number behind the last. */
static uint64_t print_events(const struct arena *arena, uint64_t from,
			     enum output_format format)
{
	const uint64_t begin = event_begin(arena), end = event_end(arena);
	struct event event;

	for (uint64_t i = from > begin ? from : begin; i < end; i++)
		if (event_get(arena, i, &event))
			print_event(&event, format);
	return end;
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

static uint64_t first_of(const struct arena *arena,
			 const struct log_options *options)
{
	const uint64_t end = event_end(arena);

	return options->n_last < end ? end - options->n_last : 0;
}

/* Until the output is closed, or for ever. */
static int follow(const struct arena *arena, uint64_t next,
		  enum output_format format)
{
	while (is_written()) {
		wait_for_more();
		next = print_events(arena, next, format);
	}
	return message_written();
}

static int show(const struct log_options *options)
{
	static struct kernel kernel;
	struct arena_place place;
	struct arena arena;
	int result;

	kernel_read(&kernel);
	netns_place(&kernel, &place);
	result = arena_open(&place, ARENA_EXISTING, &arena, NULL);
	while (result == -ENOENT && options->follow) {
		wait_for_more();
		result = arena_open(&place, ARENA_EXISTING, &arena, NULL);
	}
	if (result == -ENOENT)
		return EXIT_SUCCESS;
	if (result < 0) {
		message("berth: cannot read the shared map: %s\n",
			strerror(-result));
		return EXIT_FAILURE;
	}

	const uint64_t next = print_events(&arena, first_of(&arena, options),
					   options->format);

	result = options->follow ? follow(&arena, next, options->format)
				 : message_written();
	arena_close(&arena);
	return result;
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
