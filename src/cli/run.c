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
#include "cli/config.h"
#include "cli/cover.h"
#include "core/arena.h"
#include "core/choice.h"
#include "core/kernel.h"
#include "core/policy.h"

#define PRELOAD_SEPARATORS ": "	/* ld.so(8) */

/* What may be said by an option, in the environment and in the file. */
enum setting_index { SETTING_RANGE, SETTING_RESERVE, SETTING_ALGORITHM };

#define N_SETTINGS 3

static const char *const variables[N_SETTINGS] = {
	[SETTING_RANGE] = "BERTH_RANGE",
	[SETTING_RESERVE] = "BERTH_RESERVE",
	[SETTING_ALGORITHM] = "BERTH_ALGORITHM",
};

static const char *const option_names[N_SETTINGS] = {
	[SETTING_RANGE] = "--range",
	[SETTING_RESERVE] = "--reserve",
	[SETTING_ALGORITHM] = "--algorithm",
};

struct run {
	const char *options[N_SETTINGS];	/* NULL = not given */
	const char *config_path;		/* NULL = CONFIG_PATH */
	bool strict;
	char **command;
	struct kernel kernel;
	struct policy policy;
};

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
		"  --config FILE  read FILE, and not " CONFIG_PATH "\n"
		"  --strict       refuse a COMMAND that Berth cannot cover\n"
		"  -h, --help     print this\n"
		"\n"
		"An option goes before the environment (BERTH_RANGE, "
		"BERTH_RESERVE,\n"
		"BERTH_ALGORITHM), that before the file.\n"
		"\n"
		"Exit status: that of COMMAND; 125 Berth failed, 126 COMMAND "
		"cannot be run,\n"
		"127 COMMAND was not found.\n");
}

/* --- options -------------------------------------------------------------- */

enum { OPTION_CONFIG = N_SETTINGS, OPTION_STRICT, OPTION_HELP = 'h' };

static int complain_usage(int result, char *argv[])
{
	const char *word = argv[optind - 1];
	char letters[] = { '-', (char)optopt, '\0' };

	/* getopt(3) may still be inside of a cluster of letters. */
	if (optopt > OPTION_STRICT && optopt != OPTION_HELP)
		word = letters;
	fprintf(stderr, "berth run: %s \"%s\"; see berth run --help\n",
		result == ':' ? "no value for" : "unknown option", word);
	return EXIT_BERTH_FAILED;
}

