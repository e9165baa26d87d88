/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A program may start with no descriptor left below its soft limit, by accident
 * or in order to escape the policy. No heap; async-signal-safe.
 */

#include <stdbool.h>
#include <stdint.h>

struct descriptor_limit {
	bool is_lifted;
	uint64_t soft, hard; /* the limits before the change */
};

/*
 * Where no descriptor is left, raises the soft limit to the hard one. The
 * caller sets it back.
 */
void descriptor_limit_lift(struct descriptor_limit *limitp);

void descriptor_limit_restore(const struct descriptor_limit *limit);
