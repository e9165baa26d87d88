/* SPDX-License-Identifier: MIT */
#include "policy/policy.h"

#include <errno.h>
#include <string.h>

static void copy_name(char rule[EVENT_RULE_SIZE], const char *name)
{
	const size_t length = strnlen(name, EVENT_RULE_SIZE - 1);

	memcpy(rule, name, length);
	memset(rule + length, 0, EVENT_RULE_SIZE - length);
}

/* The environment's policy, but with another range. */
static void fill(const struct environment *environment,
		 const struct port_set *range, struct policy *policyp)
{
	*policyp = (struct policy){ .is_guess = environment->is_refused };
	for (int protocol = 0; protocol < N_PROTOCOLS; protocol++) {
		for (int role = 0; role < N_ROLES; role++)
			policyp->ranges[protocol][role] = range;
		policyp->avoided[protocol] = &environment->reserved;
		policyp->dynamic[protocol] = range;
	}
	memcpy(policyp->settings, environment->settings,
	       sizeof(policyp->settings));
	copy_name(policyp->rule, "environment");
}

void policy_of_environment(const struct environment *environment,
			   struct policy *policyp)
{
	fill(environment, &environment->range, policyp);
}

/* The policy of a process that cannot follow the policy in force. */
static void policy_of_none(const struct environment *environment,
			   enum on_error on_error, struct policy *policyp)
{
	static const struct port_set empty;

	/* Where there is no port to assign, the kernel chooses. */
	fill(environment, &empty, policyp);
	if (on_error == ON_ERROR_REFUSE)
		policyp->settings[SETTING_ON_ERROR] = ON_ERROR_REFUSE;
	policyp->is_guess = true;
	copy_name(policyp->rule, "not followed");
}

#define N_SETS_OF_RULE (N_PROTOCOLS * (N_ROLES + 4))

/* The sets of one rule. Most of them are the same few: each is checked once. */
struct taking {
	const struct policy_tables *tables;
	uint32_t indexes[N_SETS_OF_RULE];
	const struct port_set *sets[N_SETS_OF_RULE];
	size_t n_taken;
};

static bool take_set(struct taking *taking, uint32_t index,
		     const struct port_set **setp)
{
	for (size_t i = 0; i < taking->n_taken; i++) {
		if (taking->indexes[i] != index)
			continue;
		*setp = taking->sets[i];
		return true;
	}
	*setp = policy_set(taking->tables, index);
	if (*setp == NULL)
		return false;
	taking->indexes[taking->n_taken] = index;
	taking->sets[taking->n_taken++] = *setp;
	return true;
}

static bool take_sets(struct taking *taking, const struct policy_rule *rule,
		      int protocol, struct policy *policyp)
{
	for (int role = 0; role < N_ROLES; role++)
		if (!take_set(taking, rule->ranges[protocol][role],
			      &policyp->ranges[protocol][role]))
			return false;
	return take_set(taking, rule->avoided[protocol],
			&policyp->avoided[protocol]) &&
	       take_set(taking, rule->refused[protocol],
			&policyp->refused[protocol]) &&
	       take_set(taking, rule->owned[protocol],
			&policyp->owned[protocol]) &&
	       take_set(taking, taking->tables->image->dynamic[protocol],
			&policyp->dynamic[protocol]);
}

static bool take_settings(const struct policy_rule *rule,
			  const struct environment *environment,
			  struct policy *policyp)
{
	for (int i = 0; i < N_SETTINGS; i++) {
		if (setting_word((enum setting)i, rule->settings[i]) == NULL)
			return false;
		policyp->settings[i] = rule->settings[i];
	}
	if (environment->is_named[SETTING_LOG])
		policyp->settings[SETTING_LOG] =
			environment->settings[SETTING_LOG];
	if (environment->settings[SETTING_PIN] == PIN_NO)
		policyp->settings[SETTING_PIN] = PIN_NO;
	if (environment->settings[SETTING_ON_ERROR] == ON_ERROR_REFUSE)
		policyp->settings[SETTING_ON_ERROR] = ON_ERROR_REFUSE;
	return true;
}

int policy_of_rule(const struct policy_tables *tables,
		   const struct policy_rule *rule,
		   const struct environment *environment,
		   struct policy *policyp)
{
	struct taking taking = { .tables = tables };

	if (policy_rule_checksum(rule) != rule->checksum)
		return -EINVAL;
	for (int protocol = 0; protocol < N_PROTOCOLS; protocol++)
		if (!take_sets(&taking, rule, protocol, policyp))
			return -EINVAL;
	if (!take_settings(rule, environment, policyp))
		return -EINVAL;
	policyp->rest_ms = tables->image->rest_ms;
	policyp->is_guess = environment->is_refused;
	copy_name(policyp->rule, policy_string(tables, rule->name));
	return 0;
}

/* Returns the rule that applies, or NULL when anything of it is damaged. */
static const struct policy_rule *
take_rule(const struct policy_in_force *in_force, const struct program *program,
	  const struct environment *environment, struct policy *policyp)
{
	struct policy_tables tables;
	const struct policy_rule *rule;

	if (policy_image_open(in_force->image, in_force->size, &tables) < 0)
		return NULL;
	rule = policy_rule_of(&tables, program);
	*policyp = (struct policy){ .edition = 0 };
	return policy_of_rule(&tables, rule, environment, policyp) == 0 ? rule
									: NULL;
}

enum policy_settled policy_settle(const struct policy_in_force *in_force,
				  const struct program *program,
				  const struct environment *environment,
				  struct policy *policyp,
				  const struct policy_rule **rulep)
{
	enum policy_settled settled = SETTLED_NONE;
	const struct policy_rule *rule = NULL;

	if (in_force->image != NULL)
		settled = in_force->by_root || !environment->names_ports
				  ? SETTLED_RULE
				  : SETTLED_NAMED;
	if (settled == SETTLED_RULE) {
		rule = take_rule(in_force, program, environment, policyp);
		if (rule == NULL)
			settled = SETTLED_DAMAGED;
	}
	if (settled == SETTLED_DAMAGED)
		policy_of_none(environment, in_force->on_error, policyp);
	else if (rule == NULL)
		policy_of_environment(environment, policyp);
	if (rulep != NULL)
		*rulep = rule;
	return settled;
}
