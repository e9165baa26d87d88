/* SPDX-License-Identifier: MIT */
#pragma once

/* From a configuration file to a policy in force. What fails is reported on
 * standard error and changes nothing. */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "policy/setting.h"

struct place;
struct kernel;
struct in_force;

/* A file, compiled. */
struct compiled {
	void *image; /* a struct policy_image; for free() */
	size_t size;
	enum on_error on_error; /* the strictest of any rule */
	mode_t map_mode;
	long map_group; /* a gid; -1 = left as it is */
};

/*
 * Reads, checks and compiles a file; with warn, prints the warnings of
 * rules_warn() too. Returns 0; -EINVAL for a file that is refused; or -errno.
 */
int load_compile(const char *path, const struct kernel *kernel, bool warn,
		 struct compiled *compiledp);

/* Whether the policy in force is the same, except for the time of its load. */
bool load_is_in_force(const struct in_force *in_force,
		      const struct compiled *compiled);

/*
 * Puts it in force, or with NULL nothing; makes the files that are missing.
 * Returns 0 or -errno.
 */
int load_put(const struct place *place, const struct compiled *compiled);
