/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the rules of a policy know about this program: read once, at its start,
 * since the program may later change its root folder, its user or its name. A
 * forked child has its parent's identity. No heap; async-signal-safe.
 */

#include <limits.h>

#include "kernel/users.h"
#include "policy/image.h"

/* TASK_COMM_LEN of the kernel, the NUL included. */
#define IDENTITY_NAME_SIZE 16

struct identity {
	char name[IDENTITY_NAME_SIZE];
	/* Effective, in decimal; "" = its number in the initial namespace is
	 * not known: see kernel/users.h */
	char uid[12];
	const char *profile; /* NULL = none */
	char exe[PATH_MAX];  /* "" = not known */
};

/*
 * users are this process's own, from users_read(). profile is stored as a
 * pointer.
 */
void identity_read(struct identity *identity, const struct users *users,
		   const char *profile);

/* Points into the identity. */
struct program identity_program(const struct identity *identity);
