/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/image.h"
#include "policy/policy.h"

enum { FIRST, SECOND, DEFAULT, N_RULES };
enum { NOTHING, LOW, HIGH, N_SETS };

#define STRINGS_SIZE 256u

static struct {
	struct policy_image header;
	struct policy_match matches[N_RULES];
	char strings[STRINGS_SIZE];
	struct policy_rule rules[N_RULES];
	struct policy_reserve reserve;
	struct policy_set sets[N_SETS];
} image;

#define SETS_OFFSET offsetof(__typeof__(image), sets)

static uint32_t strings_end;
static struct policy_tables tables;
static struct environment environment;

/* A list of texts, the first of which is a string by itself; 0 for none. */
static uint32_t add_list(const char *const *texts)
{
	const uint32_t begin = strings_end;

	for (; *texts != NULL; texts++) {
		const size_t size = strlen(*texts) + 1;

		cr_assert_lt(strings_end + size, STRINGS_SIZE - 1);
		memcpy(image.strings + strings_end, *texts, size);
		strings_end += (uint32_t)size;
	}
	strings_end++;
	return begin;
}

#define LIST(...) add_list((const char *const[]){ __VA_ARGS__, NULL })

static void add_rule(int index, const char *name)
{
	struct policy_rule *rule = &image.rules[index];

	rule->name = LIST(name);
	rule->place = LIST("berth.conf:1");
	for (int protocol = 0; protocol < N_PROTOCOLS; protocol++) {
		rule->ranges[protocol][ROLE_OF_CONNECT] = LOW;
		rule->ranges[protocol][ROLE_OF_LISTEN] = HIGH;
		rule->refused[protocol] = index == FIRST ? NOTHING : HIGH;
		rule->owned[protocol] = index == FIRST ? HIGH : NOTHING;
	}
	for (int i = 0; i < N_SETTINGS; i++)
		rule->settings[i] = setting_default((enum setting)i);
}

static void add_set(int index, uint32_t lo, uint32_t hi)
{
	struct policy_set *set = &image.sets[index];

	if (lo <= hi)
		port_set_add(&set->ports, lo, hi);
	port_set_finish(&set->ports);
	set->checksum = policy_checksum(&set->ports, sizeof(set->ports));
}

static void finish(void)
{
	for (int i = 0; i < N_RULES; i++)
		image.rules[i].checksum = policy_rule_checksum(&image.rules[i]);
	image.header.rest_checksum = policy_image_rest_checksum(&image.header);
	image.header.checksum = policy_image_checksum(&image.header);
}

static int open_image(void)
{
	return policy_image_open(&image, sizeof(image), &tables);
}

/*
 * first: programs in /opt, or whose name begins with "a"; uid 0 or 1000.
 * second: a profile of "ci" or "ci-*". Then the default.
 */
static void setup(void)
{
	memset(&image, 0, sizeof(image));
	strings_end = 1;
	add_rule(FIRST, "first");
	add_rule(SECOND, "second");
	add_rule(DEFAULT, "default");
	image.matches[FIRST].conditions[CONDITION_EXE] =
		LIST("/opt/**", "/usr/bin/a*");
	image.matches[FIRST].conditions[CONDITION_UID] = LIST("0", "1000");
	image.matches[SECOND].conditions[CONDITION_NAME] = LIST("worker");
	image.matches[SECOND].conditions[CONDITION_PROFILE] =
		LIST("ci", "ci-*", "nightly");
	image.reserve = (struct policy_reserve){
		.name = LIST("databases"), .place = LIST("berth.conf:9"),
		.owners = LIST("first"), .ports = { HIGH, HIGH, HIGH, HIGH },
	};
	add_set(NOTHING, 1, 0);
	add_set(LOW, 20000, 29999);
	add_set(HIGH, 40000, 40999);
	image.header = (struct policy_image){
		.magic = POLICY_MAGIC,
		.format = POLICY_FORMAT,
		.rest_ms = 1500,
		.size = sizeof(image),
		.n_rules = N_RULES,
		.n_reserves = 1,
		.patterns_size = STRINGS_SIZE,
		.strings_size = STRINGS_SIZE,
		.n_sets = N_SETS,
		.loaded_at = 1700000000,
		.source = LIST("/etc/berth/berth.conf"),
		.dynamic = { LOW, LOW, LOW, LOW },
	};
	finish();
	cr_assert_eq(open_image(), 0);
}

