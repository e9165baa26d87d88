/* SPDX-License-Identifier: MIT */
#pragma once

/* An image by hand, and what policy_image_open() finds in it. */

#include "image_by_hand.h"

static struct image image;
static struct policy_tables tables;
static struct environment environment;

#define LIST(...) LIST_IN(&image, __VA_ARGS__)

static inline void finish(void)
{
	finish_image(&image);
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
	static const char *const names[] = { "first", "second", "default" };

	begin_image(&image, 1500);
	for (int i = 0; i < N_RULES; i++) {
		add_rule(&image, i, names[i], LOW, HIGH);
		for (int protocol = 0; protocol < N_PROTOCOLS; protocol++) {
			image.rules[i].refused[protocol] = i == FIRST ? NOTHING
								      : HIGH;
			image.rules[i].owned[protocol] = i == FIRST ? HIGH
								    : NOTHING;
		}
	}
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
	add_set(&image, NOTHING, 1, 0);
	add_set(&image, LOW, 20000, 29999);
	add_set(&image, HIGH, 40000, 40999);
	image.header.source = LIST("/etc/berth/berth.conf");
	finish();
	cr_assert_eq(open_image(), 0);
}

static inline const char *string_at(uint32_t offset)
{
	return policy_string(&tables, offset);
}
