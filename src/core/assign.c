/* SPDX-License-Identifier: MIT */
#include "core/assign.h"

#include <errno.h>

#include "base/raw.h"
#include "core/call.h"
#include "core/counter.h"
#include "core/endpoint.h"
#include "core/port_pick.h"
#include "core/report.h"
#include "core/socket.h"

static uint32_t pin_bit(const struct fd_facts *facts)
{
	return 1u << (facts->mptcp ? PIN_MPTCP : facts->space);
}

bool assign_can_pin(const struct call *call, uint16_t port)
{
	const struct process *process = call->process;
	/* Relaxed: a feature once found missing; finding it so twice is well. */
	const uint32_t refused = load_relaxed_u32(&process->pin_refused);

	return call->policy.settings[SETTING_PIN] == PIN_YES &&
	       (refused & pin_bit(&call->facts)) == 0 &&
	       kernel_can_pin(&process->kernel, port);
}

int assign_pin(const struct call *call, uint16_t lo, uint16_t hi)
{
	const int result = socket_pin(call->fd, lo, hi);

	if (result == -ENOPROTOOPT || result == -EOPNOTSUPP)
		/* Relaxed: as in assign_can_pin(). */
		or_relaxed_u32(&call->process->pin_refused,
			       pin_bit(&call->facts));
	else if (result < 0 && call->facts.mptcp)
		/* It sets the option before it refuses:
		 * mptcp_setsockopt_sol_ip_set() in net/mptcp/sockopt.c. */
		socket_unpin(call->fd);
	return result;
}

void assign_doubt_pin(const struct call *call, uint16_t port)
{
	const struct report report = {
		.kind = EVENT_PIN_IGNORED, .verdict = EVENT_ALLOWED,
		.call = CALL_NONE,
	};

	if (socket_pin_is_heeded(call->facts.ipv6 ? AF_INET6 : AF_INET, port))
		return;
	report_event(call->process, &call->policy, &report);
	if (kernel_refresh(&call->process->kernel))
		return;
	/* Relaxed: as in assign_can_pin(). */
	or_relaxed_u32(&call->process->pin_refused, UINT32_MAX);
}

void assign_report_exhausted(const struct call *call,
			     const struct endpoint *address)
{
	const struct report report = {
		.kind = EVENT_EXHAUSTED, .verdict = EVENT_REFUSED,
		.call = call->kind, .space = (enum space)call->facts.space,
		.address = address,
	};

	report_event(call->process, &call->policy, &report);
}

bool assign_next_part(const struct call *call, const struct port_pick *pick,
		      uint32_t from, struct range_part *partp)
{
	uint32_t lo, hi;

	if ((int)from == pick->avoid)
		from++;
	if (from >= N_PORTS ||
	    !port_set_next_run(port_pick_range(pick), from, &lo, &hi))
		return false;
	if ((int)lo == pick->avoid)
		return assign_next_part(call, pick, lo, partp);

	const bool can_pin = assign_can_pin(call, (uint16_t)lo);
	uint32_t end = lo;

	while (end < hi && (int)end + 1 != pick->avoid &&
	       assign_can_pin(call, (uint16_t)(end + 1)) == can_pin)
		end++;
	*partp = (struct range_part){ (uint16_t)lo, (uint16_t)end, can_pin };
	return true;
}

void assign_count_filtered(const struct call *call, long result)
{
	if (raw_is_filtered(result))
		counter_add(&call->process->arena, COUNTER_FILTERED);
}

/*
 * The socket's local end. Where a filter forbids to look, the port counts as
 * taken: the next call would find out no more.
 */
static int look(struct call *call, struct endpoint *localp)
{
	const int result = socket_local(call->fd, localp);

	if (raw_is_filtered(result)) {
		call->facts.has_port = 1;
		call->facts.port = 0;
		call->facts.use = USE_FREE;
		process_enter(call->process, call->fd, call->facts);
	}
	return result;
}

void assign_observe(struct call *call)
{
	const struct policy *policy = &call->policy;
	struct fd_facts *facts = &call->facts;
	struct endpoint local;

	if (look(call, &local) < 0 || local.port == 0)
		return;

	const bool is_new = !facts->has_port || facts->port != local.port;

	facts->has_port = 1;
	facts->has_address = !endpoint_is_wildcard(&local);
	facts->loose = 1;
	facts->port = local.port;
	process_enter(call->process, call->fd, *facts);

	const struct report report = {
		.kind = EVENT_UNCOVERED,
		.verdict = policy->settings[SETTING_MODE] == MODE_OBSERVE
			? EVENT_OBSERVED : EVENT_ALLOWED,
		.call = call->kind, .space = (enum space)facts->space,
		.address = &local,
	};

	if (is_new && !port_set_has(
			policy->ranges[facts->space][call_role(call)],
			local.port))
		report_event(call->process, policy, &report);
}

void assign_keep(struct call *call, const struct lease *lease, bool is_pinned,
		 struct kept *keptp)
{
	process_hold(call->process, lease, &call->facts);
	call->facts.pinned = is_pinned;
	keptp->facts = call->facts;
	keptp->is_kept = true;
	keptp->is_entered = process_enter(call->process, call->fd, call->facts);
}

bool assign_withdraw(struct call *call, const struct kept *kept)
{
	struct fd_facts *facts = &call->facts;

	facts->has_port = 0;
	facts->loose = 0;
	facts->pinned = 0;
	facts->use = USE_FREE;
	return !kept->is_entered ||
	       fd_cache_replace(&call->process->cache, call->fd, kept->facts,
				*facts);
}

/* Leases a port that the socket has, where the map lets it be leased. */
static void lease_port(struct call *call, const struct endpoint *local)
{
	struct process *process = call->process;
	struct fd_facts *facts = &call->facts;
	const enum space space = (enum space)facts->space;
	struct lease lease = {
		.space = space,
		.use = facts->has_address ? USE_BOUND : USE_WHOLE,
		.port = local->port,
	};

	if (facts->has_address)
		lease.plane = ledger_plane(space, choice_flow_hash(
			&process->arena.memory->header.key, local, NULL));
	/* Refused where the program shares a port that the map has given
	 * already: the kernel has allowed it, and that counts. */
	if (ledger_lease(&process->arena, &lease) == 0)
		process_hold(process, &lease, facts);
}

void assign_record(struct call *call, bool is_named)
{
	struct fd_facts *facts = &call->facts;
	struct endpoint local;
	const int result = look(call, &local);

	if (raw_is_filtered(result))
		return;
	if (result < 0) {
		/* The next call asks. */
		*facts = (struct fd_facts){ 0 };
		process_enter(call->process, call->fd, *facts);
		return;
	}
	facts->has_port = local.port != 0;
	facts->has_address = !endpoint_is_wildcard(&local);
	facts->port = local.port;
	facts->use = USE_FREE;
	facts->loose = !is_named;
	facts->rests = 0;
	if (facts->has_port && call->process->arena.memory != NULL &&
	    !process_is_away(call->process))
		lease_port(call, &local);
	process_enter(call->process, call->fd, *facts);
}
