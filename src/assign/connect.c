/* SPDX-License-Identifier: MIT */
#include "assign/connect.h"

#include <errno.h>

#include "assign/connecting.h"
#include "base/raw.h"
#include "kernel/socket.h"
#include "kernel/socket_table.h"
#include "map/event.h"
#include "process/descriptors.h"

/*
 * How many candidates the kernel may refuse before it is asked to choose
 * itself: a failed pin and connect takes 2 us, the kernel's own search some 400
 * us in a full range.
 */
#define MAX_TRIES 32

/* Returns whether the result of the call is final. */
static bool try_leases(struct connecting *self)
{
	struct lease lease;

	for (int tries = 0;
	     tries < MAX_TRIES && port_pick_next(&self->pick, &lease); tries++)
		if (connecting_try_lease(self, &lease) == CONNECT_DONE)
			return true;
	return false;
}

/* The local ports that the kernel uses towards one destination. */
struct ports_towards {
	const struct endpoint *remote;
	struct port_set ports;
};

static bool note_port(const struct kernel_socket *socket, void *context)
{
	struct ports_towards *towards = context;

	if (socket->remote.port == towards->remote->port &&
	    endpoint_same_address(&socket->remote, towards->remote))
		port_set_add(&towards->ports, socket->local.port,
			     socket->local.port);
	return true;
}

static enum connect_outcome bind_any_of(struct connecting *self,
					const struct range_part *part,
					const struct ports_towards *towards)
{
	for (uint32_t port = part->lo; port <= part->hi; port++) {
		const bool is_used = towards != NULL &&
				     port_set_has(&towards->ports, port);
		const int bound =
			is_used ? -EADDRINUSE
				: connecting_bind_shared(self, (uint16_t)port);

		assign_count_filtered(self->call, bound);
		if (bound < 0 && !raw_is_filtered(bound))
			continue;
		if (bound == 0)
			connecting_adopt(self, (uint16_t)port, false);
		connecting_make(self);
		connecting_end_on_bind(self);
		return CONNECT_DONE;
	}
	return CONNECT_NEXT;
}

/* No port is left: the socket is put back to its state before the search. */
static void give_up(struct connecting *self)
{
	struct call *call = self->call;

	self->result = -EADDRNOTAVAIL;
	assign_report_exhausted(call, self->remote);
	process_drop_port(call->process, call->fd, &call->facts);
	if (self->has_tried_bind &&
	    (call->facts.has_address || endpoint_is_ipv4(&self->local)))
		socket_bind_address(call->fd, &self->local);
}

/* The caller releases the memory; NULL where there is none. */
static struct ports_towards *list_ports_towards(const struct endpoint *remote)
{
	struct ports_towards *towards = raw_map_private(sizeof(*towards));

	if (towards == NULL)
		return NULL;
	towards->remote = remote;
	socket_table_list(PROTOCOL_TCP, ANY_PORT, note_port, towards);
	return towards;
}

/*
 * With a pin to a port that is in use, the kernel returns the error of all
 * other checks first.
 */
static enum connect_outcome ask_with_taken_port(struct connecting *self)
{
	enum connect_outcome outcome = CONNECT_NO_PIN;
	uint16_t port;
	const int fd = socket_take_port(self->local.family, &port);

	if (fd < 0)
		return outcome;
	if (assign_can_pin(self->call, port))
		outcome = connecting_try_pinned(self, NULL, port, port);
	raw_close(fd);
	return outcome;
}

/*
 * Whether the socket is in use, maybe by a connect of another process: it has a
 * port then, and needs none. MPTCP refuses a range once a connect has begun.
 */
static bool is_in_use(const struct call *call)
{
	struct endpoint local;

	return socket_local(call->fd, &local) == 0 && local.port != 0 &&
	       (!socket_is_closed(call->fd) ||
		(call->facts.mptcp && socket_pin(call->fd, 0, 0) == -EINVAL));
}

/*
 * The range has no port but the destination's. Other reasons for the kernel to
 * refuse come first: the state of the socket, and the route.
 */
static enum connect_outcome ask_in_vain(struct connecting *self)
{
	enum connect_outcome outcome = ask_with_taken_port(self);
	struct endpoint local = self->local, source;
	int route;

	if (outcome != CONNECT_NO_PIN)
		return outcome;
	if (call_is_engaged(self->call) || is_in_use(self->call)) {
		connecting_make(self);
		connecting_enter(self);
		return CONNECT_DONE;
	}
	local.port = 0;
	route = socket_source_of(self->call->facts.has_address ? &local : NULL,
				 self->remote, &source);
	/* EAGAIN: no port is left for the socket that asks. */
	if (route == 0 || route == -EAGAIN || raw_is_filtered(route))
		return CONNECT_NEXT;
	self->result = route;
	return CONNECT_DONE;
}

static long leave_to_kernel(struct connecting *self)
{
	connecting_make(self);
	assign_record_choice(self->call, self->result);
	return self->result;
}

/* Asks the kernel about every port of the range, whatever the map shows. */
static void ask_kernel(struct connecting *self)
{
	struct ports_towards *towards = NULL;
	enum connect_outcome outcome = CONNECT_NEXT;
	bool listed = false;
	bool is_asked = false;
	struct range_part part;
	uint32_t from = 0;

	event_count(&connecting_process(self)->map, COUNTER_KERNEL_ASKED);
	while (outcome == CONNECT_NEXT &&
	       assign_next_part(self->call, &self->pick, from, &part)) {
		is_asked = true;
		if (part.can_pin)
			outcome = connecting_try_pinned(self, NULL, part.lo,
							part.hi);
		if (!part.can_pin || outcome == CONNECT_NO_PIN) {
			if (!listed)
				towards = list_ports_towards(self->remote);
			listed = true;
			outcome = bind_any_of(self, &part, towards);
		}
		from = part.hi + 1u;
	}
	raw_unmap(towards, sizeof(*towards));
	if (!is_asked)
		outcome = ask_in_vain(self);
	if (outcome == CONNECT_NEXT && is_in_use(self->call))
		leave_to_kernel(self);
	else if (outcome == CONNECT_NEXT)
		give_up(self);
}

long assign_connect(struct call *call, const struct endpoint *remote)
{
	const struct fd_facts *facts = &call->facts;
	struct connecting self = {
		.call = call,
		.remote = remote,
		.local = { .family = (uint16_t)facts_family(facts) },
		.shown = facts->has_port ? (uint16_t)facts->port : 0,
		.before = *facts,
	};

	/* A bind would change an address that is not known. */
	if (facts->has_address && socket_local(call->fd, &self.local) < 0)
		return leave_to_kernel(&self);

	const struct port_wish wish = {
		.protocol = PROTOCOL_TCP,
		.use = USE_CONNECT,
		.role = ROLE_OF_CONNECT,
		.local = endpoint_is_wildcard(&self.local) ? NULL : &self.local,
		.remote = remote,
	};

	port_pick_start(&self.pick, call->process, &call->policy, &wish);
	if (!try_leases(&self))
		ask_kernel(&self);
	if (self.is_pinned)
		connecting_unpin(&self);
	return self.result;
}
