/* SPDX-License-Identifier: MIT */
#include "cli/rules/maker.h"
#include "cli/rules/rules_scope.h"

#define PRIVILEGED_MAX 1023 /* PROT_SOCK - 1 in include/net/sock.h */

/*
 * Inherited ranges that were checked, and how: a fault of such a range is
 * reported once. The defaults are checked first: they have the range for all
 * protocols and roles for which a section may inherit it.
 */
struct seen {
	struct rule_range range;
	bool carves, privileged;
};

struct check {
	struct maker *maker;
	struct seen *seen;
	size_t n_seen;
};

static bool is_seen(struct check *check, const struct scope *scope)
{
	const struct rule *rule = scope->rule;
	const struct rule_range *range = scope->range;

	for (size_t i = 0; i < check->n_seen; i++) {
		const struct seen *seen = &check->seen[i];

		if (seen->range.ports == range->ports &&
		    seen->range.place.file == range->place.file &&
		    seen->range.place.line == range->place.line &&
		    seen->carves == rule->carves &&
		    seen->privileged == rule->privileged)
			return true;
	}
	*memory_add(&check->maker->rules->memory, &check->seen,
		    &check->n_seen) = (struct seen){
		*range,
		rule->carves,
		rule->privileged,
	};
	return false;
}

static void check_privileged(struct maker *maker, const struct scope *scope)
{
	struct port_set found = *scope->range->ports, high = { .n_ports = 0 };
	uint32_t lo, hi;

	if (scope->rule->privileged ||
	    !port_set_next_run(&found, 0, &lo, &hi) || lo > PRIVILEGED_MAX)
		return;
	port_set_add(&high, PRIVILEGED_MAX + 1, N_PORTS - 1);
	port_set_subtract(&found, &high);
	scope_tell(scope, SEVERITY_ERROR, maker->findings, " has ", &found,
		   ", below 1024; say privileged = \"yes\" if they are to be "
		   "assigned");
}

/* Reports an overlap with a reservation, and returns whether there is one. */
static bool check_reserve(struct maker *maker, const struct scope *scope,
			  const struct rule_reserve *reserve)
{
	const struct config_section *config = reserve->config;
	struct port_set *common = maker_scratch(maker);
	struct scope met = { scope->rule, scope->range, 0 };

	for (int pair = 0; pair < N_PAIRS; pair++)
		if (scope->pairs >> pair & 1 &&
		    port_set_add_common(common, scope->range->ports,
					reserve->ports[PAIR_PROTOCOL(pair)]))
			met.pairs |= 1u << pair;
	if (met.pairs == 0)
		return false;
	scope_tell(&met, SEVERITY_ERROR, maker->findings,
		   memory_print(&maker->findings->memory,
				"%s overlaps reservation \"%s\" at %s:%d: ",
				scope->range->place.file == NULL
					? " (iana, the default)"
					: "",
				config->name, config->ports.place.file,
				config->ports.place.line),
		   common, "; say overlap = \"carve\" to leave them out");
	return true;
}

static bool meets_reserved(const struct maker *maker, const struct scope *scope)
{
	const struct port_set *last = NULL;

	/* Protocols mostly share one set, which is compared once. */
	for (int protocol = 0; protocol < N_PROTOCOLS; protocol++) {
		const struct port_set *reserved = maker->reserved[protocol];

		if (scope_roles_of(scope->pairs, protocol) == 0 ||
		    reserved == last)
			continue;
		last = reserved;
		if (port_set_meets(scope->range->ports, reserved))
			return true;
	}
	return false;
}

static bool check_reserves(struct maker *maker, const struct scope *scope)
{
	bool found = false;

	if (scope->rule->carves || !meets_reserved(maker, scope))
		return false;
	for (size_t i = 0; i < maker->rules->n_reserves; i++)
		found |= check_reserve(maker, scope,
				       &maker->rules->reserves[i]);
	return found;
}

static void check_empty(struct maker *maker, const struct scope *scope)
{
	struct scope empty = { scope->rule, scope->range, 0 };

	for (int pair = 0; pair < N_PAIRS; pair++)
		if (scope->pairs >> pair & 1 &&
		    rule_assigned_of(scope->rule, pair)->n_ports == 0)
			empty.pairs |= 1u << pair;
	if (empty.pairs != 0)
		scope_tell(&empty, SEVERITY_ERROR, maker->findings,
			   " is empty: all of it, ", scope->range->ports,
			   ", is reserved");
}

static void check_rule(struct check *check, const struct rule *rule)
{
	struct maker *maker = check->maker;
	struct scope scope;

	for (int pair = 0; pair < N_PAIRS; pair++) {
		const struct rule_range *range = rule_range_of(rule, pair);
		const bool defaults = rule->process == NULL;

		/* A range without a port was refused before. */
		if (range->ports->n_ports == 0 ||
		    !scope_of_range(rule, pair, &scope))
			continue;
		if ((defaults || range->inherited) && is_seen(check, &scope))
			continue;
		check_privileged(maker, &scope);
		if (!check_reserves(maker, &scope))
			check_empty(maker, &scope);
	}
}

void rules_check(struct maker *maker)
{
	const struct rules *rules = maker->rules;
	struct check check = { .maker = maker };

	check_rule(&check, &rules->rules[rules->n_rules - 1]);
	for (size_t i = 0; i + 1 < rules->n_rules; i++)
		check_rule(&check, &rules->rules[i]);
}