/* Returns 0 to go on, OPTION_HELP after the help, or the exit status. */
static int parse_option(struct run *run, int option, char *argv[])
{
	switch (option) {
	case SETTING_RANGE:
	case SETTING_RESERVE:
	case SETTING_ALGORITHM:
		run->options[option] = optarg;
		return 0;
	case OPTION_CONFIG:
		run->config_path = optarg;
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

static int parse_options(struct run *run, int argc, char *argv[])
{
	static const struct option options[] = {
		{ "range", required_argument, NULL, SETTING_RANGE },
		{ "reserve", required_argument, NULL, SETTING_RESERVE },
		{ "algorithm", required_argument, NULL, SETTING_ALGORITHM },
		{ "config", required_argument, NULL, OPTION_CONFIG },
		{ "strict", no_argument, NULL, OPTION_STRICT },
		{ "help", no_argument, NULL, OPTION_HELP },
		{ NULL, 0, NULL, 0 },
	};
	int option, status;

	while ((option = getopt_long(argc, argv, "+:h", options, NULL)) != -1) {
		status = parse_option(run, option, argv);
		if (status != 0)
			return status;
	}
	run->command = argv + optind;
	if (run->command[0] != NULL)
		return 0;
	fprintf(stderr, "berth run: no COMMAND\n");
	usage(stderr);
	return EXIT_BERTH_FAILED;
}

/* --- policy --------------------------------------------------------------- */

static int fail(const char *what, const char *why)
{
	fprintf(stderr, "berth: %s: %s\n", what, why);
	return EXIT_BERTH_FAILED;
}

/* An option goes before the environment, that before the file. */
static int export_setting(enum setting_index i, const char *option,
			  const char *in_file, const char **sourcep)
{
	const char *const variable = variables[i];
	const char *value = option;

	*sourcep = variable;
	if (option != NULL) {
		*sourcep = option_names[i];
	} else if (in_file != NULL && getenv(variable) == NULL) {
		*sourcep = NULL;
		value = in_file;
	}
	if (value != NULL && setenv(variable, value, 1) != 0)
		return fail(variable, strerror(errno));
	return 0;
}

/* The refusal, by the name under which its value was given. */
static int refuse_policy(struct policy_error *error,
			 const char *const sources[N_SETTINGS],
			 const struct config *config)
{
	char text[POLICY_ERROR_TEXT_SIZE];
	const char *file = NULL;

	for (int i = 0; i < N_SETTINGS; i++) {
		if (strcmp(error->variable, variables[i]) != 0)
			continue;
		if (sources[i] == NULL)
			file = config->path;
		error->variable = sources[i] ? sources[i] : option_names[i] + 2;
		break;
	}
	policy_error_text(error, text);
	fprintf(stderr, "berth: %s%s%s\n", file ? file : "", file ? ": " : "",
		text);
	return EXIT_BERTH_FAILED;
}

static int settle_policy(struct run *run, const struct config *config)
{
	const char *const in_file[N_SETTINGS] = {
		[SETTING_RANGE] = config->range,
		[SETTING_RESERVE] = config->reserve,
		[SETTING_ALGORITHM] = config->algorithm,
	};
	const char *sources[N_SETTINGS];
	struct policy_error error;

	for (int i = 0; i < N_SETTINGS; i++) {
		const int status = export_setting((enum setting_index)i,
						  run->options[i], in_file[i],
						  &sources[i]);

		if (status != 0)
			return status;
	}
	if (policy_from_environment(getenv, &run->kernel, &run->policy,
				    &error) != 0)
		return refuse_policy(&error, sources, config);
	return 0;
}

static int read_policy(struct run *run)
{
	struct config config;
	int status = EXIT_BERTH_FAILED;

	kernel_read(&run->kernel);
	if (config_read(&config, run->config_path, &run->kernel) == 0)
		status = settle_policy(run, &config);
	config_deinit(&config);
	return status;
}

/* --- the library ---------------------------------------------------------- */

/* Of the build tree in which berth itself lies. */
static bool find_built_library(char path[PATH_MAX])
{
	static const char name[] = "/../preload/libberth.so";
	char self[PATH_MAX + sizeof(name)];
	const ssize_t n = readlink("/proc/self/exe", self, PATH_MAX);
	char *slash;

	if (n <= 0 || n == PATH_MAX)
		return false;
	self[n] = '\0';
	slash = strrchr(self, '/');
	if (slash == NULL)
		return false;
	snprintf(slash, (size_t)(self + sizeof(self) - slash), "%s", name);
	return realpath(self, path) != NULL;
}

static int find_library(char path[PATH_MAX])
{
	const char *named = getenv("BERTH_LIBRARY");

	if (named != NULL) {
		/* Absolute: programs go to other folders. */
		if (realpath(named, path) == NULL)
			return fail(named, strerror(errno));
	} else if (!find_built_library(path)) {
		snprintf(path, PATH_MAX, "%s", LIBBERTH_PATH);
	}
	if (access(path, R_OK) != 0)
		return fail(path, strerror(errno));
	if (strpbrk(path, PRELOAD_SEPARATORS) != NULL)
		return fail(path, "LD_PRELOAD takes no path with a blank or a "
			    "colon in it");
	return 0;
}

static bool is_listed(const char *list, const char *path)
{
	const size_t wanted = strlen(path);

	while (*list != '\0') {
		const size_t length = strcspn(list, PRELOAD_SEPARATORS);

		if (length == wanted && memcmp(list, path, length) == 0)
			return true;
		list += length;
		list += strspn(list, PRELOAD_SEPARATORS);
	}
	return false;
}

static int preload(const char *path)
{
	const char *old = getenv("LD_PRELOAD");
	char *list = NULL;
	int result;

	if (old != NULL && is_listed(old, path))
		return 0;
	if (old != NULL && old[0] != '\0') {
		if (asprintf(&list, "%s:%s", path, old) < 0)
			return fail("LD_PRELOAD", strerror(ENOMEM));
		path = list;
	}
	result = setenv("LD_PRELOAD", path, 1);
	free(list);
	return result == 0 ? 0 : fail("LD_PRELOAD", strerror(errno));
}

/* --- the start ------------------------------------------------------------ */

static int cannot_run(const char *name, int error)
{
	fprintf(stderr, "berth: \"%s\": %s\n", name,
		error == ENOENT ? "not found" : strerror(error));
	return error == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN;
}

static int check_cover(const struct run *run)
{
	char path[PATH_MAX];
	struct cover_gap gap;
	const int error = cover_find(run->command[0], path);

	if (error != 0)
		return cannot_run(run->command[0], -error);
	if (cover_check(path, &gap))
		return 0;
	if (strcmp(path, gap.program) != 0)
		fprintf(stderr, "berth: %s: its interpreter %s: ", path,
			gap.program);
	else
		fprintf(stderr, "berth: %s: ", path);
	fprintf(stderr, "%s: the kernel %s choose its ports%s\n", gap.reason,
		gap.certain ? "will" : "may",
		run->strict ? "; refused by --strict" : "");
	return run->strict ? EXIT_CANNOT_RUN : 0;
}

/* So that one line is printed here, and not one by each process. */
static int check_arena(const struct run *run)
{
	const char *directory = getenv("BERTH_DIR");
	const bool refuses = run->policy.on_error == ON_ERROR_REFUSE;
	const struct arena_place place = {
		.directory = directory && directory[0] ? directory : NULL,
		.netns_inode = run->kernel.netns_inode,
		.netns_cookie = run->kernel.netns_cookie,
	};
	struct arena arena;
	const int result = arena_open(&place, ARENA_CREATE, &arena, NULL);

	if (result == 0) {
		arena_close(&arena);
		return 0;
	}
	fprintf(stderr, "berth: no shared map (%s, %s): %s\n",
		strerror(-result),
		place.directory ? place.directory : "/run/berth, /dev/shm",
		refuses ? "refused, as BERTH_ON_ERROR says"
			: "this run's processes are on their own");
	return refuses ? EXIT_BERTH_FAILED : 0;
}

int command_run(int argc, char *argv[])
{
	struct run run = { .command = NULL };
	char library[PATH_MAX];
	int status = parse_options(&run, argc, argv);

	if (status == OPTION_HELP)
		return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_BERTH_FAILED;
	if (status == 0)
		status = read_policy(&run);
	if (status == 0)
		status = find_library(library);
	if (status == 0)
		status = check_cover(&run);
	if (status == 0)
		status = check_arena(&run);
	if (status == 0)
		status = preload(library);
	if (status != 0)
		return status;
	execvp(run.command[0], run.command);
	/* It was found: what is missing now is its interpreter. */
	fprintf(stderr, "berth: \"%s\": %s%s\n", run.command[0],
		errno == ENOENT ? "its interpreter: " : "", strerror(errno));
	return EXIT_CANNOT_RUN;
}
