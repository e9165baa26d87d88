/* SPDX-License-Identifier: MIT */
#include "core/refusal.h"

#include <errno.h>

#include "base/clock.h"
#include "core/ledger.h"
#include "core/process.h"
#include "core/report.h"

#define SERVICE_PORTS_END 1024u		/* RFC 6335 section 6 */

static bool is_observing(const struct policy *policy)
{
	return policy->settings[SETTING_MODE] == MODE_OBSERVE;
}

/* Reports, and returns the error if it is to be one. */
static int refuse(struct process *process, const struct policy *policy,
		  struct report report, int error)
{
	report.verdict = is_observing(policy) ? EVENT_OBSERVED : EVENT_REFUSED;
	report_event(process, policy, &report);
	return is_observing(policy) ? 0 : error;
}

/* Whether the port is being handed on or shared, and so no server's own. */
static bool was_assigned(const struct process *process, enum space space,
			 uint16_t port)
{
	uint32_t n_leases;
	bool rests;

	if (process->arena.memory == NULL)
		return false;
	return ledger_use(&process->arena, space, port, clock_now_ms(),
			  &n_leases, &rests) != USE_FREE || rests;
}

static int refusal_in_range(struct process *process,
			    const struct policy *policy, struct report report)
{
	report.kind = EVENT_SERVER_IN_RANGE;
	if (policy->settings[SETTING_SERVER_IN_RANGE] == SERVER_REFUSE)
		return refuse(process, policy, report, -EACCES);
	report.verdict = EVENT_ALLOWED;
	report_event(process, policy, &report);
	return 0;
}

static bool is_outside(const struct policy *policy, enum space space,
		       uint16_t port)
{
	return policy->settings[SETTING_OUTSIDE] == OUTSIDE_REFUSE &&
	       port >= SERVICE_PORTS_END &&
	       !port_set_has(policy->ranges[space][ROLE_OF_LISTEN], port) &&
	       !port_set_has(policy->ranges[space][ROLE_OF_CONNECT], port) &&
	       !policy_has(policy->owned[space], port);
}

bool refusal_may_concern(const struct policy *policy,
			 const struct fd_facts *facts,
			 const struct endpoint *local)
{
	return local->port != 0 &&
	       (policy_has(policy->refused[facts->space], local->port) ||
		policy->settings[SETTING_OUTSIDE] != OUTSIDE_ALLOW ||
		policy->settings[SETTING_SERVER_IN_RANGE] != SERVER_ALLOW);
}

int refusal_of_bind(struct process *process, const struct policy *policy,
		    const struct fd_facts *facts, const struct endpoint *local)
{
	const enum space space = (enum space)facts->space;
	const uint16_t port = local->port;
	struct report report = {
		.kind = EVENT_RESERVED, .call = CALL_BIND, .space = space,
		.address = local,
	};

	if (policy_has(policy->refused[space], port))
		return refuse(process, policy, report, -EACCES);
	if (is_outside(policy, space, port)) {
		report.kind = EVENT_OUTSIDE;
		return refuse(process, policy, report, -EADDRINUSE);
	}
	if (policy->settings[SETTING_SERVER_IN_RANGE] != SERVER_ALLOW &&
	    policy_has(policy->dynamic[space], port) &&
	    !was_assigned(process, space, port))
		return refusal_in_range(process, policy, report);
	return 0;
}

int refusal_of_self_connect(struct process *process,
			    const struct policy *policy, enum space space,
			    const struct endpoint *remote)
{
	const struct report report = {
		.kind = EVENT_SELF_CONNECT, .call = CALL_CONNECT,
		.space = space, .address = remote,
	};

	if (policy->settings[SETTING_SELF_CONNECT] == SELF_CONNECT_ALLOW)
		return 0;
	return refuse(process, policy, report, -ECONNREFUSED);
}

int refusal_without_arena(struct process *process, const struct policy *policy,
			  enum event_call call, enum space space)
{
	const struct report report = {
		.kind = policy_refuses_all(policy) ? EVENT_BAD_POLICY
						   : EVENT_NO_ARENA,
		.call = call, .space = space,
	};

	if (policy->settings[SETTING_ON_ERROR] != ON_ERROR_REFUSE ||
	    (process->arena.shared_error == 0 && !policy_refuses_all(policy)))
		return 0;
	return refuse(process, policy, report, -EACCES);
}
