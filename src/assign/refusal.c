/* SPDX-License-Identifier: MIT */
#include "assign/refusal.h"

#include <errno.h>

#include "base/clock.h"
#include "map/ledger.h"
#include "process/process.h"
#include "process/report.h"

/* Reports, and returns the error if the call is to fail. */
static int refuse(struct process *process, const struct policy *policy,
		  struct report report, int error)
{
	report.verdict = policy_observes(policy) ? EVENT_OBSERVED
						 : EVENT_REFUSED;
	report_event(&process->reporter, policy, &report);
	return policy_observes(policy) ? 0 : error;
}

/* Whether the port was passed on or is shared, and so is no server's own. */
static bool was_assigned(const struct process *process, enum protocol protocol,
			 uint16_t port)
{
	uint32_t n_leases;
	bool rests;

	if (process->map.memory == NULL)
		return false;
	return ledger_use(&process->map, protocol, port, clock_now_ms(),
			  &n_leases, &rests) != USE_FREE ||
	       rests;
}

static int refusal_in_range(struct process *process,
			    const struct policy *policy, struct report report)
{
	report.kind = EVENT_SERVER_IN_RANGE;
	if (policy->settings[SETTING_SERVER_IN_RANGE] == SERVER_REFUSE)
		return refuse(process, policy, report, -EACCES);
	report.verdict = EVENT_ALLOWED;
	report_event(&process->reporter, policy, &report);
	return 0;
}

static bool is_outside(const struct policy *policy, enum protocol protocol,
		       uint16_t port)
{
	return policy->settings[SETTING_OUTSIDE] == OUTSIDE_REFUSE &&
	       port >= SERVICE_PORTS_END &&
	       !port_set_has(policy->ranges[protocol][ROLE_OF_LISTEN], port) &&
	       !port_set_has(policy->ranges[protocol][ROLE_OF_CONNECT], port) &&
	       !policy_has(policy->owned[protocol], port);
}

bool refusal_may_concern(const struct policy *policy,
			 const struct fd_facts *facts,
			 const struct endpoint *local)
{
	return local->port != 0 &&
	       (policy_has(policy->refused[facts->protocol], local->port) ||
		policy->settings[SETTING_OUTSIDE] != OUTSIDE_ALLOW ||
		policy->settings[SETTING_SERVER_IN_RANGE] != SERVER_ALLOW);
}

int refusal_of_bind(struct process *process, const struct policy *policy,
		    const struct fd_facts *facts, const struct endpoint *local)
{
	const enum protocol protocol = (enum protocol)facts->protocol;
	const uint16_t port = local->port;
	struct report report = {
		.kind = EVENT_RESERVED,
		.call = CALL_BIND,
		.protocol = protocol,
		.address = local,
	};

	if (policy_has(policy->refused[protocol], port))
		return refuse(process, policy, report, -EACCES);
	if (is_outside(policy, protocol, port)) {
		report.kind = EVENT_OUTSIDE;
		return refuse(process, policy, report, -EADDRINUSE);
	}
	if (policy->settings[SETTING_SERVER_IN_RANGE] != SERVER_ALLOW &&
	    policy_has(policy->dynamic[protocol], port) &&
	    !was_assigned(process, protocol, port))
		return refusal_in_range(process, policy, report);
	return 0;
}

int refusal_of_self_connect(struct process *process,
			    const struct policy *policy, enum protocol protocol,
			    const struct endpoint *remote)
{
	const struct report report = {
		.kind = EVENT_SELF_CONNECT,
		.call = CALL_CONNECT,
		.protocol = protocol,
		.address = remote,
	};

	if (policy->settings[SETTING_SELF_CONNECT] == SELF_CONNECT_ALLOW)
		return 0;
	return refuse(process, policy, report, -ECONNREFUSED);
}

int refusal_without_map(struct process *process, const struct policy *policy,
			enum event_call call, enum protocol protocol)
{
	const struct report report = {
		.kind = policy_refuses_all(policy) ? EVENT_BAD_POLICY
						   : EVENT_NO_MAP,
		.call = call,
		.protocol = protocol,
	};

	if (policy->settings[SETTING_ON_ERROR] != ON_ERROR_REFUSE ||
	    (process->map.shared_error == 0 && !policy_refuses_all(policy)))
		return 0;
	return refuse(process, policy, report, -EACCES);
}