TestSuite(policy_image, .init = setup);

static const char *string_at(uint32_t offset)
{
	return policy_string(&tables, offset);
}

Test(policy_image, all_its_tables_are_found)
{
	cr_assert_eq(tables.image, &image.header);
	cr_assert_eq(tables.rules, image.rules);
	cr_assert_eq(tables.reserves, &image.reserve);
	cr_assert_eq(tables.strings, image.strings);
	cr_assert_eq(tables.sets, image.sets);
	cr_assert_str_eq(string_at(tables.rules[SECOND].name), "second");
	cr_assert_str_eq(string_at(tables.reserves->name), "databases");
	cr_assert_str_eq(string_at(tables.image->source),
			 "/etc/berth/berth.conf");
}

Test(policy_image, memory_that_goes_on_behind_it_is_no_harm)
{
	cr_assert_eq(policy_image_open(&image, sizeof(image) + 4096, &tables),
		     0);
	cr_assert_eq(tables.sets, image.sets);
}

Test(policy_image, an_offset_that_leads_nowhere_is_an_empty_string)
{
	cr_assert_str_empty(string_at(0));
	cr_assert_str_empty(string_at(STRINGS_SIZE - 1));
	cr_assert_str_empty(string_at(STRINGS_SIZE));
	cr_assert_str_empty(string_at(UINT32_MAX));
}

Test(policy_image, a_list_is_gone_through_to_its_end)
{
	const uint32_t list =
		image.matches[SECOND].conditions[CONDITION_PROFILE];
	const char *text = string_at(list);

	cr_assert_str_eq(text, "ci");
	text = policy_next_string(text);
	cr_assert_str_eq(text, "ci-*");
	text = policy_next_string(text);
	cr_assert_str_eq(text, "nightly");
	cr_assert_null(policy_next_string(text));
}

Test(policy_image, a_set_is_found_by_its_index)
{
	cr_assert_eq(policy_set(&tables, NOTHING)->n_ports, 0);
	cr_assert_eq(policy_set(&tables, LOW)->n_ports, 10000);
	cr_assert(port_set_has(policy_set(&tables, HIGH), 40999));
	cr_assert_null(policy_set(&tables, N_SETS));
	cr_assert_null(policy_set(&tables, UINT32_MAX));
}

