/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/cover.h"
#include "cli/message.h"
#include "cli/run.h"
#include "map/choice.h"
#include "map/map.h"

/* "a, b, c", with a new line after each n_in_line. */
static void print_names(FILE *stream, const char *(*name_at)(size_t),
			size_t n_in_line)
{
	const char *name;

	for (size_t i = 0; (name = name_at(i)) != NULL; i++)
		fprintf(stream, "%s%s", i == 0 ? "" : i % n_in_line != 0 ?
			", " : ",\n                 ", name);
}

static const char *algorithm_at(size_t i)
{
	return i < N_ALGORITHMS ? algorithm_name((enum algorithm)i) : NULL;
}

static void usage(FILE *stream)
{
	fprintf(stream,
		"Usage: berth run [OPTION...] [--] COMMAND [ARG...]\n"
		"\n"
		"Runs COMMAND. Berth assigns its ports, and those of what it "
		"starts.\n"
		"\n"
		"  --range R      ports to assign: 40000-49999, a list such as "
		"4000,5000-5999,\n"
		"                 or a preset (default: %s):\n"
		"                 ", RANGE_DEFAULT);
	print_names(stream, range_preset_name, 5);
	fprintf(stream, "\n"
		"  --reserve R    ports to keep off (default: none)\n"
		"  --algorithm A  where the search starts (default: %s):\n"
		"                 ",
		algorithm_name(ALGORITHM_DEFAULT));
	print_names(stream, algorithm_at, 4);
	fprintf(stream, "\n"
		"  --config FILE  put FILE in force first, as berth load does\n"
		"  --profile P    choose the process section that has profile P\n"
		"  --strict       refuse a COMMAND that Berth cannot cover\n"
		"  -h, --help     print this\n"
		"\n"
		"An option goes before the environment (BERTH_RANGE, "
		"BERTH_RESERVE,\n"
		"BERTH_ALGORITHM). With neither, and no policy in force, "
		CONFIG_PATH "\n"
		"is put in force, if it is there. A policy that root has put "
		"in force goes\n"
		"before both.\n"
		"\n"
		"Exit status: that of COMMAND; 125 Berth failed, 126 COMMAND "
		"cannot be run,\n"
		"127 COMMAND was not found.\n");
}

/* --- options -------------------------------------------------------------- */

enum {
	OPTION_CONFIG = N_RUN_OPTIONS,
	OPTION_PROFILE,
	OPTION_STRICT,
	OPTION_HELP = 'h',
};

static int complain_usage(int result, char *argv[])
{
	const char *word = argv[optind - 1];
	char letters[] = { '-', (char)optopt, '\0' };

	/* getopt(3) may still be inside of a cluster of letters. */
	if (optopt > OPTION_STRICT && optopt != OPTION_HELP)
		word = letters;
	message("berth run: %s \"%s\"; see berth run --help\n",
		result == ':' ? "no value for" : "unknown option", word);
	return EXIT_BERTH_FAILED;
}

/* Returns 0 to go on, OPTION_HELP after the help, or the exit status. */
static int parse_option(struct run *run, int option, char *argv[])
{
	switch (option) {
	case RUN_RANGE:
	case RUN_RESERVE:
	case RUN_ALGORITHM:
		run->options[option] = optarg;
		return 0;
	case OPTION_CONFIG:
		run->config_path = optarg;
		return 0;
	case OPTION_PROFILE:
		run->profile = optarg;
		return 0;
	case OPTION_STRICT:
		run->strict = true;
		return 0;
	case OPTION_HELP:
		usage(stdout);
		return OPTION_HELP;
	default:
		return complain_usage(option, argv);
	}
}

static int next_option(int argc, char *argv[])
{
	static const struct option options[] = {
		{ "range", required_argument, NULL, RUN_RANGE },
		{ "reserve", required_argument, NULL, RUN_RESERVE },
		{ "algorithm", required_argument, NULL, RUN_ALGORITHM },
		{ "config", required_argument, NULL, OPTION_CONFIG },
		{ "profile", required_argument, NULL, OPTION_PROFILE },
		{ "strict", no_argument, NULL, OPTION_STRICT },
		{ "help", no_argument, NULL, OPTION_HELP },
		{ NULL, 0, NULL, 0 },
	};

	return getopt_long(argc, argv, "+:h", options, NULL);
}

static int parse_options(struct run *run, int argc, char *argv[])
{
	int option, status;

	while ((option = next_option(argc, argv)) != -1) {
		status = parse_option(run, option, argv);
		if (status != 0)
			return status;
	}
	run->command = argv + optind;
	if (run->command[0] != NULL)
		return 0;
	message("berth run: no COMMAND\n");
	usage(stderr);
	return EXIT_BERTH_FAILED;
}

