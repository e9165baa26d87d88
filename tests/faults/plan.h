/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The faults of a program: each call that a sound run of it makes fails once with
 * each errno of its manual page, and is once cut short where that is allowed;
 * and the first of a kind, and all that follow, for good. Counts what came of
 * them, by kind of call.
 */

#include "tracee.h"

#define PLAN_MAX_NUMBER 512	/* beyond every number of a system call */

enum verdict {
	VERDICT_WELL,
	VERDICT_BAD,
	VERDICT_MISSED,		/* the call did not come */
};

struct tally {
	unsigned int n_faults, n_bad, n_missed;
};

struct plan {
	int n_skipped;		/* of the errors, this many out of each + 1 */
	/* Lets a program run with a fault. */
	enum verdict (*try)(void *context, const struct fault *fault);
	void *context;
	struct tally tallies[PLAN_MAX_NUMBER];	/* by the call's number */
};

void plan_try_calls(struct plan *plan, const struct outcome *sound);

/*
 * Prints a TAP line for each kind of call, and forgets. A call that no manual
 * page is known of is bad; so is a kind of which most have been missed.
 */
void plan_report(struct plan *plan, const char *scenario);

/* Prints another TAP line, and the last one. */
void plan_ok(bool holds, const char *scenario, const char *sentence);
void plan_end(void);

/* "bind (passed on) 2 and on: EINVAL", in a static buffer. */
const char *plan_text(const struct fault *fault);
