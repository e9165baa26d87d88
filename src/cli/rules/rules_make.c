/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <search.h>

#include "cli/rules/maker.h"
#include "kernel/kernel.h"
#include "policy/environment.h"

/* The ranges that one section or block gives; ports NULL = not given. */
struct given_ranges {
	struct rule_range range, connect, listen;
};

struct given {
	struct given_ranges by_protocol[N_PROTOCOLS];
	struct given_ranges any;
	const struct given *outer; /* what is inherited, or NULL */
};

/* A refused range is empty; no other range is. */
static void read_range(struct maker *maker, const struct config_text *text,
		       const char *name, struct rule_range *range)
{
	struct range_error error;

	*range = (struct rule_range){ .place = text->place };
	if (text->value == NULL)
		return;
	if (range_text_parse(text->value, &maker->kernel->port_range,
			     maker_scratch(maker), &error) < 0)
		maker_refuse_ports(maker, text->place, name, &error);
	range->ports = maker_keep(maker, &maker->scratch);
}

static void read_ranges(struct maker *maker, const struct config_ranges *config,
			struct given_ranges *given)
{
	read_range(maker, &config->range, "range", &given->range);
	read_range(maker, &config->connect, "connect", &given->connect);
	read_range(maker, &config->listen, "listen", &given->listen);
}

static void read_given(struct maker *maker,
		       const struct config_section *section,
		       const struct given *outer, struct given *given)
{
	given->outer = outer;
	read_ranges(maker, &section->ranges, &given->any);
	for (int i = 0; i < N_PROTOCOLS; i++)
		read_ranges(maker, &section->by_protocol[i],
			    &given->by_protocol[i]);
}

static const struct rule_range *find_for_role(const struct given_ranges *given,
					      enum role role)
{
	const struct rule_range *own = role == ROLE_OF_LISTEN ? &given->listen
							      : &given->connect;

	if (own->ports != NULL)
		return own;
	return given->range.ports != NULL ? &given->range : NULL;
}

static const struct rule_range *find_given(const struct given *given,
					   enum protocol protocol,
					   enum role role)
{
	const enum protocol named = protocol == PROTOCOL_UDPLITE ? PROTOCOL_UDP
								 : protocol;
	const struct rule_range *found =
		find_for_role(&given->by_protocol[named], role);

	return found != NULL ? found : find_for_role(&given->any, role);
}

/* Innermost first. The outermost is built in, and has all ranges. */
static struct rule_range resolve(const struct given *given,
				 enum protocol protocol, enum role role)
{
	const struct given *from = given;
	const struct rule_range *found;
	struct rule_range range;

	while ((found = find_given(from, protocol, role)) == NULL)
		from = from->outer;
	range = *found;
	range.inherited = from != given;
	return range;
}

/* Looks among the first n_pairs of a rule for one with the same range, and
 * returns the ports that it is assigned; or NULL. */
static const struct port_set *find_assigned(const struct rule *rule,
					    int n_pairs,
					    const struct port_set *ports,
					    const struct port_set *avoided)
{
	for (int pair = 0; pair < n_pairs; pair++)
		if (rule_range_of(rule, pair)->ports == ports &&
		    rule->avoided[PAIR_PROTOCOL(pair)] == avoided)
			return rule_assigned_of(rule, pair);
	return NULL;
}

static const struct port_set *assign(struct maker *maker,
				     const struct port_set *ports,
				     const struct port_set *avoided)
{
	if (!port_set_meets(ports, avoided))
		return ports;
	maker->scratch = *ports;
	port_set_subtract(&maker->scratch, avoided);
	return maker_keep(maker, &maker->scratch);
}

/* defaults: the rule whose sets are likely to be the same, or NULL. */
static void assign_ranges(struct maker *maker, const struct given *given,
			  const struct rule *defaults, struct rule *rule)
{
	for (int pair = 0; pair < N_PAIRS; pair++) {
		const enum protocol protocol = PAIR_PROTOCOL(pair);
		const enum role role = PAIR_ROLE(pair);
		const struct rule_range range = resolve(given, protocol, role);
		const struct port_set *avoided = rule->avoided[protocol];
		const struct port_set *assigned =
			find_assigned(rule, pair, range.ports, avoided);

		if (assigned == NULL && defaults != NULL)
			assigned = find_assigned(defaults, N_PAIRS, range.ports,
						 avoided);
		if (assigned == NULL)
			assigned = assign(maker, range.ports, avoided);
		rule->ranges[protocol][role] = range;
		rule->assigned[protocol][role] = assigned;
	}
}

