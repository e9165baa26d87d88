/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a command looks at: the kernel's settings, the folders of this network
 * namespace, and the policy that holds. Errors are reported on standard error.
 */

#include <stdbool.h>

#include "cli/in_force.h"
#include "kernel/kernel.h"
#include "map/place.h"
#include "policy/environment.h"
#include "policy/policy.h"

/* Too large for the stack. */
struct view {
	struct kernel kernel;
	struct place place; /* as BERTH_DIR may say */
	struct in_force in_force;
	struct environment environment;
	struct policy policy; /* of a program of this environment */
};

/*
 * Reads the kernel's settings and the place. Returns 0; or -errno without
 * /proc: the place is then one at which programs that have /proc do not look.
 */
int view_open(struct view *view);

/* Reads the policy in force, after view_open(). view_close() is due. */
void view_read(struct view *view);

/* Both, and the policy of a program of this environment. A mistake in the
 * environment is reported, and handled as libberth.so does. */
void view_open_policy(struct view *view);

void view_close(struct view *view);

/* Whether the policy in force is known as a whole. */
bool view_is_sound(const struct view *view);

/* The place alone, for a command that has read the kernel itself. */
int view_place(const struct kernel *kernel, struct place *placep);

/*
 * Whether other programs look for a file in another folder than the one where
 * it was opened or made. passed_over: why the first folder was not used (see
 * map/shared_file.h). That a user may not use root's folder does not count.
 */
bool view_is_elsewhere(int passed_over);
