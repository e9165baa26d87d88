/* SPDX-License-Identifier: MIT */
#include "policy_image_here.h"

TestSuite(policy_rule, .init = setup);

static struct program program(const char *exe, const char *name,
			      const char *uid, const char *profile)
{
	return (struct program){ {
		[CONDITION_EXE] = exe,
		[CONDITION_NAME] = name,
		[CONDITION_UID] = uid,
		[CONDITION_PROFILE] = profile,
	} };
}

static void assert_rule(const char *exe, const char *name, const char *uid,
			const char *profile, const char *expected)
{
	const struct program who = program(exe, name, uid, profile);
	const struct policy_rule *rule = policy_rule_of(&tables, &who);

	cr_assert_str_eq(string_at(rule->name), expected, "%s, not %s",
			 string_at(rule->name), expected);
}

Test(policy_rule, a_rule_applies_when_all_its_conditions_hold)
{
	assert_rule("/opt/x/y", "y", "0", NULL, "first");
	assert_rule("/usr/bin/awk", "awk", "0", NULL, "first");
	assert_rule("/usr/bin/bash", "bash", "0", NULL, "default");
	assert_rule("/opt/x/y", "y", "1", NULL, "default");
	assert_rule("/bin/worker", "worker", "1", "ci", "second");
	assert_rule("/bin/worker", "worker", "1", "cx", "default");
	assert_rule("/bin/workers", "workers", "1", "ci", "default");
}

Test(policy_rule, of_a_list_any_may_match)
{
	assert_rule("/opt/y", "y", "1000", NULL, "first");
	assert_rule("/usr/bin/a", "a", "1000", NULL, "first");
	assert_rule("/opt/y", "y", "100", NULL, "default");
	assert_rule("/opt/y", "y", "10000", NULL, "default");
	assert_rule("/x", "worker", "1", "ci-7", "second");
	assert_rule("/x", "worker", "1", "nightly", "second");
	assert_rule("/x", "worker", "1", "", "default");
	/* What lies behind the end of the list is none of it. */
	assert_rule("/x", "worker", "1", "databases", "default");
}

Test(policy_rule, the_first_rule_that_applies_is_taken)
{
	assert_rule("/opt/worker", "worker", "0", "ci", "first");
	assert_rule("/opt/worker", "worker", "7", "ci", "second");
	assert_rule("/opt/worker", "worker", "7", NULL, "default");
}

Test(policy_rule, what_is_not_known_matches_nothing)
{
	assert_rule(NULL, "y", "0", NULL, "default");
	assert_rule("/opt/y", NULL, NULL, NULL, "default");
	assert_rule(NULL, NULL, NULL, NULL, "default");
	assert_rule(NULL, "worker", NULL, "ci", "second");
	/* Not even a pattern for anything. */
	image.matches[FIRST].conditions[CONDITION_EXE] = LIST("**");
	finish();
	cr_assert_eq(open_image(), 0);
	assert_rule("", "y", "0", NULL, "first");
	assert_rule(NULL, "y", "0", NULL, "default");
}

Test(policy_rule, the_last_rule_applies_whatever_it_says)
{
	image.matches[DEFAULT].conditions[CONDITION_NAME] = LIST("nobody");
	finish();
	cr_assert_eq(open_image(), 0);
	assert_rule("/x", "x", "7", NULL, "default");
}

static void assert_failed(int rule, const struct program *who,
			  enum condition expected)
{
	enum condition failed = N_CONDITIONS;

	cr_assert_not(policy_rule_applies(&tables, &tables.rules[rule], who,
					  &failed));
	cr_assert_eq(failed, expected, "%d", (int)failed);
	cr_assert_not(
		policy_rule_applies(&tables, &tables.rules[rule], who, NULL));
}

