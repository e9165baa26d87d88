/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "cli/output.h"
#include "cli/rules/rules.h"
#include "cli/rules/rules_scope.h"
#include "policy/image.h"

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
		       ? output_text(output, "%s:%d", place->file, place->line)
		       : output_text(output, "%s", place->file);
}

static char *list_of(struct output *output, size_t n, const char *const *values)
{
	char *text = NULL;

	for (size_t i = 0; i < n; i++)
		text = output_append(output, text, ",", values[i]);
	return text;
}

/* "exe=/usr/bin/a,/usr/bin/b uid=14" */
static char *match_of(struct output *output, const struct rule *rule)
{
	char *match = NULL;

	for (int i = 0; rule->process != NULL && i < N_CONDITIONS; i++) {
		const struct config_list *list = &rule->process->conditions[i];
		char *values = i == CONDITION_UID
				       ? list_of(output, rule->n_uids,
						 rule->uids)
				       : list_of(output, list->n, list->values);

		if (values != NULL) {
			match = output_append(output, match, " ",
					      condition_name(i));
			match = output_append(output, match, "=", values);
		}
		free(values);
	}
	return match != NULL ? match : output_text(output, "any");
}

/* What all rows of a rule have in common. */
struct rule_texts {
	char *place, *match;
};

static void print_assigned(struct output *output, const struct rule *rule,
			   const struct rule_texts *texts,
			   const struct port_set *assigned,
			   const struct scope *scope)
{
	char *ports = output_ports(output, assigned);

	for (unsigned int roles = 1; roles <= ALL_ROLES; roles++) {
		const struct scope_text protocols = scope_protocols(scope,
								    roles, ",");

		if (*protocols.text == '\0')
			continue;
		output_row(output, rule->name, texts->place, texts->match,
			   protocols.text, scope_roles(roles, ",").text,
			   output_number(assigned->n_ports).text, ports,
			   setting_word(SETTING_ALGORITHM,
					rule->settings[SETTING_ALGORITHM]),
			   setting_word(SETTING_MODE,
					rule->settings[SETTING_MODE]));
	}
	free(ports);
}

static void print_rule(struct output *output, const struct rule *rule)
{
	const struct rule_texts texts = {
		.place = place_of(output, &rule->place),
		.match = match_of(output, rule),
	};
	struct scope scope;

	for (int pair = 0; pair < N_PAIRS; pair++)
		if (scope_of_assigned(rule, pair, &scope))
			print_assigned(output, rule, &texts,
				       rule_assigned_of(rule, pair), &scope);
	free(texts.place);
	free(texts.match);
}

/* Marks all protocols with the same ports as this one. Returns false if an
 * earlier one has them, so that each set is printed once. */
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

static void print_reserve(struct output *output,
			  const struct rule_reserve *reserve)
{
	const struct config_reserve *config = reserve->config;
	char *place = place_of(output, &config->head.place);
	char *owners = list_of(output, config->owners.n, config->owners.values);
	bool any = false;
	struct scope scope;

	for (int protocol = 0; protocol < N_PROTOCOLS; protocol++) {
		char *ports;

		if (reserve->ports[protocol]->n_ports == 0 ||
		    !scope_of_reserve(reserve, protocol, &scope))
			continue;
		any = true;
		ports = output_ports(output, reserve->ports[protocol]);
		output_row(output, config->head.name, place,
			   scope_protocols(&scope, ALL_ROLES, ",").text, ports,
			   owners);
		free(ports);
	}
	if (!any)
		output_row(output, config->head.name, place, NULL, NULL,
			   owners);
	free(place);
	free(owners);
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