static struct program program(const char *exe, const char *name,
			      const char *uid, const char *profile)
{
	return (struct program){ {
		[CONDITION_EXE] = exe, [CONDITION_NAME] = name,
		[CONDITION_UID] = uid, [CONDITION_PROFILE] = profile,
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

Test(policy_image, a_rule_applies_when_all_its_conditions_hold)
{
	assert_rule("/opt/x/y", "y", "0", NULL, "first");
	assert_rule("/usr/bin/awk", "awk", "0", NULL, "first");
	assert_rule("/usr/bin/bash", "bash", "0", NULL, "default");
	assert_rule("/opt/x/y", "y", "1", NULL, "default");
	assert_rule("/bin/worker", "worker", "1", "ci", "second");
	assert_rule("/bin/worker", "worker", "1", "cx", "default");
	assert_rule("/bin/workers", "workers", "1", "ci", "default");
}

Test(policy_image, of_a_list_any_may_match)
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

Test(policy_image, the_first_rule_that_applies_is_taken)
{
	assert_rule("/opt/worker", "worker", "0", "ci", "first");
	assert_rule("/opt/worker", "worker", "7", "ci", "second");
	assert_rule("/opt/worker", "worker", "7", NULL, "default");
}

Test(policy_image, what_is_not_known_matches_nothing)
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

Test(policy_image, the_last_rule_applies_whatever_it_says)
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
	cr_assert_not(policy_rule_applies(&tables, &tables.rules[rule], who,
					  NULL));
}

Test(policy_image, the_first_condition_that_fails_is_told)
{
	const struct program none = { { NULL } };
	const struct program other_uid = program("/opt/y", "y", "7", NULL);
	const struct program other_name = program("/x", "x", "0", "ci");
	const struct program other_profile =
		program("/x", "worker", "0", NULL);
	const struct program right = program("/opt/y", "worker", "0", "ci");
	enum condition failed = N_CONDITIONS;

	assert_failed(FIRST, &none, CONDITION_EXE);
	assert_failed(FIRST, &other_uid, CONDITION_UID);
	assert_failed(SECOND, &other_name, CONDITION_NAME);
	assert_failed(SECOND, &other_profile, CONDITION_PROFILE);
	for (int i = 0; i < N_RULES; i++)
		cr_assert(policy_rule_applies(&tables, &tables.rules[i],
					      &right, &failed));
	cr_assert_eq(failed, N_CONDITIONS);
	cr_assert(policy_rule_applies(&tables, &tables.rules[DEFAULT], &none,
				      NULL));
}

Test(policy_image, every_condition_has_its_name)
{
	cr_assert_str_eq(condition_name(CONDITION_EXE), "exe");
	cr_assert_str_eq(condition_name(CONDITION_NAME), "name");
	cr_assert_str_eq(condition_name(CONDITION_UID), "uid");
	cr_assert_str_eq(condition_name(CONDITION_PROFILE), "profile");
}

Test(policy_image, a_rule_is_a_policy_with_its_sets_and_settings)
{
	struct policy policy;

	image.rules[FIRST].settings[SETTING_MODE] = MODE_OBSERVE;
	finish();
	cr_assert_eq(open_image(), 0);
	environment.settings[SETTING_PIN] = PIN_YES;
	cr_assert_eq(policy_of_rule(&tables, &tables.rules[FIRST],
				    &environment, &policy), 0);
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

Test(policy_image, the_environment_adds_what_it_may)
{
	struct policy policy;

	environment.settings[SETTING_PIN] = PIN_NO;
	environment.settings[SETTING_ON_ERROR] = ON_ERROR_REFUSE;
	environment.settings[SETTING_LOG] = LOG_STDERR;
	environment.settings[SETTING_ALGORITHM] = 1;
	environment.settings[SETTING_MODE] = MODE_OBSERVE;
	cr_assert_eq(policy_of_rule(&tables, tables.rules, &environment,
				    &policy), 0);
	cr_expect_eq(policy.settings[SETTING_PIN], PIN_NO);
	cr_expect_eq(policy.settings[SETTING_ON_ERROR], ON_ERROR_REFUSE);
	cr_expect_eq(policy.settings[SETTING_LOG], LOG_START);
	cr_expect_eq(policy.settings[SETTING_ALGORITHM],
		     setting_default(SETTING_ALGORITHM));
	cr_expect_eq(policy.settings[SETTING_MODE], MODE_ENFORCE);
	environment.is_named[SETTING_LOG] = true;
	cr_assert_eq(policy_of_rule(&tables, tables.rules, &environment,
				    &policy), 0);
	cr_expect_eq(policy.settings[SETTING_LOG], LOG_STDERR);
}

static enum policy_settled settle(bool by_root, struct policy *policyp,
				  const struct policy_rule **rulep)
{
	const struct policy_in_force in_force = {
		.image = &image, .size = sizeof(image), .by_root = by_root,
	};
	const struct program nobody = { .values = { NULL } };

	memset(policyp, '#', sizeof(*policyp));
	return policy_settle(&in_force, &nobody, &environment, policyp, rulep);
}

Test(policy_image, roots_policy_holds_else_the_environment_that_names_ports)
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
				   &policy, NULL), SETTLED_NONE);
	cr_expect_str_eq(policy.rule, "environment");
}

