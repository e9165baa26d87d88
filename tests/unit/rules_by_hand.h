/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A configuration made by hand, without a file, and what becomes of it.
 */

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/rules/rules.h"
#include "kernel/kernel.h"
#include "kernel/ports_text.h"

#define N_MANY 1000
#define N_ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))

static struct kernel kernel = {
	.port_range = { 20000, 29999 },
	.reserved_known = true,
};
static struct config_section processes[N_MANY];
static struct config_section reserves[N_MANY];
static struct config config = {
	.path = "conf",
	.processes = processes,
	.reserves = reserves,
};
static struct findings findings;
static struct rules rules;

static inline struct config_text at(int line, const char *value)
{
	return (struct config_text){ value, { "conf", line } };
}

#define LIST(line, ...) \
	{ \
		N_ELEMENTS(((const char *const[]){ __VA_ARGS__ })), \
			(const char *const[]){ __VA_ARGS__ }, \
		{ \
			"conf", line \
		} \
	}

static inline struct config_section *add_process(int line, const char *name)
{
	struct config_section *process = &processes[config.n_processes++];

	*process = (struct config_section){
		.name = name,
		.place = { "conf", line },
	};
	return process;
}

/* One that matches by its name. */
static inline struct config_section *add_program(int line, const char *name)
{
	struct config_section *process = add_process(line, name);

	process->conditions[CONDITION_NAME] = (struct config_list){
		1,
		&process->name,
		{ "conf", line },
	};
	return process;
}

static inline struct config_section *add_reserve(int line, const char *name,
						 const char *ports)
{
	struct config_section *reserve = &reserves[config.n_reserves++];

	*reserve = (struct config_section){
		.name = name,
		.place = { "conf", line },
		.ports = at(line, ports),
	};
	return reserve;
}

static inline void make(void)
{
	const int result = rules_make(&rules, &config, &kernel, &findings);

	if (result < 0)
		findings_print(&findings, stderr);
	cr_assert_eq(result, 0);
	cr_assert_eq(findings.n_items, 0);
}

/* Compares all that has been found, in the order of lines. */
static inline void assert_findings(const char *expected)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	findings_print(&findings, stream);
	fclose(stream);
	cr_assert_str_eq(text, expected, "%s--- not ---\n%s", text, expected);
	free(text);
}

static inline void assert_refused(const char *expected)
{
	cr_assert_eq(rules_make(&rules, &config, &kernel, &findings), -EINVAL);
	assert_findings(expected);
	rules_deinit(&rules);
	findings_deinit(&findings);
	findings = (struct findings){ .items = NULL };
}

static inline void assert_ports(const struct port_set *set,
				const char *expected)
{
	char text[256];

	range_text_format(set, text, sizeof(text));
	cr_assert_str_eq(text, expected, "%s, not %s", text, expected);
}

static inline void assert_range(size_t rule, enum protocol protocol,
				enum role role, const char *expected, int line)
{
	const struct rule_range *range =
		&rules.rules[rule].ranges[protocol][role];

	assert_ports(range->ports, expected);
	cr_assert_eq(range->place.line, line, "%d, not %d", range->place.line,
		     line);
}
