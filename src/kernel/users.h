/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * How this process sees users: in a user namespace of its own, the numbers that
 * it is shown are not those of the initial one, and whoever is not mapped there
 * is shown as one and the same overflow user (user_namespaces(7)).
 * No heap; async-signal-safe; opens a descriptor or two and closes them again.
 */

#include <stdbool.h>
#include <stdint.h>

struct users {
	bool is_mapped;		/* not in the initial user namespace, or like it */
	bool is_unknown;	/* no /proc says which */
	bool has_outer;		/* if is_mapped: whether outer_uid is one */
	uint32_t outer_uid;	/* the effective user, as the parent namespace
				   numbers it */
	uint32_t overflow_uid;	/* if is_mapped */
	bool has_root;		/* if is_mapped: whether root_uid is one */
	uint32_t root_uid;	/* the number shown for user 0 of the parent
				   namespace */
};

void users_read(struct users *usersp);

/* Of another process: map is its /proc/PID/uid_map. outer_uid is not its own. */
void users_read_map(const char *map, struct users *usersp);

/* Whether a number is that of the same user in the initial namespace. */
static inline bool users_are_known(const struct users *users)
{
	return !users->is_mapped && !users->is_unknown;
}
