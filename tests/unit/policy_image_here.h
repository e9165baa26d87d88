/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * An image of three rules, a reservation and three sets, by hand, and what
 * policy_image_open() finds in it.
 */

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

static uint32_t strings_end;
static struct policy_tables tables;
static struct environment environment;

/* A list of texts, the first of which is a string by itself; 0 for none. */
static inline uint32_t add_list(const char *const *texts)
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

static inline void add_rule(int index, const char *name)
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

static inline void add_set(int index, uint32_t lo, uint32_t hi)
{
	struct policy_set *set = &image.sets[index];

	if (lo <= hi)
		port_set_add(&set->ports, lo, hi);
	port_set_finish(&set->ports);
	set->checksum = policy_checksum(&set->ports, sizeof(set->ports));
}

static inline void finish(void)
{
	for (int i = 0; i < N_RULES; i++)
		image.rules[i].checksum = policy_rule_checksum(&image.rules[i]);
	image.header.rest_checksum = policy_image_rest_checksum(&image.header);
	image.header.checksum = policy_image_checksum(&image.header);
}

static inline int open_image(void)
{
	return policy_image_open(&image, sizeof(image), &tables);
}

/*
 * first: programs in /opt, or whose name begins with "a"; uid 0 or 1000.
 * second: a profile of "ci" or "ci-*". Then the default.
 */
static inline void setup(void)
{
	memset(&image, 0, sizeof(image));
	strings_end = 1;
	add_rule(FIRST, "first");
	add_rule(SECOND, "second");
	add_rule(DEFAULT, "default");
	image.matches[FIRST].conditions[CONDITION_EXE] = LIST("/opt/**",
							      "/usr/bin/a*");
	image.matches[FIRST].conditions[CONDITION_UID] = LIST("0", "1000");
	image.matches[SECOND].conditions[CONDITION_NAME] = LIST("worker");
	image.matches[SECOND].conditions[CONDITION_PROFILE] = LIST("ci", "ci-*",
								   "nightly");
	image.reserve = (struct policy_reserve){
		.name = LIST("databases"),
		.place = LIST("berth.conf:9"),
		.owners = LIST("first"),
		.ports = { HIGH, HIGH, HIGH, HIGH },
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

static inline const char *string_at(uint32_t offset)
{
	return policy_string(&tables, offset);
}
