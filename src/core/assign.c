/* SPDX-License-Identifier: MIT */
#include "core/assign.h"

#include <errno.h>

#include "base/raw.h"
#include "core/counter.h"
#include "core/endpoint.h"
#include "core/port_pick.h"
#include "core/report.h"
#include "core/socket.h"

static uint32_t pin_bit(const struct fd_facts *facts)
{
	return 1u << (facts->mptcp ? PIN_MPTCP : facts->space);
}

bool assign_can_pin(const struct process *process, const struct policy *policy,
		    const struct fd_facts *facts, uint16_t port)
{
	/* Relaxed: a feature once found missing; finding it so twice is well. */
	const uint32_t refused = load_relaxed_u32(&process->pin_refused);

	return policy->settings[SETTING_PIN] == PIN_YES &&
	       (refused & pin_bit(facts)) == 0 &&
	       kernel_can_pin(&process->kernel, port);
}

int assign_pin(struct process *process, int fd, const struct fd_facts *facts,
	       uint16_t lo, uint16_t hi)
{
	const int result = socket_pin(fd, lo, hi);

	if (result == -ENOPROTOOPT || result == -EOPNOTSUPP)
		/* Relaxed: as in assign_can_pin(). */
		or_relaxed_u32(&process->pin_refused, pin_bit(facts));
	return result;
}

void assign_distrust_pin(struct process *process, const struct policy *policy)
{
	const struct report report = {
		.kind = EVENT_PIN_IGNORED, .verdict = EVENT_ALLOWED,
		.call = CALL_NONE,
	};

	report_event(process, policy, &report);
	/* Relaxed: as in assign_can_pin(). */
	or_relaxed_u32(&process->pin_refused, UINT32_MAX);
}

void assign_report_exhausted(const struct port_pick *pick, enum event_call call,
			     const struct endpoint *address)
{
	const struct report report = {
		.kind = EVENT_EXHAUSTED, .verdict = EVENT_REFUSED,
		.call = call, .space = pick->wanted.space, .address = address,
	};

	report_event(pick->process, &pick->policy, &report);
}

bool assign_next_part(const struct port_pick *pick,
		      const struct fd_facts *facts, uint32_t from,
		      struct range_part *partp)
{
	uint32_t lo, hi;

	if ((int)from == pick->avoid)
		from++;
	if (from >= N_PORTS ||
	    !port_set_next_run(port_pick_range(pick), from, &lo, &hi))
		return false;
	if ((int)lo == pick->avoid)
		return assign_next_part(pick, facts, lo, partp);

	const bool can_pin = assign_can_pin(pick->process, &pick->policy,
					    facts, (uint16_t)lo);
	uint32_t end = lo;

	while (end < hi && (int)end + 1 != pick->avoid &&
	       assign_can_pin(pick->process, &pick->policy, facts,
			      (uint16_t)(end + 1)) == can_pin)
		end++;
	*partp = (struct range_part){ (uint16_t)lo, (uint16_t)end, can_pin };
	return true;
}

void assign_count_filtered(struct process *process, long result)
{
	if (raw_is_filtered(result))
		counter_add(&process->arena, COUNTER_FILTERED);
}

/* Where a filter forbids to look, the port is settled: the next call would find
 * out no more. */
static int look(struct process *process, int fd, struct fd_facts *factsp,
		struct endpoint *localp)
{
	const int result = socket_local(fd, localp);

	if (raw_is_filtered(result)) {
		factsp->has_port = 1;
		factsp->port = 0;
		factsp->use = USE_FREE;
		process_enter(process, fd, *factsp);
	}
	return result;
}

void assign_observe(struct process *process, const struct policy *policy,
		    int fd, struct fd_facts *factsp, enum role role,
		    enum event_call call)
{
	struct endpoint local;

	if (look(process, fd, factsp, &local) < 0 || local.port == 0)
		return;
	factsp->has_port = 1;
	factsp->has_address = !endpoint_is_wildcard(&local);
	factsp->port = local.port;
	process_enter(process, fd, *factsp);

	const struct report report = {
		.kind = EVENT_UNCOVERED,
		.verdict = policy->settings[SETTING_MODE] == MODE_OBSERVE
			? EVENT_OBSERVED : EVENT_ALLOWED,
		.call = call, .space = (enum space)factsp->space,
		.address = &local,
	};

	if (!port_set_has(policy->ranges[factsp->space][role], local.port))
		report_event(process, policy, &report);
}

void assign_record(struct process *process, int fd, struct fd_facts *factsp)
{
	struct arena_memory *memory = process->arena.memory;
	struct endpoint local;

	const int result = look(process, fd, factsp, &local);

	if (raw_is_filtered(result))
		return;
	if (result < 0) {
		/* The next call asks. */
		*factsp = (struct fd_facts){ .copied = factsp->copied };
		process_enter(process, fd, *factsp);
		return;
	}
	factsp->has_port = local.port != 0;
	factsp->has_address = !endpoint_is_wildcard(&local);
	factsp->port = local.port;
	factsp->use = USE_FREE;
	factsp->loose = 0;
	factsp->tried = 0;
	factsp->rests = 0;
	if (factsp->has_port && memory != NULL) {
		const enum space space = (enum space)factsp->space;
		struct lease lease = {
			.space = space,
			.use = factsp->has_address ? USE_BOUND : USE_WHOLE,
			.port = local.port,
		};

		if (factsp->has_address)
			lease.plane = ledger_plane(space, choice_flow_hash(
				&memory->header.key, &local, NULL));
		/* Refused where the program shares a port that the map has
		 * given already: the kernel has allowed it, and that counts. */
		if (ledger_lease(&process->arena, &lease) == 0)
			process_hold(process, &lease, factsp);
	}
	process_enter(process, fd, *factsp);
}
