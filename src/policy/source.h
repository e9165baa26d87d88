/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Where this process's policy comes from: the policy file, as long as one is
 * published there, else the environment. A new edition is noticed at the next
 * call, without a system call. Lock-free, async-signal-safe.
 */

#include "map/place.h"
#include "policy/environment.h"
#include "policy/file.h"
#include "policy/identity.h"
#include "policy/policy.h"

/* Files that the policy may lie in one after the other: see has_moved. */
#define N_FILES_KEPT 8u

/* Of the editions adopted, those whose copies a slow reader may still make. */
#define N_POLICIES_KEPT 4u

struct policy_source {
	struct environment environment;
	struct place place;
	/* None is closed: a thread that is stopped may still read it. */
	struct policy_file files[N_FILES_KEPT];
	atomic_u32 n_moves;		/* files[n_moves] is the one */
	struct policy policies[N_POLICIES_KEPT];
	atomic_u32 n_adopted;	/* the last is policies[n_adopted % 4] */
	atomic_u32 is_adopting;
	/* The last: most of its path is never written, nor its page. */
	struct identity identity;
};

/* What came of a look at the policy. */
enum policy_change {
	POLICY_SAME,
	POLICY_NEW,		/* another edition is followed from now on */
	POLICY_DAMAGED,		/* there is one that cannot be followed */
};

/*
 * Reads the environment and maps the policy file, if there is one.
 * Returns 0, or -EINVAL with *errorp filled when a variable was refused.
 */
int policy_source_open(struct policy_source *source,
		       char *(*lookup)(const char *name),
		       const struct kernel *kernel,
		       const struct place *place,
		       struct environment_error *errorp);

/* Copies the policy in force. */
enum policy_change policy_source_get(struct policy_source *source,
				     struct policy *policyp);

/* The file that the policy lies in, or would. */
static inline const struct policy_file *
policy_source_file(const struct policy_source *source)
{
	/* Acquire: the file, opened by another thread before it was counted. */
	return &source->files[load_acquire_u32(&source->n_moves)];
}

/*
 * Of what is in force now: the file's edition, and in the upper bits which file
 * it is, so that no two are the same.
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