Test(policy_image, a_damaged_policy_leaves_ports_to_the_kernel)
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
				    &policy), -EINVAL);
	setup();
}

Test(policy_image, a_rule_with_a_set_or_a_setting_out_of_range_is_none)
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

Test(policy_image, a_long_name_is_cut)
{
	static const char name[] =
		"a-name-that-is-longer-than-an-event-has-room-for";
	struct policy policy;

	image.rules[FIRST].name = LIST(name);
	finish();
	cr_assert_eq(open_image(), 0);
	memset(&policy, '#', sizeof(policy));
	cr_assert_eq(policy_of_rule(&tables, tables.rules, &environment,
				    &policy), 0);
	cr_assert_eq(strlen(policy.rule), EVENT_RULE_SIZE - 1);
	cr_assert_eq(strncmp(policy.rule, name, EVENT_RULE_SIZE - 1), 0);
}

/* What finds a rule is checked by open, the rest before it is used or shown. */
static bool is_noticed(void)
{
	return open_image() == -EINVAL || !policy_image_verify(&tables);
}

/* With this byte changed, the image is refused, or the set it lies in. */
static void assert_noticed(size_t offset)
{
	if (offset < SETS_OFFSET) {
		cr_assert(is_noticed(), "byte %zu", offset);
		return;
	}
	cr_assert_eq(open_image(), 0, "byte %zu", offset);

	const uint32_t changed = (uint32_t)((offset - SETS_OFFSET) /
					    sizeof(struct policy_set));

	for (uint32_t i = 0; i < N_SETS; i++)
		if (i == changed)
			cr_assert_null(policy_set(&tables, i), "byte %zu",
				       offset);
	/* The others cost time: now and then is enough. */
	if (offset % 1000 == 0)
		for (uint32_t i = 0; i < N_SETS; i++)
			cr_assert(i == changed ||
				  policy_set(&tables, i) != NULL);
}

Test(policy_image, a_change_of_any_byte_is_noticed)
{
	unsigned char *bytes = (unsigned char *)&image;

	for (size_t i = 0; i < sizeof(image); i++)
		for (int bit = 0; bit < 8; bit += 7) {
			bytes[i] ^= (unsigned char)(1 << bit);
			assert_noticed(i);
			bytes[i] ^= (unsigned char)(1 << bit);
		}
	cr_assert_eq(open_image(), 0);
}

/* Of what lies before the sets, where all of it is quick. */
Test(policy_image, every_other_value_of_any_byte_is_noticed)
{
	unsigned char *bytes = (unsigned char *)&image;

	for (size_t i = 0; i < SETS_OFFSET; i++)
		for (int change = 1; change < 256; change++) {
			bytes[i] ^= (unsigned char)change;
			cr_assert(is_noticed(), "byte %zu", i);
			bytes[i] ^= (unsigned char)change;
		}
}

Test(policy_image, two_words_that_change_places_are_noticed)
{
	uint64_t *words = (uint64_t *)(&image.header + 1);
	const size_t n = (SETS_OFFSET - sizeof(image.header)) / sizeof(*words);

	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < i; j++) {
			const uint64_t a = words[i], b = words[j];

			words[i] = b;
			words[j] = a;
			cr_assert_eq(is_noticed(), a != b);
			words[i] = a;
			words[j] = b;
		}
}

/* In memory of just that size, so that a read behind it would show. */
Test(policy_image, one_that_is_cut_anywhere_is_refused)
{
	for (size_t size = 0; size < sizeof(image); size++) {
		void *memory = malloc(size > 0 ? size : 1);

		memcpy(memory, &image, size);
		cr_assert_eq(policy_image_open(memory, size, &tables), -EINVAL,
			     "%zu", size);
		free(memory);
	}
}

