/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a policy refuses. Each refusal is reported, see report.h; in observe
 * mode it is reported and nothing is refused. Lock-free, async-signal-safe.
 */

#include "map/event.h"
#include "policy/policy.h"
#include "process/fd_cache.h"

struct endpoint;
struct process;

/*
 * For an explicit bind. Returns 0 to go on; -EACCES for a port that is reserved
 * for others, or in a range where servers are refused; -EADDRINUSE outside the
 * process's range where that is refused, so that a program which tries several
 * ports goes on to the next.
 *
 * A port that rests, or that a program under Berth has, is never refused for
 * being in a range: it was passed on, or is shared (SO_REUSEPORT).
 */
int refusal_of_bind(struct process *process, const struct policy *policy,
		    const struct fd_facts *facts, const struct endpoint *local);

/*
 * Whether refusal_of_bind() may refuse or report: a check that changes nothing.
 */
bool refusal_may_concern(const struct policy *policy,
			 const struct fd_facts *facts,
			 const struct endpoint *local);

/*
 * For a connect of a stream socket to itself, as the caller has determined.
 * Returns 0 or -ECONNREFUSED, the error where nobody listens.
 */
int refusal_of_self_connect(struct process *process,
			    const struct policy *policy, enum protocol protocol,
			    const struct endpoint *remote);

/*
 * Whether the policy refuses calls without shared memory, or while the
 * process's policy is not known, see policy_refuses_all(). Returns 0 or
 * -EACCES.
 */
int refusal_without_map(struct process *process, const struct policy *policy,
			enum event_call call, enum protocol protocol);
