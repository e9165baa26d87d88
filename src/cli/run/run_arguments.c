/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "cli/memory.h"
#include "cli/program.h"
#include "cli/run/run.h"

/* With %lo and %hi replaced. */
static char *expand(const char *argument, const struct port_set *range)
{
	char *text;
	size_t size;
	FILE *stream = memory_stream(&text, &size);
	uint32_t lo = 0, hi = 0;

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
	memory_stream_end(stream);
	return text;
}

/* The words are never freed: this process execs. */
static void append(struct run *run, char *word)
{
	static struct memory memory;
	size_t n = 0;
	char **words;

	while (run->command[n] != NULL)
		n++;
	words = memory_take(&memory, n + 2, sizeof(*words));
	memcpy(words, run->command, n * sizeof(*words));
	words[n] = word;
	run->command = words;
}

void run_append_arguments(struct run *run, const char *exe, const char *name)
{
	struct program_texts texts;
	const struct program program = program_of_command(exe, name, &texts);
	const struct policy *policy = &run->view.policy;
	const struct policy_rule *rule;
	const char *argument;

	if (view_settle(&run->view, &program, &rule) != SETTLED_RULE ||
	    policy_observes(policy))
		return;
	argument = policy_string(&run->view.in_force.tables, rule->arguments);
	for (; argument != NULL && *argument != '\0';
	     argument = policy_next_string(argument))
		append(run,
		       expand(argument,
			      policy->ranges[PROTOCOL_TCP][ROLE_OF_LISTEN]));
}
