/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <search.h>
#include <string.h>

#include "cli/rules/maker.h"
#include "kernel/kernel.h"
#include "kernel/ports_text.h"
#include "policy/environment.h"

/* --- what the parts share ------------------------------------------------- */

static void refuse(struct maker *maker, struct location place, const char *name,
		   struct finding_word word, const char *reason)
{
	findings_add(maker->findings, SEVERITY_ERROR, place, "%s: \"%s\" %s",
		     name, word.text, reason);
}

void maker_refuse(struct maker *maker, struct location place, const char *name,
		  const char *word, const char *reason)
{
	refuse(maker, place, name, findings_quote_text(word), reason);
}

void maker_refuse_ports(struct maker *maker, struct location place,
			const char *name, const struct range_error *error)
{
	refuse(maker, place, name,
	       findings_quote(error->word, error->word_length), error->reason);
}

struct port_set *maker_scratch(struct maker *maker)
{
	memset(&maker->scratch, 0, sizeof(maker->scratch));
	return &maker->scratch;
}

static int compare_sets(const void *a, const void *b)
{
	const struct port_set *left = a, *right = b;

	return memcmp(left->words, right->words, sizeof(left->words));
}

const struct port_set *maker_keep(struct maker *maker, struct port_set *set)
{
	struct port_set *const *found = tfind(set, &maker->kept, compare_sets);
	struct port_set *kept;

	if (found != NULL)
		return *found;
	port_set_finish(set);
	kept = memory_take(&maker->rules->memory, 1, sizeof(*kept));
	*kept = *set;
	if (tsearch(kept, &maker->kept, compare_sets) == NULL)
		memory_fail();
	return kept;
}

/* --- ranges --------------------------------------------------------------- */

#define EACH_PROTOCOL N_PROTOCOLS
#define EACH_ROLE N_ROLES

/* The ranges that one section gives, for a protocol or each, and for a role or
 * each; ports NULL = not given. */
struct given {
	struct rule_range ranges[N_PROTOCOLS + 1][N_ROLES + 1];
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

static void read_given(struct maker *maker,
		       const struct config_section *section,
		       const struct given *outer, struct given *given)
{
	given->outer = outer;
	for (int i = 0; i <= EACH_PROTOCOL; i++) {
		const struct config_ranges *config =
			i == EACH_PROTOCOL ? &section->ranges
					   : &section->by_protocol[i];
		struct rule_range *ranges = given->ranges[i];

		read_range(maker, &config->range, "range", &ranges[EACH_ROLE]);
		read_range(maker, &config->connect, "connect",
			   &ranges[ROLE_OF_CONNECT]);
		read_range(maker, &config->listen, "listen",
			   &ranges[ROLE_OF_LISTEN]);
	}
}

/* Of one section: the protocol's own first, and of these the role's. */
static const struct rule_range *find_given(const struct given *given,
					   enum protocol protocol,
					   enum role role)
{
	const struct rule_range *own =
		given->ranges[protocol == PROTOCOL_UDPLITE ? PROTOCOL_UDP
							   : protocol];
	const struct rule_range *any = given->ranges[EACH_PROTOCOL];
	const struct rule_range *const order[] = { &own[role], &own[EACH_ROLE],
						   &any[role],
						   &any[EACH_ROLE] };

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		if (order[i]->ports != NULL)
			return order[i];
	return NULL;
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

/* Looks in a rule for the same range, and returns what it is assigned of it; or
 * NULL. */
static const struct port_set *find_assigned(const struct rule *rule,
					    const struct port_set *ports,
					    const struct port_set *avoided)
{
	for (int pair = 0; pair < N_PAIRS; pair++)
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

/* The rule still has the ranges of the defaults, which are likely to be the
 * same. */
static void assign_ranges(struct maker *maker, const struct given *given,
			  struct rule *rule)
{
	for (int pair = 0; pair < N_PAIRS; pair++) {
		const enum protocol protocol = PAIR_PROTOCOL(pair);
		const enum role role = PAIR_ROLE(pair);
		const struct rule_range range = resolve(given, protocol, role);
		const struct port_set *avoided = rule->avoided[protocol];
		const struct port_set *assigned =
			find_assigned(rule, range.ports, avoided);

		rule->ranges[protocol][role] = range;
		rule->assigned[protocol][role] =
			assigned != NULL ? assigned
					 : assign(maker, range.ports, avoided);
	}
}

/* --- rules ---------------------------------------------------------------- */

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
	assign_ranges(maker, given, rule);
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
	assign_ranges(maker, &given, rule);
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