Test(policy_rule, the_first_condition_that_fails_is_told)
{
	const struct program none = { { NULL } };
	const struct program other_uid = program("/opt/y", "y", "7", NULL);
	const struct program other_name = program("/x", "x", "0", "ci");
	const struct program other_profile = program("/x", "worker", "0", NULL);
	const struct program right = program("/opt/y", "worker", "0", "ci");
	enum condition failed = N_CONDITIONS;

	assert_failed(FIRST, &none, CONDITION_EXE);
	assert_failed(FIRST, &other_uid, CONDITION_UID);
	assert_failed(SECOND, &other_name, CONDITION_NAME);
	assert_failed(SECOND, &other_profile, CONDITION_PROFILE);
	for (int i = 0; i < N_RULES; i++)
		cr_assert(policy_rule_applies(&tables, &tables.rules[i], &right,
					      &failed));
	cr_assert_eq(failed, N_CONDITIONS);
	cr_assert(policy_rule_applies(&tables, &tables.rules[DEFAULT], &none,
				      NULL));
}

Test(policy_rule, every_condition_has_its_name)
{
	cr_assert_str_eq(condition_name(CONDITION_EXE), "exe");
	cr_assert_str_eq(condition_name(CONDITION_NAME), "name");
	cr_assert_str_eq(condition_name(CONDITION_UID), "uid");
	cr_assert_str_eq(condition_name(CONDITION_PROFILE), "profile");
}

Test(policy_rule, a_rule_is_a_policy_with_its_sets_and_settings)
{
	struct policy policy;

	image.rules[FIRST].settings[SETTING_MODE] = MODE_OBSERVE;
	finish();
	cr_assert_eq(open_image(), 0);
	environment.settings[SETTING_PIN] = PIN_YES;
	cr_assert_eq(policy_of_rule(&tables, &tables.rules[FIRST], &environment,
				    &policy),
		     0);
	cr_expect_str_eq(policy.rule, "first");
	cr_expect_eq(policy.rest_ms, 1500);
	cr_expect_eq(policy.settings[SETTING_MODE], MODE_OBSERVE);
	cr_expect_eq(policy.settings[SETTING_PIN], PIN_YES);
	cr_expect_eq(policy.settings[SETTING_LOG], LOG_START);
	for (int protocol = 0; protocol < N_PROTOCOLS; protocol++) {
		cr_expect_eq(policy.ranges[protocol][ROLE_OF_CONNECT],
			     &image.sets[LOW].ports);
		cr_expect_eq(policy.ranges[protocol][ROLE_OF_LISTEN],
			     &image.sets[HIGH].ports);
		cr_expect_not(policy_has(policy.refused[protocol], 40000));
		cr_expect(policy_has(policy.owned[protocol], 40000));
		cr_expect(policy_has(policy.dynamic[protocol], 20000));
	}
}

Test(policy_rule, the_environment_adds_what_it_may)
{
	struct policy policy;

	environment.settings[SETTING_PIN] = PIN_NO;
	environment.settings[SETTING_ON_ERROR] = ON_ERROR_REFUSE;
	environment.settings[SETTING_LOG] = LOG_STDERR;
	environment.settings[SETTING_ALGORITHM] = 1;
	environment.settings[SETTING_MODE] = MODE_OBSERVE;
	cr_assert_eq(policy_of_rule(&tables, tables.rules, &environment,
				    &policy),
		     0);
	cr_expect_eq(policy.settings[SETTING_PIN], PIN_NO);
	cr_expect_eq(policy.settings[SETTING_ON_ERROR], ON_ERROR_REFUSE);
	cr_expect_eq(policy.settings[SETTING_LOG], LOG_START);
	cr_expect_eq(policy.settings[SETTING_ALGORITHM],
		     setting_default(SETTING_ALGORITHM));
	cr_expect_eq(policy.settings[SETTING_MODE], MODE_ENFORCE);
	environment.is_named[SETTING_LOG] = true;
	cr_assert_eq(policy_of_rule(&tables, tables.rules, &environment,
				    &policy),
		     0);
	cr_expect_eq(policy.settings[SETTING_LOG], LOG_STDERR);
}

static enum policy_settled settle(bool by_root, struct policy *policyp,
				  const struct policy_rule **rulep)
{
	const struct policy_in_force in_force = {
		.image = &image,
		.size = sizeof(image),
		.by_root = by_root,
	};
	const struct program nobody = { .values = { NULL } };

	memset(policyp, '#', sizeof(*policyp));
	return policy_settle(&in_force, &nobody, &environment, policyp, rulep);
}

