/* SPDX-License-Identifier: MIT */
#include <stdbool.h>
#include <stdlib.h>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/rules/rules.h"
#include "kernel/kernel.h"

static struct {
	enum output_format format;
	uint64_t rate;
	bool prints;
} request;

static const struct command_option list[] = {
	{ .name = "print",
	  .flagp = &request.prints,
	  .help = "show the rules that the file makes" },
	OPTIONS_FORMAT(&request.format),
	{ .name = "rate",
	  .value = "N",
	  .numberp = &request.rate,
	  .max = RULE_RATE_MAX,
	  .wanted = "is not a rate from 0 to 1000000",
	  .help = "connections a second to one destination that are\n"
		  "planned, if the file does not say rate" },
	OPTION_HELP,
};

/* Returns as rules_read(). */
static int check(const char *path, struct findings *findings,
		 struct output *output)
{
	static struct kernel kernel;
	struct config config;
	struct rules rules;
	int result;

	kernel_read(&kernel);
	result = rules_read(&rules, &config, path, &kernel, findings);
	if (result == 0)
		rules_warn(&rules, &kernel, (unsigned int)request.rate,
			   findings);
	if (result == 0 && request.prints)
		rules_print(&rules, output);
	rules_deinit(&rules);
	config_deinit(&config);
	return result;
}

static int run(const struct command_words *words)
{
	struct findings findings = { .items = NULL };
	struct output output;
	int result, status;

	output_open(&output, request.format, stdout);
	result = check(words->n_words > 0 ? words->words[0] : CONFIG_PATH,
		       &findings, &output);
	if (request.format != OUTPUT_TABLE)
		findings_report(&findings, &output);
	status = output_close(&output);
	findings_print(&findings, stderr);
	findings_deinit(&findings);
	return result == 0 ? status : EXIT_FAILURE;
}

const struct options command_check = {
	.command = "check",
	.help = "report errors and risks in a policy file",
	.run = run,
	.ignores_folder = true,
	.synopsis = "[FILE]",
	.list = list,
	.n_words_max = 1,
	.about =
		"Reports the errors in a policy file and its risks on this machine,\n"
		"on standard error; with --porcelain or --json on standard output,\n"
		"too. FILE is " CONFIG_PATH " unless given.\n",
	.status = "Exit status: 0 no error, 1 refused, 2 usage.\n",
};
