/* SPDX-License-Identifier: MIT */
#include "policy/source.h"

#include <errno.h>

/*
 * How many loads may come during the reading of a policy before the process
 * keeps the old one.
 */
#define MAX_ROUNDS 8

int policy_source_open(struct policy_source *source,
		       char *(*lookup)(const char *name),
		       const struct kernel *kernel, const struct place *place,
		       struct environment_error *errorp)
{
	const int result = environment_read(lookup, kernel,
					    &source->environment, errorp);

	identity_read(&source->identity, &place->users,
		      source->environment.profile);
	source->place = *place;
	/* Without a file, the environment's policy holds. */
	(void)policy_file_open(place, POLICY_CREATE, &source->files[0], NULL);
	policy_of_environment(&source->environment, &source->policies[0]);
	/* A policy may be in force that could not be read. */
	source->policies[0].is_guess |= source->files[0].is_unknown;
	return result;
}

/* Reads the policy of an edition in the file. */
static struct policy_in_force in_force(struct policy_source *source,
				       uint64_t edition)
{
	static const char unreadable[] = "";
	struct policy_file *file = &source->files[edition >> 60];
	struct policy_in_force offered = {
		.by_root = file->by_root,
		.on_error = policy_file_on_error(file, edition),
	};

	/* A policy that cannot be followed has no image. */
	if ((edition & 1) != 0 &&
	    (policy_file_has_moved(file) ||
	     policy_file_image(file, edition, &offered.image, &offered.size) <
		     0))
		offered.image = unreadable;
	return offered;
}

/*
 * Returns 0 or -EINVAL, and *policyp is of the edition in *editionp; -EAGAIN
 * when each attempt was overtaken by a load.
 */
static int read_edition(struct policy_source *source, uint64_t *editionp,
			struct policy *policyp)
{
	const struct program program = identity_program(&source->identity);

	for (int round = 0; round < MAX_ROUNDS; round++) {
		const uint64_t edition = *editionp;
		const struct policy_in_force offered = in_force(source,
								edition);
		const enum policy_settled settled =
			policy_settle(&offered, &program, &source->environment,
				      policyp, NULL);

		if (settled == SETTLED_RULE)
			policyp->origin = edition;
		else if (settled == SETTLED_NONE)
			policyp->is_guess |=
				source->files[edition >> 60].is_unknown;
		*editionp = policy_source_edition(source);
		/* What was read has not been written meanwhile: see
		 * policy/layout.h. */
		if (*editionp == edition)
			return settled == SETTLED_DAMAGED ? -EINVAL : 0;
	}
	return -EAGAIN;
}

/* Acq_rel: one thread writes at a time; it sees what the last one wrote. */
static bool begin_adopting(struct policy_source *source)
{
	uint32_t expected = 0;

	return swap_if_acq_rel_u32(&source->is_adopting, &expected, 1);
}

/* The policy is in another file now: in the first one that is found. */
static void follow_move(struct policy_source *source)
{
	/* Relaxed: only the thread that holds is_adopting changes it. */
	const uint32_t n = load_relaxed_u32(&source->n_moves);

	if (n + 1 == N_FILES_KEPT || !policy_file_has_moved(&source->files[n]))
		return;
	(void)policy_file_open(&source->place, POLICY_EXISTING,
			       &source->files[n + 1], NULL);
	/* Release: the file is complete before any thread reads it. */
	store_release_u32(&source->n_moves, n + 1);
}

/* Where another thread, or the code that a signal handler has interrupted,
 * holds is_adopting, the copy is used for this call alone. */
static void keep(struct policy_source *source, const struct policy *policy)
{
	if (!begin_adopting(source))
		return;

	/* Relaxed: only the thread that holds is_adopting changes it. */
	const uint32_t n = load_relaxed_u32(&source->n_adopted) + 1;

	source->policies[n % N_POLICIES_KEPT] = *policy;
	/* Release: the policy is complete before any thread copies it. */
	store_release_u32(&source->n_adopted, n);
	store_release_u32(&source->is_adopting, 0);
}

/* Whether the memory that holds a policy's sets has not been written since. */
static bool is_kept(const struct policy *policy, uint64_t edition)
{
	return policy->origin != 0 &&
	       edition / 2 - policy->origin / 2 < N_POLICY_SLOTS;
}

static enum policy_change adopt(struct policy_source *source, uint64_t edition,
				struct policy *policyp)
{
	struct policy policy;
	int result;

	if (policy_file_has_moved(policy_source_file(source)) &&
	    begin_adopting(source)) {
		follow_move(source);
		store_release_u32(&source->is_adopting, 0);
		edition = policy_source_edition(source);
	}
	result = read_edition(source, &edition, &policy);
	/* The next call tries again. */
	if (result == -EAGAIN)
		return POLICY_SAME;
	/* The new policy is damaged: the old one is kept as long as its sets
	 * are there. */
	if (result == 0 || !is_kept(policyp, edition) ||
	    policy_refuses_all(&policy))
		*policyp = policy;
	policyp->edition = edition;
	keep(source, policyp);
	return result == 0 ? POLICY_NEW : POLICY_DAMAGED;
}

enum policy_change policy_source_get(struct policy_source *source,
				     struct policy *policyp)
{
	const uint64_t edition = policy_source_edition(source);
	/* Acquire: the policy that was stored, for this thread's copy. */
	const uint32_t n = load_acquire_u32(&source->n_adopted);

	*policyp = source->policies[n % N_POLICIES_KEPT];
	return policyp->edition == edition ? POLICY_SAME
					   : adopt(source, edition, policyp);
}
