/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What this program is, as the rules of a policy look at it: taken once, at its
 * start, since it may later be chrooted, change its user or its name. A forked
 * child is what its parent is. No heap; async-signal-safe.
 */

#include <limits.h>

#include "kernel/users.h"
#include "policy/image.h"

/* TASK_COMM_LEN of the kernel, the NUL included. */
#define IDENTITY_NAME_SIZE 16

struct identity {
	char name[IDENTITY_NAME_SIZE];
	char uid[12];			/* effective, in decimal; "" = what the
					   initial namespace calls it is not
					   known: see kernel/users.h */
	const char *profile;		/* NULL = none */
	char exe[PATH_MAX];		/* "" = not known */
};

/* users are this process's own, by users_read(). profile is kept, not copied. */
void identity_read(struct identity *identity, const struct users *users,
		   const char *profile);

/* Points into the identity. */
struct subject identity_subject(const struct identity *identity);
