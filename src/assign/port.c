/* SPDX-License-Identifier: MIT */
#include "assign/port.h"

#include <errno.h>

#include "assign/assigning.h"
#include "kernel/socket.h"
#include "map/event.h"
#include "process/descriptors.h"

/* --- asking the kernel ---------------------------------------------------- */

static enum port_outcome try_each(struct assigning *self,
				  const struct range_part *part)
{
	enum port_outcome outcome = PORT_NEXT;

	for (uint32_t port = part->lo; port <= part->hi && outcome == PORT_NEXT;
	     port++)
		outcome = assigning_try_port(self, (uint16_t)port);
	return outcome;
}

static enum port_outcome try_part(struct assigning *self,
				  const struct range_part *part)
{
	enum port_outcome outcome = PORT_NO_PIN;

	if (part->can_pin && !self->tests_first)
		outcome = assigning_try_pinned(self, part->lo, part->hi);
	/* Sockets share a port only where the kernel chooses it. */
	return outcome == PORT_NO_PIN && !self->shares ? try_each(self, part)
						       : outcome;
}

/* Asks the kernel about every port of the range, whatever the map shows. */
static enum port_outcome ask_kernel(struct assigning *self)
{
	enum port_outcome outcome = PORT_NEXT;
	struct range_part part;
	uint32_t from = 0;

	while (outcome == PORT_NEXT &&
	       assign_next_part(self->call, &self->pick, from, &part)) {
		outcome = try_part(self, &part);
		if (outcome == PORT_NO_PIN)
			outcome = PORT_NEXT;
		from = part.hi + 1u;
	}
	return outcome;
}

/* --- the search ----------------------------------------------------------- */

/* The map or the kernel has given the socket its port. */
static void enter(struct assigning *self)
{
	struct call *call = self->call;

	call->facts.unlocked = !self->is_bound;
	call->facts.rests = assigning_rests(self);
	process_set(call->process, call->fd, call->facts);
}

static void keep(struct assigning *self, const struct lease *lease)
{
	process_note_lease(self->call->process, lease, &self->call->facts);
	if (assigning_is_bind(self) && lease->use == USE_BOUND)
		self->call->facts.has_address = 1;
	self->call->facts.pinned = 0;
	enter(self);
}

static void adopt(struct assigning *self)
{
	assign_record(self->call, self->is_bound);
	if (self->call->facts.known)
		enter(self);
}

/* The call was made, but the socket does not have the port of the candidate. */
static void end(struct assigning *self)
{
	struct call *call = self->call;

	if (self->shown != 0 &&
	    (self->result < 0 || assigning_has_port(self, self->shown)))
		return;
	assign_record_choice(call, self->result);
}

static void give_up(struct assigning *self)
{
	self->result = assigning_error_of_exhaustion(self->call);
	assign_report_exhausted(self->call, &self->local);
	if (self->has_tried_bind && !assigning_is_bind(self) &&
	    !endpoint_is_wildcard(&self->local))
		socket_bind_address(self->call->fd, &self->local);
}

/* Tries one candidate, and releases it if the socket does not have it then. */
static enum port_outcome try_lease(struct assigning *self,
				   const struct lease *lease)
{
	enum port_outcome outcome;

	self->lease = lease;
	self->kept = (struct kept){ .is_kept = false };
	outcome = assigning_try_port(self, lease->port);
	self->lease = NULL;
	if (outcome == PORT_TAKEN)
		keep(self, lease);
	else if (self->kept.is_kept &&
		 !assign_withdraw(self->call, &self->kept))
		return outcome;
	else if (outcome == PORT_ENDED)
		port_pick_reject(&self->pick, lease);
	else if (outcome == PORT_NEXT)
		port_pick_reject_foreign(&self->pick, lease);
	return outcome;
}

static enum port_outcome search(struct assigning *self)
{
	struct lease lease;

