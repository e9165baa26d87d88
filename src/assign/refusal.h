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
 * An explicit bind. Returns 0 to go on; -EACCES for a port that is reserved for
 * others, or in a range where servers are refused; -EADDRINUSE outside of the
 * process's range where that is refused, so that a program which tries ports of
 * its own goes on to another.
 *
 * A port that rests, or that somebody under Berth has, is never refused for
 * being in a range: it was handed on, or is shared (SO_REUSEPORT).
 */
int refusal_of_bind(struct process *process, const struct policy *policy,
		    const struct fd_facts *facts,
		    const struct endpoint *local);

/* Whether refusal_of_bind() may refuse or report: a look that changes nothing. */
bool refusal_may_concern(const struct policy *policy,
			 const struct fd_facts *facts,
			 const struct endpoint *local);

/*
 * A connect of a stream socket to itself, as the caller has found. Returns 0 or
 * -ECONNREFUSED, what it would get with nobody listening.
 */
int refusal_of_self_connect(struct process *process,
			    const struct policy *policy, enum protocol protocol,
			    const struct endpoint *remote);

/*
 * Whether the policy forbids to go on without shared memory, or without what
 * the process should follow, see policy_refuses_all(). Returns 0 or -EACCES.
 */
int refusal_without_map(struct process *process, const struct policy *policy,
			  enum event_call call, enum protocol protocol);