/* The header is of the size that is said, and its checksum is right. */
static void assert_refused(void)
{
	finish();
	cr_assert_eq(open_image(), -EINVAL);
	setup();
}

Test(policy_image, a_header_that_makes_no_sense_is_refused)
{
	image.header.magic++;
	assert_refused();
	image.header.format++;
	assert_refused();
	image.header.size += sizeof(struct policy_set);
	assert_refused();
	image.header.size -= sizeof(struct policy_set);
	assert_refused();
	image.header.n_sets--;
	assert_refused();
	image.strings[0] = 'x';
	assert_refused();
	image.strings[STRINGS_SIZE - 1] = 'x';
	assert_refused();
	/* The last list would not end. */
	image.strings[STRINGS_SIZE - 2] = 'x';
	assert_refused();
}

Test(policy_image, sizes_that_are_none_are_refused)
{
	static const uint32_t sizes[] = { 0, 1, 7, 9, 12, UINT32_MAX };
	struct {
		struct policy_image header;
		struct policy_match match;
		char strings[8];
		struct policy_rule rule;
	} least = { .header = image.header };

	least.header.n_rules = 1;
	least.header.n_reserves = 0;
	least.header.n_sets = 0;
	least.header.strings_size = sizeof(least.strings);
	least.header.patterns_size = sizeof(least.strings);
	least.header.size = sizeof(least);
	least.header.checksum = policy_image_checksum(&least.header);
	cr_assert_eq(policy_image_open(&least, sizeof(least), &tables), 0);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		least.header.patterns_size = sizes[i];
		least.header.strings_size = sizes[i];
		least.header.size = sizeof(least) - sizeof(least.strings) +
				    sizes[i];
		cr_assert_eq(policy_image_open(&least, sizeof(least), &tables),
			     -EINVAL, "%u", sizes[i]);
	}

	/* No rule at all. */
	struct {
		struct policy_image header;
		char strings[8];
	} none = { .header = least.header };

	none.header.n_rules = 0;
	none.header.strings_size = sizeof(none.strings);
	none.header.patterns_size = sizeof(none.strings);
	none.header.size = sizeof(none);
	none.header.checksum = policy_image_checksum(&none.header);
	cr_assert_eq(policy_image_open(&none, sizeof(none), &tables), -EINVAL);
}

static void fill_randomly(void *memory, size_t size)
{
	unsigned char *bytes = memory;

	for (size_t i = 0; i < size; i++)
		bytes[i] = (unsigned char)(rand() >> 8);
}

/* Goes through all that a reader would. */
static void walk(const struct policy_tables *found)
{
	static const struct program who = { {
		"/opt/aaa/bbb", "aaaaaaaaaaaaaaa", "1000", "ci",
	} };
	const struct policy_rule *taken = policy_rule_of(found, &who);
	struct policy policy;

	cr_assert_geq(taken, found->rules);
	cr_assert_lt(taken, found->rules + found->image->n_rules);
	for (uint32_t i = 0; i < found->image->n_rules; i++) {
		const struct policy_rule *rule = &found->rules[i];
		const char *text = policy_string(found, rule->arguments);

		cr_assert_leq(strlen(policy_string(found, rule->name)),
			      found->image->strings_size);
		while (text != NULL && *text != '\0')
			text = policy_next_string(text);
		policy_of_rule(found, rule, &environment, &policy);
	}
	for (uint32_t i = 0; i <= found->image->n_sets; i++)
		policy_set(found, i);
}

