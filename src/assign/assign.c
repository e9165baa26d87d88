/* SPDX-License-Identifier: MIT */
#include "assign/assign.h"

#include <errno.h>

#include "assign/call.h"
#include "assign/pick.h"
#include "base/raw.h"
#include "kernel/endpoint.h"
#include "kernel/socket.h"
#include "map/event.h"
#include "process/descriptors.h"
#include "process/query.h"
#include "process/report.h"

static uint32_t pin_bit(const struct fd_facts *facts)
{
	return 1u << (facts->mptcp ? PIN_MPTCP : facts->protocol);
}

bool assign_can_pin(const struct call *call, uint16_t port)
{
	const struct process *process = call->process;
	/* Relaxed: a flag that is only ever set; setting it twice does no
	 * harm. */
	const uint32_t refused = load_relaxed_u32(&process->pin_refused);

	return call->policy.settings[SETTING_PIN] == PIN_YES &&
	       (refused & pin_bit(&call->facts)) == 0 &&
	       kernel_can_pin(&process->kernel, port);
}

static void note_refused_pin(const struct call *call)
{
	if (call_is_as_known(call))
		/* Relaxed: as in assign_can_pin(). */
		or_relaxed_u32(&call->process->pin_refused,
			       pin_bit(&call->facts));
}

int assign_pin(const struct call *call, uint16_t lo, uint16_t hi)
{
	const int result = socket_pin(call->fd, lo, hi);

	if (result == -ENOPROTOOPT || result == -EOPNOTSUPP)
		note_refused_pin(call);
	else if (result < 0 && call->facts.mptcp)
		/* MPTCP sets the option before it refuses it:
		 * mptcp_setsockopt_sol_ip_set() in net/mptcp/sockopt.c. */
		socket_unpin(call->fd);
	return result;
}

void assign_check_pin(const struct call *call, uint16_t port)
{
	const struct report report = {
		.kind = EVENT_PIN_IGNORED,
		.verdict = EVENT_ALLOWED,
		.call = CALL_NONE,
	};

	if (socket_pin_is_heeded(facts_family(&call->facts), port))
		return;
	report_event(&call->process->reporter, &call->policy, &report);
	if (kernel_refresh(&call->process->kernel))
		return;
	/* Relaxed: as in assign_can_pin(). */
	or_relaxed_u32(&call->process->pin_refused, UINT32_MAX);
}

void assign_report_exhausted(const struct call *call,
			     const struct endpoint *address)
{
	const struct report report = {
		.kind = EVENT_EXHAUSTED,
		.verdict = EVENT_REFUSED,
		.call = call->kind,
		.protocol = (enum protocol)call->facts.protocol,
		.address = address,
	};

	report_event(&call->process->reporter, &call->policy, &report);
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
		event_count(&call->process->map, COUNTER_FILTERED);
}

/*
 * The socket's local address. Where a filter forbids the question, the port
 * counts as taken: a later question would be refused too.
 */
static int look(struct call *call, struct endpoint *localp)
{
	const int result = socket_local(call->fd, localp);

	if (raw_is_filtered(result)) {
		call->facts.has_port = 1;
		call->facts.port = 0;
		call->facts.use = USE_FREE;
		process_set(call->process, call->fd, call->facts);
	}
	return result;
}

/*
 * A connect gives the socket an address for the connection. A bind gives it one
 * that stays; after it, even when it is bound to none again, what a connect
 * gives stays too: SOCK_BINDADDR_LOCK in net/ipv4/af_inet.c.
 */
static bool is_bound_to(const struct call *call, long result,
			const struct endpoint *local)
{
	return call->facts.has_address ||
	       (call->kind == CALL_BIND && result >= 0 &&
		!endpoint_is_wildcard(local));
}

static bool has_this_port(const struct fd_facts *facts, uint16_t port)
{
	return facts->has_port && facts->port == port;
}

/* Reports a port that the kernel has chosen, if it lies outside the range. */
static void report_uncovered(const struct call *call,
			     const struct endpoint *local)
{
	const struct policy *policy = &call->policy;
	const enum protocol protocol = (enum protocol)call->facts.protocol;
	const struct report report = {
		.kind = EVENT_UNCOVERED,
		.verdict = policy_observes(policy) ? EVENT_OBSERVED
						   : EVENT_ALLOWED,
		.call = call->kind,
		.protocol = protocol,
		.address = local,
	};

	if (!port_set_has(policy->ranges[protocol][call_role(call)],
			  local->port))
		report_event(&call->process->reporter, policy, &report);
}

