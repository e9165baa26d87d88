/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/program.h"
#include "cli/run/run.h"

/* With %lo and %hi replaced. Returns NULL without memory. */
static char *expand(const char *argument, const struct port_set *range)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);
	uint32_t lo = 0, hi = 0;

	if (stream == NULL)
		return NULL;
	/* For a program that takes a single range. */
	port_set_longest_run(range, &lo, &hi);
	while (*argument != '\0') {
		const bool is_lo = strncmp(argument, "%lo", 3) == 0;

		if (is_lo || strncmp(argument, "%hi", 3) == 0) {
			fprintf(stream, "%u", is_lo ? lo : hi);
			argument += 3;
		} else {
			fputc(*argument++, stream);
		}
	}
	return fclose(stream) == 0 ? text : NULL;
}

static size_t count(char *const *words)
{
	size_t n = 0;

	while (words[n] != NULL)
		n++;
	return n;
}

/* The words are never freed: this process execs. */
static int append(struct run *run, const char *argument,
		  const struct port_set *range)
{
	const size_t n = count(run->command);
	char **words = calloc(n + 2, sizeof(*words));

	if (words == NULL)
		return run_fail(run->command[0], strerror(ENOMEM));
	memcpy(words, run->command, n * sizeof(*words));
	run->command = words;
	words[n] = expand(argument, range);
	return words[n] != NULL ? 0
				: run_fail(run->command[0], strerror(ENOMEM));
}

int run_append_arguments(struct run *run, const char *exe, const char *name)
{
	struct program_texts texts;
	const struct program program = program_of_command(exe, name, &texts);
	const struct policy_rule *rule;
	const char *argument;
	struct policy policy;
	int status = 0;

	if (in_force_settle(&run->view.in_force, &program,
			    &run->view.environment, &policy,
			    &rule) != SETTLED_RULE ||
	    policy.settings[SETTING_MODE] == MODE_OBSERVE)
		return 0;
	argument = policy_string(&run->view.in_force.tables, rule->arguments);
	for (; status == 0 && argument != NULL && *argument != '\0';
	     argument = policy_next_string(argument))
		status = append(run, argument,
				policy.ranges[PROTOCOL_TCP][ROLE_OF_LISTEN]);
	return status;
}