	while (port_pick_next(&self->pick, &lease)) {
		const enum port_outcome outcome = try_lease(self, &lease);

		if (outcome == PORT_ENDED)
			end(self);
		if (outcome != PORT_NEXT)
			return outcome;
		event_count(&self->call->process->map, COUNTER_FOREIGN);
	}
	return PORT_NEXT;
}

/* ip-sysctl.rst: with ip_autobind_reuse, sockets that have SO_REUSEADDR share
 * the ports of a full range. */
static bool may_share(struct assigning *self)
{
	if (!assigning_is_tcp(self) ||
	    !self->call->process->kernel.autobind_reuse)
		return false;
	assigning_read_sharing(self);
	return self->reuse_address != 0;
}

/* The map has no port left. */
static enum port_outcome search_kernel(struct assigning *self)
{
	enum port_outcome outcome;

	event_count(&self->call->process->map, COUNTER_KERNEL_ASKED);
	outcome = ask_kernel(self);
	if (outcome == PORT_NEXT && may_share(self)) {
		self->shares = true;
		outcome = ask_kernel(self);
	}
	if (outcome == PORT_TAKEN)
		adopt(self);
	else if (outcome == PORT_ENDED)
		end(self);
	return outcome;
}

/* The address of the port: the one that a bind names, or the one that the
 * socket has. */
static void read_local(struct assigning *self, struct endpoint *remotep)
{
	struct call *call = self->call;

	self->local.family = (uint16_t)facts_family(&call->facts);
	if (assigning_is_bind(self))
		endpoint_read(call->address, call->length, &self->local);
	else
		socket_local(call->fd, &self->local);
	self->local.port = 0;
	/* Assigns a port other than the destination's, where that matters. */
	*remotep = (struct endpoint){ .port = 0 };
	if (call->facts.protocol == PROTOCOL_SCTP &&
	    call_role(call) == ROLE_OF_CONNECT)
		endpoint_read(call->address, call->length, remotep);
}

/* The socket has a port by now, which a child process may have taken for it. */
static bool has_port_unknown(const struct assigning *self)
{
	struct endpoint local;

	return !assigning_is_tcp(self) &&
	       socket_local(self->call->fd, &local) == 0 && local.port != 0;
}

static void begin(struct assigning *self)
{
	struct call *call = self->call;
	struct endpoint remote;

	read_local(self, &remote);
	if (assigning_is_udp(self))
		assigning_read_sharing(self);
	self->has_port = has_port_unknown(self);

	const bool whole = call->is_whole || endpoint_is_wildcard(&self->local);
	const struct port_wish wish = {
		.protocol = (enum protocol)call->facts.protocol,
		.use = whole ? USE_WHOLE : USE_BOUND,
		.role = call_role(call),
		.local = whole ? NULL : &self->local,
		.remote = remote.port != 0 ? &remote : NULL,
	};

	port_pick_start(&self->pick, call->process, &call->policy, &wish);
}

/*
 * The program has set a range where no hook has seen it, as in a child process.
 */
static bool has_own_range(struct call *call)
{
	call->facts.own_range = socket_range(call->fd, call->facts.mptcp) ==
				RANGE_OF_PROGRAM;
	if (call->facts.own_range)
		process_set(call->process, call->fd, call->facts);
	return call->facts.own_range;
}

long assign_port(struct call *call)
{
	struct assigning self = {
		.call = call,
		.shown = call->facts.has_port ? (uint16_t)call->facts.port : 0,
	};
	enum port_outcome outcome;

	if (has_own_range(call))
		return call->make(call, 0);
	begin(&self);
	if (self.has_port) {
		assigning_make(&self);
		end(&self);
		return self.result;
	}
	outcome = search(&self);
	if (outcome == PORT_NEXT)
		outcome = search_kernel(&self);
	if (self.pinned)
		socket_unpin(call->fd);
	if (outcome == PORT_NEXT)
		give_up(&self);
	return self.result;
}
