/* SPDX-License-Identifier: MIT */
#pragma once

#include <limits.h>
#include <stdint.h>

#include "cli/claims.h"
#include "cli/output.h"
#include "cli/published.h"
#include "cli/tally.h"
#include "kernel/kernel.h"
#include "policy/policy.h"

/* All that a report is made of; too large for the stack. */
struct status {
	struct kernel kernel;
	struct environment environment;
	struct published published;
	struct policy policy;	/* what this environment would get */
	char map_path[PATH_MAX];	/* of the map that it would use */
	int map_error;	/* of map_open() */
	struct tally tally;	/* of all maps */
	struct claims claims;
	struct output output;
};

/* Prints all sections. Returns 0 or -errno. */
int status_report(struct status *status);
