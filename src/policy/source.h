/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Where this process's policy comes from: the policy file, if a policy is in
 * force there, else the environment. A new edition is noticed at the next call,
 * without a system call. Lock-free, async-signal-safe.
 */

#include "map/place.h"
#include "policy/environment.h"
#include "policy/file.h"
#include "policy/identity.h"
#include "policy/policy.h"

/*
 * The most files that may hold the policy one after the other: see has_moved.
 */
#define N_FILES_KEPT 8u

/*
 * How many of the last policies are kept: a slow thread may still copy an older
 * one.
 */
#define N_POLICIES_KEPT 4u

struct policy_source {
	struct environment environment;
	struct place place;
	/* No file is closed: a thread that was stopped may still read it. */
	struct policy_file files[N_FILES_KEPT];
	atomic_u32 n_moves; /* files[n_moves] holds the policy */
	struct policy policies[N_POLICIES_KEPT];
	atomic_u32 n_adopted; /* the last one is policies[n_adopted % 4] */
	atomic_u32 is_adopting;
	/* At the end: most of its path is never written, so its page is not
	 * either. */
	struct identity identity;
};

/* The result of looking for a new edition. */
enum policy_change {
	POLICY_SAME,
	POLICY_NEW, /* another edition is followed from now on */
	/* There is an edition that cannot be followed */
	POLICY_DAMAGED,
};

/*
 * Reads the environment and maps the policy file, if there is one.
 * Returns 0, or -EINVAL with *errorp filled when a variable was refused.
 */
int policy_source_open(struct policy_source *source,
		       char *(*lookup)(const char *name),
		       const struct kernel *kernel, const struct place *place,
		       struct environment_error *errorp);

/* Copies the policy in force. */
enum policy_change policy_source_get(struct policy_source *source,
				     struct policy *policyp);

/* The file that holds the policy, or would hold it. */
static inline const struct policy_file *
policy_source_file(const struct policy_source *source)
{
	/* Acquire: the file, opened by another thread before it was counted. */
	return &source->files[load_acquire_u32(&source->n_moves)];
}

/*
 * Identifies what is in force now: the file's edition, and in the upper bits
 * which file it is, so that no two are the same.
 */
static inline uint64_t policy_source_edition(const struct policy_source *source)
{
	/* Acquire: as in policy_source_file(). */
	const uint32_t n = load_acquire_u32(&source->n_moves);

	return policy_file_edition(&source->files[n]) | (uint64_t)n << 60;
}

/* Whether a copy is of the edition that is in force now. */
static inline bool policy_source_is(const struct policy_source *source,
				    const struct policy *policy)
{
	return policy_source_edition(source) == policy->edition;
}