static void make_default_rule(struct maker *maker, const struct given *given,
			      struct rule *rule)
{
	*rule = (struct rule){
		.name = "default",
		.place = { .file = maker->config->path },
	};
	for (int i = 0; i < N_SETTINGS; i++)
		rule->settings[i] = setting_default(i);
	values_read_options(maker, &maker->config->top, rule);
	reserves_apply(maker, rule);
	assign_ranges(maker, given, NULL, rule);
}

static void make_rule(struct maker *maker, const struct given *outer,
		      const struct config_section *process,
		      const struct rule *defaults, struct rule *rule)
{
	struct given given;

	*rule = *defaults;
	rule->name = process->name;
	rule->place = process->place;
	rule->process = process;
	values_read_options(maker, process, rule);
	values_read_conditions(maker, rule);
	read_given(maker, process, outer, &given);
	reserves_apply(maker, rule);
	assign_ranges(maker, &given, defaults, rule);
}

static void add_dynamic(struct maker *maker, enum protocol protocol)
{
	const struct rules *rules = maker->rules;
	struct port_set *set = maker_scratch(maker);
	const struct port_set *last = NULL;

	for (size_t i = 0; i < rules->n_rules; i++) {
		for (int role = 0; role < N_ROLES; role++) {
			const struct port_set *assigned =
				rules->rules[i].assigned[protocol][role];

			if (assigned != last)
				port_set_unite(set, assigned);
			last = assigned;
		}
	}
	maker->rules->dynamic[protocol] = maker_keep(maker, &maker->scratch);
}

static void leave_alone(void *set)
{
	(void)set;
}

static void make_all(struct maker *maker)
{
	static const struct config_section built_in_options = {
		.ranges.range.value = RANGE_DEFAULT,
	};
	const struct config *config = maker->config;
	struct rules *rules = maker->rules;
	struct given built_in, defaults;
	struct rule *last;

	maker->empty = maker_keep(maker, maker_scratch(maker));
	reserves_read(maker, values_read_top(maker));
	rules->n_rules = config->n_processes + 1;
	rules->rules = memory_take(&rules->memory, rules->n_rules,
				   sizeof(*rules->rules));
	last = &rules->rules[config->n_processes];
	read_given(maker, &built_in_options, NULL, &built_in);
	read_given(maker, &config->top, &built_in, &defaults);
	make_default_rule(maker, &defaults, last);
	for (size_t i = 0; i < config->n_processes; i++)
		make_rule(maker, &defaults, &config->processes[i], last,
			  &rules->rules[i]);
	for (int protocol = 0; protocol < N_PROTOCOLS; protocol++)
		add_dynamic(maker, protocol);
	rules_check(maker);
	tdestroy(maker->kept, leave_alone);
}

int rules_make(struct rules *rules, const struct config *config,
	       const struct kernel *kernel, struct findings *findings)
{
	const size_t n_before = findings->n_errors;
	struct maker maker = {
		.rules = rules,
		.config = config,
		.kernel = kernel,
		.findings = findings,
	};

	*rules = (struct rules){ .config = config };
	make_all(&maker);
	return findings->n_errors == n_before ? 0 : -EINVAL;
}

int rules_read(struct rules *rulesp, struct config *configp, const char *path,
	       const struct kernel *kernel, struct findings *findings)
{
	int result = config_read(configp, path, findings);

	*rulesp = (struct rules){ .config = NULL };
	if (result == 0)
		result = rules_make(rulesp, configp, kernel, findings);
	return result == 0 && findings->n_errors > 0 ? -EINVAL : result;
}

void rules_deinit(struct rules *rules)
{
	memory_free(&rules->memory);
	*rules = (struct rules){ .config = NULL };
}
