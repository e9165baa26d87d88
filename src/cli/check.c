/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/config.h"
#include "cli/findings.h"
#include "cli/message.h"
#include "cli/rules.h"
#include "cli/rules_print.h"
#include "kernel/kernel.h"

#define RATE_MAX 1000000

static const char usage[] =
	"Usage: berth check [--print] [--porcelain | --json] [--rate N]\n"
	"                   [FILE]\n"
	"\n"
	"Tells what is wrong with a configuration, and what of it is risky\n"
	"on this machine; with --porcelain or --json on standard output, too.\n"
	"Exit status: 0 = sound, 1 = refused, 2 = usage.\n"
	"FILE is " CONFIG_PATH " unless given.\n"
	"\n"
	"  --print      show the rules that the file makes\n"
	"  --porcelain  tab-separated records, see berth(1)\n"
	"  --json       one JSON object\n"
	"  --rate N     connections a second to one destination that are\n"
	"               planned where the file says no rate\n";

struct check_options {
	const char *path;
	enum output_format format;
	unsigned int rate;
	bool prints, help;
};

static int refuse(const char *before, const char *word, const char *behind)
{
	message("berth check: %s\"%s\"%s; see berth check --help\n",
		before, word, behind);
	return -EINVAL;
}

static int read_rate(const char *word, unsigned int *ratep)
{
	char *end;
	long value;

	if (word == NULL)
		return refuse("", "--rate", " needs a number");
	errno = 0;
	value = strtol(word, &end, 10);
	if (*word < '0' || *word > '9' || *end != '\0' || errno != 0 ||
	    value > RATE_MAX)
		return refuse("", word, " is not a rate from 0 to 1000000");
	*ratep = (unsigned int)value;
	return 0;
}

static int read_option(const char *word, struct check_options *options)
{
	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
		options->help = true;
	else if (strcmp(word, "--print") == 0)
		options->prints = true;
	else if (strcmp(word, "--porcelain") == 0)
		options->format = OUTPUT_PORCELAIN;
	else if (strcmp(word, "--json") == 0)
		options->format = OUTPUT_JSON;
	else
		return refuse("unknown option ", word, "");
	return 0;
}

/* Returns 0; or -EINVAL, which is said. */
static int read_options(int argc, char *argv[], struct check_options *options)
{
	bool words_only = false;
	int result = 0;

	for (int i = 1; i < argc && result == 0; i++) {
		const char *word = argv[i];

		if (!words_only && strcmp(word, "--") == 0)
			words_only = true;
		else if (!words_only && strcmp(word, "--rate") == 0)
			result = read_rate(argv[++i], &options->rate);
		else if (!words_only && word[0] == '-')
			result = read_option(word, options);
		else if (options->path != NULL)
			result = refuse("unknown word ", word, "");
		else
			options->path = word;
	}
	if (options->path == NULL)
		options->path = CONFIG_PATH;
	return result;
}

/* Returns 0, or -errno when the rules could not be made. */
static int check(const struct check_options *options,
		 struct findings *findings, struct output *output)
{
	static struct kernel kernel;
	struct config config;
	struct rules rules;
	int result = config_read(&config, options->path, findings);

	if (result == 0) {
		kernel_read(&kernel);
		result = rules_make(&rules, &config, &kernel, findings);
		if (result == 0 && findings->n_errors == 0) {
			rules_warn(&rules, &kernel, options->rate, findings);
			if (options->prints)
				result = rules_print(&rules, output);
		}
		rules_deinit(&rules);
	}
	config_deinit(&config);
	return result;
}

int command_check(int argc, char *argv[])
{
	struct check_options options = { .format = OUTPUT_TABLE };
	struct findings findings = { .items = NULL };
	struct output output;
	int result, status;

	if (read_options(argc, argv, &options) < 0)
		return EXIT_USAGE;
	if (options.help)
		return message_usage(usage);
	output_open(&output, options.format, stdout);
	result = check(&options, &findings, &output);
	if (options.format != OUTPUT_TABLE)
		findings_report(&findings, &output);
	status = output_finish(&output);
	findings_print(&findings, stderr);
	if (findings.incomplete || result == -ENOMEM)
		message("berth: %s\n", strerror(ENOMEM));
	if (findings.incomplete || findings.n_errors > 0)
		result = -EINVAL;
	findings_deinit(&findings);
	return result == 0 ? status : EXIT_FAILURE;
}
