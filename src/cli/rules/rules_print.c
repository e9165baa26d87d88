/* SPDX-License-Identifier: MIT */
#include "cli/output.h"
#include "cli/rules/rules.h"
#include "cli/rules/rules_scope.h"
#include "policy/image.h"

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
	.kind = "reservation", .key = "reservations",
	.title = "Reservations",
	.columns = {
		{ "name", 12, false },
		{ "place", 16, false },
		{ "protocol", 22, false },
		{ "ports", 23, false },
		{ "owners", 12, false },
	},
};

static char *place_of(struct output *output, const struct location *place)
{
	return place->line > 0
		       ? memory_print(&output->memory, "%s:%d", place->file,
				      place->line)
		       : memory_print(&output->memory, "%s", place->file);
}

static char *list_of(struct output *output, const struct config_list *list)
{
	char *text = NULL;

	for (size_t i = 0; i < list->n; i++)
		text = memory_append(&output->memory, text, ",",
				     list->values[i]);
	return text;
}

/* "exe=/usr/bin/a,/usr/bin/b uid=14" */
static const char *match_of(struct output *output, const struct rule *rule)
{
	char *match = NULL;

	for (int i = 0; i < N_CONDITIONS; i++) {
		const char *values = list_of(output, &rule->conditions[i]);

		if (values == NULL)
			continue;
		match = memory_append(&output->memory, match, " ",
				      condition_name(i));
		match = memory_append(&output->memory, match, "=", values);
	}
	return match != NULL ? match : "any";
}

static bool is_same_assigned(const void *rule, int a, int b)
{
	return rule_assigned_of(rule, a) == rule_assigned_of(rule, b);
}

static void print_rule(struct output *output, const struct rule *rule)
{
	struct memory *memory = &output->memory;
	const char *place = place_of(output, &rule->place);
	const char *match = match_of(output, rule);

	for (int pair = 0; pair < N_PAIRS; pair++) {
		const unsigned int pairs = scope_of(pair, rule,
						    is_same_assigned);
		const struct port_set *assigned = rule_assigned_of(rule, pair);

		for (unsigned int roles = 1; roles <= ALL_ROLES; roles++) {
			const char *protocols = scope_protocols(memory, pairs,
								roles, ",");

			if (protocols == NULL)
				continue;
			output_row(
				output, rule->name, place, match, protocols,
				scope_roles(memory, roles, ","),
				output_number(assigned->n_ports).text,
				output_ports(output, assigned),
				setting_word(SETTING_ALGORITHM,
					     rule->settings[SETTING_ALGORITHM]),
				setting_word(SETTING_MODE,
					     rule->settings[SETTING_MODE]));
		}
	}
}

static bool is_same_reserved(const void *context, int a, int b)
{
	const struct rule_reserve *reserve = context;

	return reserve->ports[PAIR_PROTOCOL(a)] ==
	       reserve->ports[PAIR_PROTOCOL(b)];
}

static void print_reserve(struct output *output,
			  const struct rule_reserve *reserve)
{
	const struct config_section *config = reserve->config;
	const char *place = place_of(output, &config->place);
	const char *owners = list_of(output, &config->owners);
	bool any = false;

	for (int pair = 0; pair < N_PAIRS; pair += N_ROLES) {
		const struct port_set *ports =
			reserve->ports[PAIR_PROTOCOL(pair)];
		const unsigned int pairs = scope_of(pair, reserve,
						    is_same_reserved);

		if (ports->n_ports == 0 || pairs == 0)
			continue;
		any = true;
		output_row(output, config->name, place,
			   scope_protocols(&output->memory, pairs, ALL_ROLES,
					   ","),
			   output_ports(output, ports), owners);
	}
	if (!any)
		output_row(output, config->name, place, NULL, NULL, owners);
}

void rules_print(const struct rules *rules, struct output *output)
{
	output_section(output, &rule_section);
	for (size_t i = 0; i < rules->n_rules; i++)
		print_rule(output, &rules->rules[i]);
	output_section(output, &reserve_section);
	for (size_t i = 0; i < rules->n_reserves; i++)
		print_reserve(output, &rules->reserves[i]);
}
