/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A program may start with no descriptor left below its soft limit of them, by
 * accident or so as to get away without the policy. No heap; async-signal-safe.
 */

#include <stdbool.h>
#include <stdint.h>

struct descriptor_limit {
	bool is_lifted;
	uint64_t soft, hard;	/* as they were */
};

/* Where none is left, lifts the soft limit to the hard one for a while. */
void descriptor_limit_lift(struct descriptor_limit *limitp);

void descriptor_limit_restore(const struct descriptor_limit *limit);
