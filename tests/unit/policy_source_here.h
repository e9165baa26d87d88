/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A source of policies, and policies by hand to publish: the default rule has a
 * name and 1000 ports, and so has a rule for programs named "special".
 */

#include "image_by_hand.h"
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

/* What the sets of an image are here; what is reserved is so for all rules. */
enum { RESERVED = NOTHING, RANGE = LOW, SPECIAL_RANGE = HIGH };

#define N_PORTS_EACH 1000u
#define SPECIAL_OFFSET 500u

/* A policy whose default rule has a name, and 1000 ports from first on. */
static inline struct image *make_image(const char *name, uint32_t first)
{
	struct image *image = malloc(sizeof(*image));
	const uint32_t lows[] = {
		[RESERVED] = first + 5000,
		[RANGE] = first,
		[SPECIAL_RANGE] = first + SPECIAL_OFFSET,
	};

	begin_image(image, first);
	add_rule(image, FIRST, "special", SPECIAL_RANGE, SPECIAL_RANGE);
	add_rule(image, SECOND, "nobody", RANGE, RANGE);
	add_rule(image, DEFAULT, name, RANGE, RANGE);
	for (int i = FIRST; i < DEFAULT; i++)
		image->matches[i].conditions[CONDITION_NAME] =
			image->rules[i].name;
	for (int i = 0; i < N_SETS; i++)
		add_set(image, i, lows[i], lows[i] + N_PORTS_EACH - 1);
	finish_image(image);
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

	image->strings[image->rules[DEFAULT].name] += is_damaged;

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