void assign_observe(struct call *call, long call_result)
{
	struct fd_facts *facts = &call->facts;
	struct endpoint local;
	const int result = look(call, &local);

	assign_count_filtered(call, result);
	if (result < 0 || local.port == 0)
		return;

	const bool is_new = !has_this_port(facts, local.port);

	facts->has_port = 1;
	facts->has_address = is_bound_to(call, call_result, &local);
	facts->unlocked = 1;
	facts->port = local.port;
	process_set(call->process, call->fd, *facts);
	if (is_new)
		report_uncovered(call, &local);
}

void assign_keep(struct call *call, const struct lease *lease, bool is_pinned,
		 struct kept *keptp)
{
	process_note_lease(call->process, lease, &call->facts);
	call->facts.pinned = is_pinned;
	keptp->facts = call->facts;
	keptp->is_kept = true;
	keptp->is_entered = process_set(call->process, call->fd, call->facts);
}

bool assign_withdraw(struct call *call, const struct kept *kept)
{
	struct fd_facts *facts = &call->facts;

	facts->has_port = 0;
	facts->unlocked = 0;
	facts->pinned = 0;
	facts->use = USE_FREE;
	return !kept->is_entered ||
	       process_withdraw(call->process, call->fd, kept->facts, *facts);
}

/* Leases a port that the socket has, where the map lets it be leased. */
static void lease_port(struct call *call, const struct endpoint *local)
{
	struct process *process = call->process;
	struct fd_facts *facts = &call->facts;
	const enum protocol protocol = (enum protocol)facts->protocol;
	const bool is_whole = endpoint_is_wildcard(local);
	struct lease lease = {
		.protocol = protocol,
		.use = is_whole ? USE_WHOLE : USE_BOUND,
		.port = local->port,
	};

	if (!is_whole)
		lease.plane = ledger_plane(
			protocol,
			choice_flow_hash(&process->map.memory->header.key,
					 local, NULL));
	/* Refused where the program shares a port that is leased already: the
	 * kernel has allowed it, and decides. */
	if (ledger_lease(&process->map, &lease) == 0)
		process_note_lease(process, &lease, facts);
}

/* Enters the local address that the socket has after a call. */
static void enter_local(struct call *call, long call_result, bool is_named,
			const struct endpoint *local)
{
	struct fd_facts *facts = &call->facts;

	facts->has_port = local->port != 0;
	facts->has_address = is_bound_to(call, call_result, local);
	facts->port = local->port;
	facts->use = USE_FREE;
	facts->unlocked = !is_named;
	facts->rests = 0;
	if (facts->has_port && call->process->map.memory != NULL &&
	    !process_is_away(call->process))
		lease_port(call, local);
	process_set(call->process, call->fd, *facts);
}

static int record(struct call *call, long call_result, bool is_named,
		  struct endpoint *localp)
{
	const int result = look(call, localp);

	if (result == 0) {
		enter_local(call, call_result, is_named, localp);
	} else if (!raw_is_filtered(result)) {
		/* The next call asks the kernel. */
		call->facts = (struct fd_facts){ 0 };
		process_set(call->process, call->fd, call->facts);
	}
	return result;
}

void assign_record(struct call *call, bool is_named)
{
	struct endpoint local;

	record(call, 0, is_named, &local);
}

void assign_record_bind(struct call *call, const struct endpoint *named)
{
	struct endpoint local;

	/* The kernel has just accepted the port that the program named. */
	if (socket_local(call->fd, &local) < 0)
		local = *named;
	enter_local(call, 0, named->port != 0, &local);
}

void assign_record_choice(struct call *call, long call_result)
{
	const struct fd_facts before = call->facts;
	struct endpoint local;
	const int result = record(call, call_result, false, &local);

	if (result < 0)
		process_tell_unknown(call->process, result);
	else if (local.port != 0 && !has_this_port(&before, local.port))
		report_uncovered(call, &local);
}
