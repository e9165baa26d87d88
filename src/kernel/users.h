/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The user numbers that this process sees: in a user namespace they differ from
 * those of the initial one, and every user who is not mapped there is shown as
 * the same overflow user (user_namespaces(7)). No heap; async-signal-safe;
 * opens one or two descriptors and closes them again.
 */

#include <stdbool.h>
#include <stdint.h>

struct users {
	/* The process is in a user namespace that maps users */
	bool is_mapped;
	bool is_unknown; /* no /proc says which */
	bool has_outer;	 /* if is_mapped: whether outer_uid is one */
	/* The effective user, as the parent namespace numbers it */
	uint32_t outer_uid;
	uint32_t overflow_uid; /* if is_mapped */
	bool has_root;	       /* if is_mapped: whether root_uid is one */
	/* The number shown for user 0 of the parent namespace */
	uint32_t root_uid;
};

void users_read(struct users *usersp);

/* For another process: map is its /proc/PID/uid_map. outer_uid is not set. */
void users_read_map(const char *map, struct users *usersp);

/* Whether a number stands for the same user in the initial namespace. */
static inline bool users_are_known(const struct users *users)
{
	return !users->is_mapped && !users->is_unknown;
}
