/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What one process is assigned and what it is refused: its rule, as pointers to
 * sets that lie in the policy file or in the environment's. It is small and
 * copied, so that a call uses one policy from its beginning to its end.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/port_set.h"
#include "kernel/protocol.h"
#include "map/event.h"
#include "policy/environment.h"
#include "policy/image.h"

struct policy {
	uint64_t edition; /* of the policy file when it was taken */
	uint64_t origin;  /* edition that its sets lie in; 0 = environment */
	const struct port_set *ranges[N_PROTOCOLS][N_ROLES]; /* to assign */
	/* Each of these may be NULL, for a set without a port. */
	const struct port_set *avoided[N_PROTOCOLS]; /* never assigned */
	const struct port_set *refused[N_PROTOCOLS]; /* reserved for others */
	const struct port_set *owned[N_PROTOCOLS];   /* reserved for this one */
	const struct port_set *dynamic[N_PROTOCOLS]; /* what any rule assigns */
	uint32_t rest_ms;			     /* 0 = as the map says */
	uint8_t settings[N_SETTINGS];
	/* The policy for this process cannot be read, or its environment is
	 * refused */
	bool is_guess;
	char rule[EVENT_RULE_SIZE]; /* its name, perhaps cut off */
};

/* The policy of a process where no policy is in force. */
void policy_of_environment(const struct environment *environment,
			   struct policy *policyp);

/*
 * The policy of a rule, with what the environment may add: BERTH_LOG, and the
 * stricter value of BERTH_PIN and BERTH_ON_ERROR. edition is not changed.
 * Returns 0; or -EINVAL for a rule that is damaged, *policyp then undefined.
 */
int policy_of_rule(const struct policy_tables *tables,
		   const struct policy_rule *rule,
		   const struct environment *environment,
		   struct policy *policyp);

/* The policy that root or another user has put in force. */
struct policy_in_force {
	const void *image; /* NULL = no policy */
	size_t size;	   /* of the memory that the image lies in */
	bool by_root;
	enum on_error on_error; /* what a process does that cannot follow it */
};

/* Which of the two holds for a process, and why. */
enum policy_settled {
	SETTLED_RULE, /* a rule of the policy in force */
	SETTLED_NONE, /* nothing is in force: the environment */
	/* The environment, which names ports; the policy in force is not
	 * root's */
	SETTLED_NAMED,
	/* The policy in force is damaged, or another version's: ports are
	 * refused, or left to the kernel, as on-error says */
	SETTLED_DAMAGED,
};

/*
 * The only place that decides which policy holds for a process: the policy in
 * force if root has put it in force or the environment names no ports, else the
 * environment's. *policyp is filled in each case, but edition and origin are 0.
 * *rulep (may be NULL) is the rule in the image with SETTLED_RULE, else NULL.
 */
enum policy_settled policy_settle(const struct policy_in_force *in_force,
				  const struct program *program,
				  const struct environment *environment,
				  struct policy *policyp,
				  const struct policy_rule **rulep);

/* Whether nothing is assigned or refused, but only reported. */
static inline bool policy_observes(const struct policy *policy)
{
	return policy->settings[SETTING_MODE] == MODE_OBSERVE;
}

/*
 * Whether the process is refused every port: on-error says so, and its policy
 * is not known.
 */
static inline bool policy_refuses_all(const struct policy *policy)
{
	return policy->is_guess &&
	       policy->settings[SETTING_ON_ERROR] == ON_ERROR_REFUSE;
}

/* Whether a set that may be NULL has a port. */
static inline bool policy_has(const struct port_set *set, uint16_t port)
{
	return set != NULL && port_set_has(set, port);
}
