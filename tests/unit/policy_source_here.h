/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A source of policies, and policies by hand to publish: the default rule has a
 * name and 1000 ports, and so has a rule for programs named "special".
 */

#include "kernel/kernel.h"
#include "place_here.h"
#include "policy/source.h"

static const struct kernel kernel;
static struct policy_source source;
static struct policy policy;

/* Of the policies that are published. */
static enum on_error on_error;

/* "NAME=value" each */
static const char *variables[4];

static inline char *lookup(const char *name)
{
	const size_t length = strlen(name);

	for (size_t i = 0; variables[i] != NULL; i++)
		if (strncmp(variables[i], name, length) == 0 &&
		    variables[i][length] == '=')
			return (char *)variables[i] + length + 1;
	return NULL;
}

static inline void setup(void)
{
	struct policy_file file;

	make_place("policy");
	cr_assert_eq(policy_file_open(&place, POLICY_CREATE, &file, NULL), 0);
	policy_file_close(&file);
}

#define STRINGS_SIZE 64u

/* A rule for programs of one name, and the default. */
enum { SPECIAL, DEFAULT, N_RULES };
enum { RANGE, RESERVED, SPECIAL_RANGE, N_SETS };

struct image {
	struct policy_image header;
	struct policy_match matches[N_RULES];
	char strings[STRINGS_SIZE];
	struct policy_rule rules[N_RULES];
	struct policy_set sets[N_SETS];
};

#define NAME_AT 8u
#define SPECIAL_AT 40u
#define N_PORTS_EACH 1000u
#define SPECIAL_OFFSET 500u

static inline void fill_rule(struct image *image, int index, uint32_t range)
{
	struct policy_rule *rule = &image->rules[index];

	rule->name = index == DEFAULT ? NAME_AT : SPECIAL_AT;
	for (int protocol = 0; protocol < N_PROTOCOLS; protocol++) {
		rule->ranges[protocol][ROLE_OF_CONNECT] = range;
		rule->ranges[protocol][ROLE_OF_LISTEN] = range;
		rule->avoided[protocol] = RESERVED;
		rule->refused[protocol] = RESERVED;
		rule->owned[protocol] = RESERVED;
	}
	for (int i = 0; i < N_SETTINGS; i++)
		rule->settings[i] = setting_default((enum setting)i);
}

static inline void add_set(struct image *image, int index, uint32_t lo)
{
	struct policy_set *set = &image->sets[index];

	port_set_add(&set->ports, lo, lo + N_PORTS_EACH - 1);
	port_set_finish(&set->ports);
	set->checksum = policy_checksum(&set->ports, sizeof(set->ports));
}

static inline void finish(struct image *image)
{
	for (int i = 0; i < N_RULES; i++)
		image->rules[i].checksum =
			policy_rule_checksum(&image->rules[i]);
	image->header.checksum = policy_image_checksum(&image->header);
}

/* A policy whose default rule has a name, and 1000 ports from first on. */
static inline struct image *make_image(const char *name, uint32_t first)
{
	struct image *image = calloc(1, sizeof(*image));

	image->header = (struct policy_image){
		.magic = POLICY_MAGIC,
		.format = POLICY_FORMAT,
		.rest_ms = first,
		.size = sizeof(*image),
		.n_rules = N_RULES,
		.patterns_size = STRINGS_SIZE,
		.strings_size = STRINGS_SIZE,
		.n_sets = N_SETS,
		.dynamic = { RANGE, RANGE, RANGE, RANGE },
	};
	strcpy(image->strings + NAME_AT, name);
	strcpy(image->strings + SPECIAL_AT, "special");
	fill_rule(image, SPECIAL, SPECIAL_RANGE);
	image->matches[SPECIAL].conditions[CONDITION_NAME] = SPECIAL_AT;
	fill_rule(image, DEFAULT, RANGE);
	add_set(image, RANGE, first);
	add_set(image, RESERVED, first + 5000);
	add_set(image, SPECIAL_RANGE, first + SPECIAL_OFFSET);
	finish(image);
	return image;
}

static inline uint64_t publish(const struct image *image)
{
	const struct policy_load load = { .image = image,
					  .size = sizeof(*image),
					  .on_error = on_error };
	uint64_t edition = 0;

	cr_assert_eq(policy_file_load(&place, &load, &edition, NULL), 0);
	return edition;
}

static inline uint64_t publish_named(const char *name, uint32_t first,
				     bool is_damaged)
{
	struct image *image = make_image(name, first);

	image->strings[NAME_AT] += is_damaged;

	const uint64_t edition = publish(image);

	free(image);
	return edition;
}

#define publish_good(name, first) publish_named(name, first, false)
#define publish_damaged(name, first) publish_named(name, first, true)

static inline void unpublish(void)
{
	const struct policy_load load = { .image = NULL };
	uint64_t edition;

	cr_assert_eq(policy_file_load(&place, &load, &edition, NULL), 0);
}

static inline void open_source(void)
{
	struct environment_error error;

	cr_assert_eq(policy_source_open(&source, lookup, &kernel, &place,
					&error),
		     0);
}

static inline void assert_get(enum policy_change expected, const char *rule)
{
	memset(&policy, 0xa5, sizeof(policy));

	const enum policy_change change = policy_source_get(&source, &policy);

	cr_assert_eq(change, expected, "%d, not %d", (int)change,
		     (int)expected);
	cr_assert_str_eq(policy.rule, rule, "%s, not %s", policy.rule, rule);
	cr_assert(policy_source_is(&source, &policy));
}

static inline bool has_range(const struct port_set *set, uint32_t first)
{
	uint32_t lo, hi;

	return set->n_ports == N_PORTS_EACH &&
	       port_set_next_run(set, 0, &lo, &hi) && lo == first &&
	       hi == first + N_PORTS_EACH - 1 &&
	       !port_set_next_run(set, hi + 1, &lo, &hi);
}

static inline void assert_ports(uint32_t first)
{
	for (int protocol = 0; protocol < N_PROTOCOLS; protocol++)
		for (int role = 0; role < N_ROLES; role++)
			cr_assert(has_range(policy.ranges[protocol][role],
					    first));
}

/* Publishes a good policy, which is followed from the next call on. */
static inline void follow(const char *name, uint32_t first)
{
	publish_good(name, first);
	assert_get(POLICY_NEW, name);
	assert_ports(first);
}

static inline void assert_left_to_the_kernel(void)
{
	for (int protocol = 0; protocol < N_PROTOCOLS; protocol++)
		for (int role = 0; role < N_ROLES; role++)
			cr_assert_eq(policy.ranges[protocol][role]->n_ports, 0);
	cr_assert_not(policy_refuses_all(&policy));
}
