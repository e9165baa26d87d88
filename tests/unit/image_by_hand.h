/* SPDX-License-Identifier: MIT */
#pragma once

/* An image of three rules, a reservation and three sets, by hand. */

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/image.h"
#include "policy/policy.h"

enum { FIRST, SECOND, DEFAULT, N_RULES };
enum { NOTHING, LOW, HIGH, N_SETS };

#define STRINGS_SIZE 256u

struct image {
	struct policy_image header;
	struct policy_match matches[N_RULES];
	char strings[STRINGS_SIZE];
	struct policy_rule rules[N_RULES];
	struct policy_reserve reserve;
	struct policy_set sets[N_SETS];
};

static uint32_t strings_end; /* of the image that was begun last */

static inline void begin_image(struct image *image, uint32_t rest_ms)
{
	*image = (struct image){
		.header = {
			.magic = POLICY_MAGIC,
			.format = POLICY_FORMAT,
			.rest_ms = rest_ms,
			.size = sizeof(*image),
			.n_rules = N_RULES,
			.n_reserves = 1,
			.patterns_size = STRINGS_SIZE,
			.strings_size = STRINGS_SIZE,
			.n_sets = N_SETS,
			.loaded_at = 1700000000,
			.dynamic = { LOW, LOW, LOW, LOW },
		},
	};
	strings_end = 1;
}

/* A list of texts, the first of which is a string by itself; 0 for none. */
static inline uint32_t add_list(struct image *image, const char *const *texts)
{
	const uint32_t begin = strings_end;

	for (; *texts != NULL; texts++) {
		const size_t size = strlen(*texts) + 1;

		cr_assert_lt(strings_end + size, STRINGS_SIZE - 1);
		memcpy(image->strings + strings_end, *texts, size);
		strings_end += (uint32_t)size;
	}
	strings_end++;
	return begin;
}

#define LIST_IN(image, ...) \
	add_list(image, (const char *const[]){ __VA_ARGS__, NULL })

static inline void add_rule(struct image *image, int index, const char *name,
			    uint32_t connect, uint32_t listen)
{
	struct policy_rule *rule = &image->rules[index];

	rule->name = LIST_IN(image, name);
	rule->place = LIST_IN(image, "berth.conf:1");
	for (int protocol = 0; protocol < N_PROTOCOLS; protocol++) {
		rule->ranges[protocol][ROLE_OF_CONNECT] = connect;
		rule->ranges[protocol][ROLE_OF_LISTEN] = listen;
	}
	for (int i = 0; i < N_SETTINGS; i++)
		rule->settings[i] = setting_default((enum setting)i);
}

static inline void add_set(struct image *image, int index, uint32_t lo,
			   uint32_t hi)
{
	struct policy_set *set = &image->sets[index];

	if (lo <= hi)
		port_set_add(&set->ports, lo, hi);
	port_set_finish(&set->ports);
	set->checksum = policy_checksum(&set->ports, sizeof(set->ports));
}

static inline void finish_image(struct image *image)
{
	for (int i = 0; i < N_RULES; i++)
		image->rules[i].checksum =
			policy_rule_checksum(&image->rules[i]);
	image->header.rest_checksum =
		policy_image_rest_checksum(&image->header);
	image->header.checksum = policy_image_checksum(&image->header);
}
