/* SPDX-License-Identifier: MIT */
#include "policy/source.h"

#include <errno.h>

/* Loads that may overtake the reading of a policy before the old is kept. */
#define MAX_ROUNDS 8

int policy_source_open(struct policy_source *source,
		       char *(*lookup)(const char *name),
		       const struct kernel *kernel,
		       const struct place *place,
		       struct environment_error *errorp)
{
	const int result = environment_read(lookup, kernel,
					    &source->environment, errorp);

	identity_read(&source->identity, &place->users,
		      source->environment.profile);
	source->place = *place;
	/* Without a file, the environment's stays. */
	(void)policy_file_open(place, POLICY_CREATE, &source->files[0], NULL);
	policy_of_environment(&source->environment, &source->policies[0]);
	/* Perhaps it should follow one that it could not look at. */
	source->policies[0].is_guess |= source->files[0].is_unknown;
	return result;
}

/* What the file has in an edition. */
static struct policy_in_force in_force(struct policy_source *source,
				       uint64_t edition)
{
	static const char unreadable[] = "";
	struct policy_file *file = &source->files[edition >> 60];
	struct policy_in_force offered = {
		.by_root = file->by_root,
		.on_error = policy_file_on_error(file, edition),
	};

	/* The image of one that cannot be followed is no image. */
	if ((edition & 1) != 0 &&
	    (policy_file_has_moved(file) ||
	     policy_file_image(file, edition, &offered.image,
			       &offered.size) < 0))
		offered.image = unreadable;
	return offered;
}

/*
 * Returns 0 or -EINVAL, and *policyp is of the edition that *editionp then is;
 * -EAGAIN when one load after the other has overtaken it.
 */
static int read_edition(struct policy_source *source,
			uint64_t *editionp, struct policy *policyp)
{
	const struct subject subject = identity_subject(&source->identity);

	for (int round = 0; round < MAX_ROUNDS; round++) {
		const uint64_t edition = *editionp;
		const struct policy_in_force offered =
			in_force(source, edition);
		const enum policy_settled settled = policy_settle(
			&offered, &subject, &source->environment, policyp,
			NULL);

		if (settled == SETTLED_RULE)
			policyp->origin = edition;
		else if (settled == SETTLED_NONE)
			policyp->is_guess |=
				source->files[edition >> 60].is_unknown;
		*editionp = policy_source_edition(source);
		/* What was read lay still: see policy/layout.h. */
		if (*editionp == edition)
			return settled == SETTLED_DAMAGED ? -EINVAL : 0;
	}
	return -EAGAIN;
}

/* Acq_rel: one writes; what the last one wrote is before it. */
static bool begin_adopting(struct policy_source *source)
{
	uint32_t expected = 0;

	return swap_if_acq_rel_u32(&source->is_adopting, &expected, 1);
}

/* The policy lies in another file now: in the first that is found anew. */
static void follow_move(struct policy_source *source)
{
	/* Relaxed: only who has is_adopting changes it. */
	const uint32_t n = load_relaxed_u32(&source->n_moves);

	if (n + 1 == N_FILES_KEPT || !policy_file_has_moved(&source->files[n]))
		return;
	(void)policy_file_open(&source->place, POLICY_EXISTING,
			       &source->files[n + 1], NULL);
	/* Release: the file, before any thread reads it. */
	store_release_u32(&source->n_moves, n + 1);
}

/* Where another thread, or the code under a signal handler, is at it, the copy
 * serves this call alone. */
static void keep(struct policy_source *source, const struct policy *policy)
{
	if (!begin_adopting(source))
		return;

	/* Relaxed: only who has is_adopting changes it. */
	const uint32_t n = load_relaxed_u32(&source->n_adopted) + 1;

	source->policies[n % N_POLICIES_KEPT] = *policy;
	/* Release: the policy, before any thread copies it. */
	store_release_u32(&source->n_adopted, n);
	store_release_u32(&source->is_adopting, 0);
}

/* Whether what a policy's sets lie in has not been written since. */
static bool is_kept(const struct policy *policy, uint64_t edition)
{
	return policy->origin != 0 &&
	       edition / 2 - policy->origin / 2 < N_POLICY_SLOTS;
}

static enum policy_change adopt(struct policy_source *source,
				uint64_t edition, struct policy *policyp)
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
	/* A damaged one: the old is kept, as long as it lies there. */
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
	/* Acquire: the policy that was kept, for this thread's copy. */
	const uint32_t n = load_acquire_u32(&source->n_adopted);

	*policyp = source->policies[n % N_POLICIES_KEPT];
	return policyp->edition == edition ? POLICY_SAME
					   : adopt(source, edition, policyp);
}