Test(policy_image, random_bytes_are_refused)
{
	for (unsigned int seed = 0; seed < 20000; seed++) {
		srand(seed);

		const size_t size = sizeof(struct policy_image) +
				    (size_t)rand() % 1000;
		struct policy_image *random = malloc(size);

		fill_randomly(random, size);
		random->magic = POLICY_MAGIC;
		/* Further in, the more of them is plausible. */
		if (seed % 2 == 0)
			random->format = POLICY_FORMAT;
		if (seed % 4 == 0) {
			random->n_rules = rand() % 5;
			random->n_reserves = rand() % 3;
			random->strings_size = rand() % 16 * 8;
			random->patterns_size = rand() % 16 * 8;
			random->n_sets = 0;
		}
		if (seed % 8 == 0)
			random->size = sizeof(*random) +
				random->n_rules * sizeof(struct policy_match) +
				random->n_rules * sizeof(struct policy_rule) +
				random->n_reserves *
					sizeof(struct policy_reserve) +
				random->strings_size;
		cr_assert_eq(policy_image_open(random, size, &tables), -EINVAL,
			     "seed %u", seed);
		free(random);
	}
}

Test(policy_image, random_tables_of_a_right_checksum_are_harmless)
{
	for (unsigned int seed = 0; seed < 20000; seed++) {
		srand(seed);

		const uint32_t n_rules = 1 + rand() % 4;
		const uint32_t n_reserves = rand() % 3;
		const uint32_t strings_size = 8 + rand() % 16 * 8;
		const uint32_t n_sets = seed % 16 == 0;
		const size_t head = sizeof(struct policy_image) +
			n_rules * sizeof(struct policy_match);
		const size_t n_tables = head +
			n_rules * sizeof(struct policy_rule) +
			n_reserves * sizeof(struct policy_reserve);
		const size_t size = n_tables + strings_size +
				    n_sets * sizeof(struct policy_set);
		struct policy_image *random = malloc(size);
		char *strings = (char *)random + head;
		struct policy_rule *rules =
			(struct policy_rule *)(strings + strings_size);
		uint32_t *words = (uint32_t *)random;

		fill_randomly(random, size);
		/* Offsets within the strings, and just behind. */
		for (size_t i = 0; i < (n_tables + strings_size) /
					sizeof(*words); i++)
			words[i] %= strings_size + 2;
		for (uint32_t i = 0; i < strings_size; i++)
			if (rand() % 2 == 0)
				strings[i] = "a*?[]\\/"[rand() % 8];
		random->magic = POLICY_MAGIC;
		random->format = POLICY_FORMAT;
		random->size = size;
		random->n_rules = n_rules;
		random->n_reserves = n_reserves;
		random->strings_size = strings_size;
		random->patterns_size = 8 + rand() % (strings_size / 8) * 8;
		random->n_sets = n_sets;
		strings[0] = '\0';
		strings[strings_size - 2] = strings[strings_size - 1] = '\0';
		strings[random->patterns_size - 2] = '\0';
		strings[random->patterns_size - 1] = '\0';
		for (uint32_t i = 0; i < n_rules; i++)
			rules[i].checksum = policy_rule_checksum(&rules[i]);
		random->checksum = policy_image_checksum(random);
		cr_assert_eq(policy_image_open(random, size, &tables), 0,
			     "seed %u", seed);
		walk(&tables);
		free(random);
	}
}

Test(policy_image, a_checksum_depends_on_the_length_and_every_bit)
{
	uint64_t words[24] = { 0 };
	uint64_t seen[25];

	for (size_t n = 0; n <= 24; n++) {
		seen[n] = policy_checksum(words, n * sizeof(words[0]));
		for (size_t i = 0; i < n; i++)
			cr_assert_neq(seen[i], seen[n]);
	}
	for (int bit = 0; bit < 24 * 64; bit++) {
		words[bit / 64] ^= UINT64_C(1) << bit % 64;
		cr_assert_neq(policy_checksum(words, sizeof(words)), seen[24]);
		words[bit / 64] ^= UINT64_C(1) << bit % 64;
	}
}
