/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The policy that is in force in a network namespace, copied: it stays as it is
 * while others load.
 */

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "map/place.h"
#include "policy/policy.h"

struct in_force {
	char path[PATH_MAX]; /* of the policy file; "" = there is none */
	uint64_t edition;    /* 0 = never one; even = none now */
	bool by_root;	     /* it binds, whatever is in the environment */
	/* Some part of it, perhaps a set only; or it is of another version */
	bool is_damaged;
	enum on_error on_error; /* of programs that cannot follow it */
	/* Why a policy that may be in force could not be read, -errno; 0 =
	 * there is none such */
	int missed;
	bool has_ignored; /* as in policy/file.h */
	uint32_t ignored_uid;
	enum place_parent ignored_parent;
	/* NULL = none in force, or its tables are damaged */
	void *image;
	struct policy_tables tables; /* of image */
};

/*
 * Copies the policy. Returns 0, also without a policy or when only sets are
 * damaged; -EINVAL for other damage; -ENOMEM; or -EIO, in missed too, for a
 * policy in BERTH_DIR that its owner has shortened meanwhile. Damage is reported on standard error, what was missed is not.
 * in_force_deinit() is due in each case.
 */
int in_force_read(const struct place *place, struct in_force *in_force);

void in_force_deinit(struct in_force *in_force);

/* As policy_settle(). */
enum policy_settled in_force_settle(const struct in_force *in_force,
				    const struct program *program,
				    const struct environment *environment,
				    struct policy *policyp,
				    const struct policy_rule **rulep);

/* Reports a policy that does not count here, if there is one. */
void in_force_tell_ignored(const struct place *place,
			   const struct in_force *in_force);

/* Reports what was missed, if anything (see policy/file.h). */
void in_force_tell_missed(const struct place *place, int missed);

/*
 * Whether programs may see a policy that this command could not read. Not for
 * the errors that last, and that programs meet too: a folder that this user may
 * not use or that is none, and a missing file that cannot be made.
 */
bool in_force_is_unknown(int missed);

/* Whether a program may choose this profile: some rule has it. */
bool in_force_has_profile(const struct in_force *in_force, const char *profile);
