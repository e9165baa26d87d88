/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a command looks at: the kernel's settings, the folders of this network
 * namespace, and the policy that holds. Errors are reported on standard error.
 */

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "kernel/kernel.h"
#include "map/place.h"
#include "policy/file.h"
#include "policy/policy.h"

/* The policy in force, copied: it stays as it is while others load. */
struct in_force {
	char path[PATH_MAX];	 /* of the policy file; "" = there is none */
	struct policy_file file; /* closed: how it was found */
	uint64_t edition;	 /* 0 = never one; even = none now */
	/* Some part of it, perhaps a set only; or it is of another version */
	bool is_damaged;
	enum on_error on_error; /* of programs that cannot follow it */
	/* NULL = none in force, or its tables are damaged */
	void *image;
	struct policy_tables tables; /* of image */
};

/* Too large for the stack. */
struct view {
	struct kernel kernel;
	struct place place; /* as BERTH_DIR may say */
	struct in_force in_force;
	struct environment environment;
	struct policy policy; /* of the program that was settled last */
};

/*
 * Reads the kernel's settings and the place. Returns 0; or -errno without
 * /proc: the place is then one at which programs that have /proc do not look.
 */
int view_open(struct view *view);

/* Reads the policy in force, after view_open(), and reports damage; and with
 * tell, what was missed (see policy/file.h). view_close() is due. */
void view_read(struct view *view, bool tell);

/* Settles view->policy for a program; see policy_settle(). */
enum policy_settled view_settle(struct view *view,
				const struct program *program,
				const struct policy_rule **rulep);

/* All of these, for a program of this environment. A mistake in the
 * environment is reported, and handled as libberth.so does. */
void view_open_policy(struct view *view);

void view_close(struct view *view);

/* The file that the policy in force was loaded from; NULL = none is in force. */
const char *view_source(const struct view *view);

/* Whether the policy in force is known as a whole. */
bool view_is_sound(const struct view *view);

/* The place alone, for a command that has read the kernel itself. */
int view_place(const struct kernel *kernel, struct place *placep);

/* Reports what was missed, if anything (see policy/file.h). */
void view_tell_missed(const struct place *place, int missed);

/*
 * Whether programs may see a policy that this command could not read. Not for
 * the errors that last, and that programs meet too: a folder that this user may
 * not use or that is none, and a missing file that cannot be made.
 */
bool view_is_unknown(int missed);
