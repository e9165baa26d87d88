/* SPDX-License-Identifier: MIT */
#include "cli/rules/rules_print.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/rules/rules.h"
#include "cli/rules/rules_scope.h"
#include "kernel/ports_text.h"
#include "policy/image.h"

#define N_ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))
#define ALL_ROLES ((1u << N_ROLES) - 1)

static const struct output_section rule_section = {
	.kind = "rule", .key = "rules", .title = "Rules, the first that "
	"matches applies",
	.columns = {
		{ "rule", 12, false },
		{ "place", 16, false },
		{ "match", 20, false },
		{ "protocol", 22, false },
		{ "role", 14, false },
		{ "n_ports", 7, true },
		{ "ports", 23, false },
		{ "algorithm", 17, false },
		{ "mode", 7, false },
	},
};
static const struct output_section reserve_section = {
	.kind = "reserve", .key = "reserves", .title = "Reservations",
	.columns = {
		{ "name", 12, false },
		{ "place", 16, false },
		{ "protocol", 22, false },
		{ "ports", 23, false },
		{ "owners", 12, false },
	},
};

/* Texts of any length, and whether memory was short for one. */
struct printer {
	struct output *output;
	bool failed;
};

/* Returns NULL without memory. To be freed. */
static char *ports_of(struct printer *printer, const struct port_set *set)
{
	char *text = output_ports(set);

	printer->failed |= text == NULL;
	return text;
}

static char *place_of(struct printer *printer, const struct location *place)
{
	char *text = NULL;
	const int result = place->line > 0
		? asprintf(&text, "%s:%d", place->file, place->line)
		: asprintf(&text, "%s", place->file);

	if (result >= 0)
		return text;
	printer->failed = true;
	return NULL;
}

static void write_list(FILE *stream, size_t n, const char *const *values)
{
	for (size_t i = 0; i < n; i++)
		fprintf(stream, "%s%s", i > 0 ? "," : "", values[i]);
}

/* "exe=/usr/bin/a,/usr/bin/b uid=14"; NULL without memory. */
static char *match_of(struct printer *printer, const struct rule *rule)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);
	bool any = true;

	for (int i = 0; stream != NULL && rule->process != NULL &&
	     i < N_CONDITIONS; i++) {
		const struct config_list *list = &rule->process->conditions[i];

		if (list->n == 0)
			continue;
		fprintf(stream, "%s%s=", any ? "" : " ",
			condition_name((enum condition)i));
		if (i == CONDITION_UID)
			write_list(stream, rule->n_uids, rule->uids);
		else
			write_list(stream, list->n, list->values);
		any = false;
	}
	if (stream != NULL && any)
		fputs("any", stream);
	if (stream == NULL || fclose(stream) != 0)
		printer->failed = true;
	return text;
}

static char *list_of(struct printer *printer, const struct config_list *list)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	if (stream != NULL)
		write_list(stream, list->n, list->values);
	if (stream == NULL || fclose(stream) != 0)
		printer->failed = true;
	return text;
}

/* What all rows of a rule have in common. */
struct rule_texts {
	char *place, *match;
};

static void print_assigned(struct printer *printer, const struct rule *rule,
			   const struct rule_texts *texts,
			   const struct port_set *assigned,
			   const struct scope *scope)
{
	char *ports = ports_of(printer, assigned);
	char n_ports[16];

	snprintf(n_ports, sizeof(n_ports), "%u", assigned->n_ports);
	for (unsigned int roles = 1; roles <= ALL_ROLES; roles++) {
		const struct scope_text protocols =
			scope_protocols(scope, roles, ",");

		if (*protocols.text == '\0')
			continue;
		output_row(printer->output,
			rule->name, texts->place, texts->match, protocols.text,
			scope_roles(roles, ",").text, n_ports, ports,
			setting_word(SETTING_ALGORITHM,
				     rule->settings[SETTING_ALGORITHM]),
			setting_word(SETTING_MODE,
				     rule->settings[SETTING_MODE]));
	}
	free(ports);
}

static void print_rule(struct printer *printer, const struct rule *rule)
{
	const struct rule_texts texts = {
		.place = place_of(printer, &rule->place),
		.match = match_of(printer, rule),
	};
	struct scope scope;

	for (int pair = 0; pair < N_PAIRS; pair++)
		if (scope_of_assigned(rule, pair, &scope))
			print_assigned(printer, rule, &texts,
				       rule_assigned_of(rule, pair), &scope);
	free(texts.place);
	free(texts.match);
}

/* Marks the protocols that have the same ports as one, which is the first. */
static bool scope_of_reserve(const struct rule_reserve *reserve, int protocol,
			     struct scope *scopep)
{
	*scopep = (struct scope){ 0 };
	for (int other = 0; other < N_PROTOCOLS; other++) {
		if (reserve->ports[other] != reserve->ports[protocol])
			continue;
		if (other < protocol)
			return false;
		scopep->roles[other] = ALL_ROLES;
	}
	return true;
}

static void print_reserve(struct printer *printer,
			  const struct rule_reserve *reserve)
{
	const struct config_reserve *config = reserve->config;
	char *place = place_of(printer, &config->head.place);
	char *owners = config->owners.n > 0
		? list_of(printer, &config->owners) : NULL;
	bool any = false;
	struct scope scope;

	for (int protocol = 0; protocol < N_PROTOCOLS; protocol++) {
		char *ports;

		if (reserve->ports[protocol]->n_ports == 0 ||
		    !scope_of_reserve(reserve, protocol, &scope))
			continue;
		any = true;
		ports = ports_of(printer, reserve->ports[protocol]);
		output_row(printer->output, config->head.name, place,
			   scope_protocols(&scope, ALL_ROLES, ",").text, ports,
			   owners);
		free(ports);
	}
	if (!any)
		output_row(printer->output, config->head.name, place, NULL, NULL,
			   owners);
	free(place);
	free(owners);
}

int rules_print(const struct rules *rules, struct output *output)
{
	struct printer printer = { .output = output };

	output_section(output, &rule_section);
	for (size_t i = 0; i < rules->n_rules; i++)
		print_rule(&printer, &rules->rules[i]);
	output_section(output, &reserve_section);
	for (size_t i = 0; i < rules->n_reserves; i++)
		print_reserve(&printer, &rules->reserves[i]);
	return printer.failed ? -ENOMEM : 0;
}