int run_fail(const char *what, const char *why)
{
	message("berth: %s: %s\n", what, why);
	return EXIT_BERTH_FAILED;
}

/* --- the start ------------------------------------------------------------ */

static int cannot_run(const char *name, int error)
{
	message("berth: \"%s\": %s\n", name,
		error == ENOENT ? "not found" : strerror(error));
	return error == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN;
}

static void tell_gap(const struct run *run, const char *path,
		     const struct cover_gap *gap)
{
	const bool cleans = gap->only_starts;
	const char *program = cleans ? gap->cleaner : gap->program;

	if (gap->started[0] != '\0')
		message("berth: %s: it starts %s: ", path, gap->started);
	else if (strcmp(path, program) != 0)
		message("berth: %s: its interpreter %s: ", path, program);
	else
		message("berth: %s: ", path);
	message("%s: the kernel %s choose %s ports%s%s\n", gap->reason,
		gap->certain ? "will" : "may", cleans ? "their" : "its",
		cleans ? ", unless berth run is put behind it" : "",
		run->strict ? "; refused by --strict" : "");
}

/*
 * Whether the words behind "berth" in the first line of a script are "run" and
 * options without a COMMAND: then the kernel makes the script the COMMAND, and
 * berth run would start it, and so itself, for ever.
 */
static bool runs_script(const char *arguments)
{
	char text[COVER_LINE_SIZE];
	char *words[COVER_LINE_SIZE], *rest = text, *word;
	int n = 0;

	snprintf(text, sizeof(text), "%s", arguments);
	while ((word = strsep(&rest, " \t")) != NULL)
		if (*word != '\0')
			words[n++] = word;
	words[n] = NULL;
	if (n == 0 || strcmp(words[0], "run") != 0)
		return false;
	optind = 0;	/* getopt(3) of glibc begins anew */
	while (next_option(n, words) != -1)
		continue;
	return optind >= n;
}

/* Looks whether it can be covered, and gives it the arguments of its rule. */
static int check_command(struct run *run)
{
	char path[PATH_MAX];
	struct cover_gap gap;
	bool is_covered;
	const int error = cover_find(run->command[0], path);

	if (error != 0)
		return cannot_run(run->command[0], -error);
	is_covered = cover_check(path, run->command + 1, &gap);
	if (gap.is_script && cover_is_own(gap.program) &&
	    runs_script(gap.arguments)) {
		message("berth: %s: its interpreter is berth run, which would "
			"run it again without end; name a program in its first "
			"line\n", path);
		return EXIT_CANNOT_RUN;
	}
	if (!is_covered) {
		tell_gap(run, path, &gap);
		if (run->strict)
			return EXIT_CANNOT_RUN;
	}
	return run_append_arguments(run, path, gap.program);
}

/* So that one line is printed here, and not one by each process. */
static int check_map(const struct run *run)
{
	const bool refuses = run->environment.settings[SETTING_ON_ERROR] ==
			     ON_ERROR_REFUSE;
	const struct place *place = &run->place;
	struct map map;
	const int result = map_open(place, MAP_CREATE, &map, NULL);

	if (result == 0) {
		map_close(&map);
		published_tell_missed(place, run->published.missed);
		return refuses && (run->published.is_damaged ||
				   run->published.missed != 0)
			? EXIT_BERTH_FAILED : 0;
	}
	message("berth: no shared map (%s, %s): %s\n",
		strerror(-result),
		place->directory ? place->directory : "/run/berth, /dev/shm",
		refuses ? "refused, as BERTH_ON_ERROR says"
			: "this run's processes are on their own");
	return refuses ? EXIT_BERTH_FAILED : 0;
}

static int prepare(struct run *run)
{
	char library[PATH_MAX];
	int status = run_settle_policy(run);

	if (status == 0)
		status = run_find_library(library);
	if (status == 0)
		status = check_command(run);
	if (status == 0)
		status = check_map(run);
	if (status == 0)
		status = run_preload(library);
	published_deinit(&run->published);
	return status;
}

int command_run(int argc, char *argv[])
{
	static struct run run;
	int status = parse_options(&run, argc, argv);

	if (status == OPTION_HELP)
		return message_written() == EXIT_SUCCESS ? EXIT_SUCCESS
							 : EXIT_BERTH_FAILED;
	if (status == 0)
		status = prepare(&run);
	if (status != 0)
		return status;
	execvp(run.command[0], run.command);
	/* It was found: what is missing now is its interpreter. */
	message("berth: \"%s\": %s%s\n", run.command[0],
		errno == ENOENT ? "its interpreter: " : "", strerror(errno));
	return EXIT_CANNOT_RUN;
}
