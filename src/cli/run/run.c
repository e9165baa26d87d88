/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/message.h"
#include "cli/options.h"
#include "cli/run/cover.h"
#include "cli/run/run.h"
#include "map/choice.h"
#include "map/map.h"
#include "policy/setting.h"

static struct run request;

static const char *algorithm_at(size_t i)
{
	return setting_word(SETTING_ALGORITHM, (unsigned int)i);
}

static const char *algorithm_standard(void)
{
	return algorithm_at(ALGORITHM_DEFAULT);
}

static const struct command_option list[] = {
	{ .name = "range",
	  .value = "R",
	  .textp = &request.options[RUN_RANGE],
	  .help = "ports to assign: 40000-49999, a list such as "
		  "4000,5000-5999,\n"
		  "or a preset (default: " RANGE_DEFAULT "):",
	  .names = range_preset_name },
	{ .name = "reserve",
	  .value = "R",
	  .textp = &request.options[RUN_RESERVE],
	  .help = "ports that are excluded: never assigned (default: none)" },
	{ .name = "algorithm",
	  .value = "A",
	  .textp = &request.options[RUN_ALGORITHM],
	  .help = "where the search starts",
	  .standard = algorithm_standard,
	  .names = algorithm_at },
	{ .name = "config",
	  .value = "FILE",
	  .textp = &request.config_path,
	  .help = "first put FILE in force, if no other policy is; not with\n"
		  "--range, --reserve or --algorithm" },
	{ .name = "profile",
	  .value = "P",
	  .textp = &request.profile,
	  .help = "set BERTH_PROFILE to P, which a process section of the\n"
		  "policy in force must have" },
	{ .name = "strict",
	  .flagp = &request.strict,
	  .help = "do not start a COMMAND whose calls Berth cannot see, or\n"
		  "that starts others without LD_PRELOAD" },
	OPTION_HELP,
};

int run_fail(const char *what, const char *why)
{
	message("%s: %s", what, why);
	return EXIT_BERTH_FAILED;
}

/* --- the start ------------------------------------------------------------ */

static int cannot_run(const char *name, int error)
{
	message("\"%s\": %s", name,
		error == ENOENT ? "not found" : strerror(error));
	return error == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN;
}

static void tell_gap(const struct run *run, const char *path,
		     const struct cover_gap *gap)
{
	const bool cleans = gap->only_starts;
	const char *program = cleans ? gap->cleaner : gap->program;
	const char *relation = "", *file = "";

	if (gap->started[0] != '\0') {
		relation = "it starts ";
		file = gap->started;
	} else if (strcmp(path, program) != 0) {
		relation = "its interpreter ";
		file = program;
	}
	message("%s: %s%s%s%s: the kernel %s choose %s ports%s%s", path,
		relation, file, *file != '\0' ? ": " : "", gap->reason,
		gap->certain ? "will" : "may", cleans ? "their" : "its",
		cleans ? ", unless berth run is put behind it" : "",
		run->strict ? "; refused by --strict" : "");
}

/*
 * Whether the words behind "berth" in the first line of a script are "run" and
 * options, without a COMMAND. The kernel then adds the script as COMMAND, and
 * berth run would start the script, and so itself, for ever.
 */
static bool runs_script(char *words[])
{
	int n = 0;

	/* The last is the script. */
	while (words[n] != NULL && words[n + 1] != NULL)
		n++;
	return n > 0 && strcmp(words[0], "run") == 0 &&
	       options_end(&command_run, n, words) >= n;
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
	if (gap.arguments != NULL && cover_is_own(gap.program) &&
	    runs_script(gap.arguments)) {
		message("%s: its interpreter is berth run without a COMMAND, "
			"which would run the script without end; name one in "
			"its first line",
			path);
		return EXIT_CANNOT_RUN;
	}
	if (!is_covered) {
		tell_gap(run, path, &gap);
		if (run->strict)
			return EXIT_CANNOT_RUN;
	}
	run_append_arguments(run, gap.program, gap.name);
	return 0;
}

/* One message here, in place of one by each process. */
static int check_map(const struct run *run)
{
	const bool refuses = run->view.environment.settings[SETTING_ON_ERROR] ==
			     ON_ERROR_REFUSE;
	const struct place *place = &run->view.place;
	struct map map;
	const int result = map_open(place, MAP_CREATE, &map, NULL);

	if (result == 0) {
		map_close(&map);
		view_tell_missed(place, run->view.in_force.file.missed);
		return refuses && (run->view.in_force.is_damaged ||
				   run->view.in_force.file.missed != 0)
			       ? EXIT_BERTH_FAILED
			       : 0;
	}
	message("no shared map (%s, %s): %s", strerror(-result),
		place->directory ? place->directory : "/run/berth, /dev/shm",
		refuses ? "not started, since BERTH_ON_ERROR is refuse"
			: "the program does not see other programs' ports");
	return refuses ? EXIT_BERTH_FAILED : 0;
}

static int prepare(void)
{
	char library[PATH_MAX];
	int status = run_settle_policy(&request);

	if (status == 0)
		status = run_find_library(library);
	if (status == 0)
		status = check_command(&request);
	if (status == 0)
		status = check_map(&request);
	if (status == 0)
		status = run_preload(library);
	view_close(&request.view);
	return status;
}

static int run(const struct command_words *words)
{
	int status;

	request.command = words->command;
	if (request.command == NULL || request.command[0] == NULL) {
		message_to(stderr,
			   "berth run: no COMMAND; see berth run --help\n");
		return EXIT_BERTH_FAILED;
	}
	status = prepare();
	if (status != 0)
		return status;
	execvp(request.command[0], request.command);
	/* It was found: what is missing now is its interpreter. */
	message("\"%s\": %s%s", request.command[0],
		errno == ENOENT ? "its interpreter: " : "", strerror(errno));
	return EXIT_CANNOT_RUN;
}

const struct options command_run = {
	.command = "run",
	.help = "start a program whose ports Berth assigns",
	.run = run,
	.synopsis = "[--] COMMAND [ARG...]",
	.list = list,
	.begin = COMMAND_AT_WORD,
	.failure = EXIT_BERTH_FAILED,
	.about =
		"Runs COMMAND. Berth assigns its ports, and those of the programs\n"
		"that it starts.\n",
	.status =
		"Options take precedence over the environment (BERTH_RANGE,\n"
		"BERTH_RESERVE, BERTH_ALGORITHM). Without either, the policy in force\n"
		"applies. If there is none, the installed file is put in force, if it\n"
		"exists and this user may load it:\n" CONFIG_PATH "\n"
		"Under a policy that root has put in force, these options are errors,\n"
		"and the environment does not choose ports.\n"
		"\n"
		"Exit status: that of COMMAND; 125 Berth failed, 126 COMMAND cannot\n"
		"be run or --strict refuses it, 127 COMMAND was not found.\n",
};