Test(policy_rule, roots_policy_holds_else_the_environment_that_names_ports)
{
	struct policy policy;
	const struct policy_rule *rule;

	finish();
	cr_expect_eq(settle(false, &policy, &rule), SETTLED_RULE);
	cr_expect_eq(rule, policy_rule_of(&tables, &(struct program){ { 0 } }));
	environment.names_ports = true;
	cr_expect_eq(settle(true, &policy, &rule), SETTLED_RULE);
	cr_expect_eq(policy.ranges[PROTOCOL_TCP][ROLE_OF_CONNECT],
		     policy_set(&tables, rule->ranges[0][0]));
	cr_expect_eq(settle(false, &policy, &rule), SETTLED_NAMED);
	cr_expect_null(rule);
	cr_expect_str_eq(policy.rule, "environment");
	cr_expect_not(policy.is_guess);
	cr_expect_eq(policy_settle(&(struct policy_in_force){ 0 },
				   &(struct program){ { 0 } }, &environment,
				   &policy, NULL),
		     SETTLED_NONE);
	cr_expect_str_eq(policy.rule, "environment");
}

Test(policy_rule, a_damaged_policy_leaves_ports_to_the_kernel)
{
	const struct policy_rule *rule;
	struct policy policy;

	finish();
	for (uint32_t i = 0; i < N_SETS; i++)
		image.sets[i].ports.words[7] ^= 1;
	cr_expect_eq(settle(true, &policy, &rule), SETTLED_DAMAGED);
	cr_expect_null(rule);
	cr_expect_eq(policy.ranges[PROTOCOL_UDP][ROLE_OF_LISTEN]->n_ports, 0);
	cr_expect(policy.is_guess);
	cr_expect_not(policy_refuses_all(&policy));
	image.header.magic++;
	environment.settings[SETTING_ON_ERROR] = ON_ERROR_REFUSE;
	cr_expect_eq(settle(true, &policy, &rule), SETTLED_DAMAGED);
	cr_expect(policy_refuses_all(&policy));
}

static void assert_no_policy(void)
{
	struct policy policy;

	finish();
	cr_assert_eq(open_image(), 0);
	cr_assert_eq(policy_of_rule(&tables, tables.rules, &environment,
				    &policy),
		     -EINVAL);
	setup();
}

Test(policy_rule, a_rule_with_a_set_or_a_setting_out_of_range_is_none)
{
	image.rules[FIRST].ranges[PROTOCOL_SCTP][ROLE_OF_LISTEN] = N_SETS;
	assert_no_policy();
	image.rules[FIRST].avoided[PROTOCOL_TCP] = UINT32_MAX;
	assert_no_policy();
	image.rules[FIRST].refused[PROTOCOL_UDP] = N_SETS;
	assert_no_policy();
	image.rules[FIRST].owned[PROTOCOL_UDPLITE] = N_SETS;
	assert_no_policy();
	image.header.dynamic[PROTOCOL_TCP] = N_SETS;
	assert_no_policy();
	for (int i = 0; i < N_SETTINGS; i++) {
		image.rules[FIRST].settings[i] = 200;
		assert_no_policy();
	}
	image.sets[HIGH].ports.words[3] ^= 1;
	assert_no_policy();
}

Test(policy_rule, a_long_name_is_cut)
{
	static const char name[] =
		"a-name-that-is-longer-than-an-event-has-room-for";
	struct policy policy;

	image.rules[FIRST].name = LIST(name);
	finish();
	cr_assert_eq(open_image(), 0);
	memset(&policy, '#', sizeof(policy));
	cr_assert_eq(policy_of_rule(&tables, tables.rules, &environment,
				    &policy),
		     0);
	cr_assert_eq(strlen(policy.rule), EVENT_RULE_SIZE - 1);
	cr_assert_eq(strncmp(policy.rule, name, EVENT_RULE_SIZE - 1), 0);
}
