/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a command looks at: the kernel's settings, where the files of this network
 * namespace lie, and which policy holds. What goes wrong is said on standard
 * error.
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
	struct place place;	/* as BERTH_DIR may say */
	struct in_force in_force;
	struct environment environment;
	struct policy policy;	/* of a program of this environment */
};

/*
 * Reads the kernel's settings and the place. Returns 0; or -errno without /proc:
 * the place is then one that no program with a /proc looks at.
 */
int view_open(struct view *view);

/* Reads the policy in force, after view_open(). view_close() is due. */
void view_read(struct view *view);

/*
 * Both, and what a program of this environment would get. Of a mistake in
 * the environment, what libberth.so would do instead is done.
 */
void view_open_policy(struct view *view);

void view_close(struct view *view);

/* Whether the policy in force is known as a whole. */
bool view_is_sound(const struct view *view);

/* Where the files lie, for a command that reads the kernel itself. */
int view_place(const struct kernel *kernel, struct place *placep);

/*
 * Whether a file does not lie where the other programs look for it, given why
 * it was passed over there (see map/shared_file.h). That root's folder is not
 * for others to write in is as it should be.
 */
bool view_is_elsewhere(int passed_over);
