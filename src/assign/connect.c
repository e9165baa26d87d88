/* SPDX-License-Identifier: MIT */
#include "assign/assign.h"

#include <errno.h>

#include "assign/call.h"
#include "assign/pick.h"
#include "base/raw.h"
#include "base/scratch.h"
#include "kernel/endpoint.h"
#include "kernel/sock_diag.h"
#include "kernel/socket.h"
#include "kernel/socket_table.h"
#include "map/event.h"

/*
 * Candidates that the kernel may turn down before it is asked itself: a failed
 * pin and connect takes 2 us, and its own search some 400 us in a full range.
 */
#define MAX_TRIES 32

/* One connect of one socket from a port that is not chosen yet. */
struct connecting {
	struct call *call;
	const struct endpoint *remote;
	struct endpoint local;	/* the wildcard, or what the program has bound */
	uint16_t shown;		/* a port that the socket shows, and which the
				   kernel may have taken back; 0 = none */
	struct port_pick pick;
	struct fd_facts before;	/* as the search began */
	struct kept kept;
	bool has_tried_bind;	/* a bind that fails takes the address away */
	bool is_pinned;		/* a pin is on the socket that has led nowhere */
	long result;		/* of the program's call, once it was made */
};

/* What came of a candidate. */
enum outcome {
	OUTCOME_NEXT,		/* the kernel would not have this port */
	OUTCOME_DONE,		/* result is the program's */
	OUTCOME_NO_PIN,		/* the kernel has no such option */
};

static struct process *process_of(const struct connecting *self)
{
	return self->call->process;
}

static void make(struct connecting *self)
{
	self->result = self->call->make(self->call, 0);
	call_note_connect(self->call, self->result);
}

/* Whether the socket is connected now, or on its way. */
static bool goes_on(const struct connecting *self)
{
	return self->result >= 0 || self->result == -EINPROGRESS;
}

/* Enters what is known of the socket. */
static void enter(struct connecting *self)
{
	process_set(process_of(self), self->call->fd, self->call->facts);
}

/*
 * A port that was pinned goes with the connection; one that was bound stays,
 * and rests for the second that the kernel does not wait then. The call is
 * expected to go well: what has not is entered afterwards.
 */
static void keep(struct connecting *self, const struct lease *lease,
		 bool pinned)
{
	struct fd_facts *facts = &self->call->facts;

	facts->unlocked = pinned;
	facts->engaged = 1;
	facts->rests = !pinned || self->call->policy.settings[SETTING_REST] ==
				  REST_OF_ALL;
	assign_keep(self->call, lease, pinned, &self->kept);
}

/* Takes a port that the kernel chose into the map, if it can still be leased. */
static void adopt(struct connecting *self, uint16_t port, bool pinned)
{
	struct process *process = process_of(self);
	struct fd_facts *facts = &self->call->facts;
	struct lease lease = self->pick.wanted;

	lease.port = port;
	if (process->map.memory != NULL && !self->pick.is_away &&
	    ledger_lease(&process->map, &lease) == 0) {
		keep(self, &lease, pinned);
		return;
	}
	facts->use = USE_FREE;
	facts->has_port = 1;
	facts->unlocked = pinned;
	facts->port = port;
	enter(self);
}

/*
 * A pin is ignored when ip_local_port_range has been changed to leave it out.
 * So one connect in each tick of the coarse clock (1 to 10 ms) looks where it
 * came to lie: to ask on every one costs 2 % of a connect on loopback.
 */
static bool is_verified(const struct process *process, uint64_t now_ms)
{
	/* Relaxed: a time, complete in itself; to ask twice does no harm. */
	return load_relaxed_u64(&process->pin_verified_ms) == now_ms;
}

static void set_verified(struct process *process, uint64_t now_ms)
{
	/* Relaxed: as above. */
	store_relaxed_u64(&process->pin_verified_ms, now_ms);
}

/* Whether the socket came to lie on the leased port, as far as need be asked. */
static bool has_leased(struct connecting *self, const struct lease *lease,
		       struct endpoint *localp)
{
	struct process *process = process_of(self);
	const bool lives = goes_on(self);

	if (lease != NULL && self->shown == 0 && lives &&
	    is_verified(process, self->pick.now_ms))
		return true;
	/* EINTR, for one, leaves it connecting: the socket tells what it has. */
	if (lives || !socket_is_closed(self->call->fd)) {
		const int result = socket_local(self->call->fd, localp);

		/* The pin is believed where it cannot be verified; but nothing
		 * is entered for what another thread has closed. */
		if (lease != NULL && lives && result < 0 &&
		    ((self->result == 0 && self->shown == 0) ||
		     (result != -EBADF && result != -ENOTSOCK)))
			return true;
	}
	if (lease == NULL || localp->port != lease->port)
		return false;
	if (lives)
		set_verified(process, self->pick.now_ms);
	return true;
}

/* The port that the socket had before, and shows still, is leased again. */
static void restore(struct connecting *self)
{
	struct fd_facts *facts = &self->call->facts;
	const struct fd_facts ended = *facts;

	assign_record(self->call, false);
	facts->rests = self->before.rests;
	facts->engaged = ended.engaged;
	enter(self);
}

/* No port of ours was taken: the socket is without one, or has one of its own. */
static void settle(struct connecting *self, const struct endpoint *local,
		   uint16_t lo, uint16_t hi)
{
	if (self->shown != 0 &&
	    (local->port == 0 || local->port == self->shown))
		restore(self);
	else if (local->port == 0)
		process_drop_port(process_of(self), self->call->fd,
				  &self->call->facts);
	else if (!goes_on(self))
		/* EISCONN, say: it has a port that the cache did not know. */
		assign_record(self->call, false);
	else {
		adopt(self, local->port, true);
		self->call->facts.pinned = 0;
		enter(self);
		if (local->port < lo || local->port > hi)
			assign_check_pin(self->call, lo);
	}
}

/*
 * Whether the kernel's "no" is about the candidate: not where the socket holds
 * a port, which the pin does not change.
 */
static bool is_about_candidate(const struct connecting *self)
{
	return self->result == -EADDRNOTAVAIL &&
	       (self->shown == 0 ||
		!socket_holds_port(self->call->fd, self->call->facts.ipv6));
}

static void unpin(struct connecting *self)
{
	socket_unpin(self->call->fd);
	self->is_pinned = false;
	self->call->facts.pinned = 0;
}

/* The parent of a child that connects may see the pin, and outlive the child. */
static bool keeps_pin(const struct connecting *self)
{
	return self->result == 0 &&
	       !fd_cache_is_forked(&process_of(self)->cache);
}

/* The socket has the leased port. */
static void end_on_lease(struct connecting *self)
{
	const bool is_pinned = self->is_pinned;

	self->is_pinned = false;
	if (is_pinned)
		return;
	call_note_connect(self->call, self->result);
	enter(self);
}

/*
 * Pins lo to hi and makes the call. lease is what the map gave for lo == hi, or
 * NULL. The pin stays on a socket that has connected at once: getsockopt() hides
 * it, and to take it off would cost a system call on every connect.
 */
static enum outcome try_pinned(struct connecting *self,
			       const struct lease *lease, uint16_t lo,
			       uint16_t hi)
{
	struct endpoint local = { .port = 0 };

	if (assign_pin(self->call, lo, hi) < 0)
		return OUTCOME_NO_PIN;
	self->is_pinned = true;
	if (lease != NULL)
		keep(self, lease, true);
	make(self);

	const bool is_next = is_about_candidate(self);
	const bool has_it = !is_next && has_leased(self, lease, &local);

	if (!is_next && (!has_it || !keeps_pin(self)))
		unpin(self);
	if (has_it) {
		end_on_lease(self);
		return OUTCOME_DONE;
	}
	if (lease != NULL && assign_withdraw(self->call, &self->kept))
		port_pick_reject(&self->pick, lease);
	if (is_next)
		return OUTCOME_NEXT;
	settle(self, &local, lo, hi);
	return OUTCOME_DONE;
}

static int bind_to(const struct connecting *self, uint16_t port)
{
	struct endpoint local = self->local;

	local.port = port;
	return socket_bind(self->call->fd, &local);
}

/*
 * Whether a connection of exactly these ends exists, TIME_WAIT included. Where
 * the kernel cannot be asked, the map is believed.
 */
static bool is_connected(const struct connecting *self, uint16_t port)
{
	struct endpoint local = self->local;

	if (endpoint_is_wildcard(&local) &&
	    socket_source_of(NULL, self->remote, &local) < 0)
		return false;
	local.port = port;
	return sock_diag_has_tcp(&local, self->remote) == 1;
}

/*
 * Binds a port so that sockets with other destinations may have it too. A bind
 * cannot be undone, and the kernel's "no" to the connect would be the
 * program's: so it is bound alone first, which works only where nobody else has
 * the port, and shared only after a look for the very connection.
 */
static int bind_shared(struct connecting *self, uint16_t port)
{
	const int fd = self->call->fd;
	int reuse = 0;
	int result;

	self->has_tried_bind = true;
	result = raw_get_int_option(fd, SOL_SOCKET, SO_REUSEADDR, &reuse);
	/* What could not be put back is not changed: a filter forbids to look, or
	 * TCP_REPAIR has set what SO_REUSEADDR cannot set. */
	if (result < 0 || reuse > 1)
		return bind_to(self, port);
	if (reuse != 0)
		raw_set_int_option(fd, SOL_SOCKET, SO_REUSEADDR, 0);
	result = bind_to(self, port);
	/* On, and hidden by getsockopt(): the next to share the port is refused
	 * by a holder that has it off. */
	raw_set_int_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (result == -EADDRINUSE && !is_connected(self, port))
		result = bind_to(self, port);
	if (result == 0)
		self->call->facts.hides_reuse = !reuse;
	else if (reuse == 0)
		raw_set_int_option(fd, SOL_SOCKET, SO_REUSEADDR, 0);
	return result;
}

/* A SO_REUSEADDR of Berth's goes where it has not led to a connection. */
static void end_on_bind(struct connecting *self)
{
	if (!goes_on(self))
		call_drop_reuse(self->call);
	enter(self);
}

static enum outcome try_shared_bind(struct connecting *self,
				    const struct lease *lease)
{
	/* One that is still to be told what came of a connect makes no other. */
	const int bound = call_is_engaged(self->call)
		? -EINVAL : bind_shared(self, lease->port);

	if (bound == -EADDRINUSE || bound == -EACCES) {
		event_count(&process_of(self)->map, COUNTER_FOREIGN);
		port_pick_reject(&self->pick, lease);
		return OUTCOME_NEXT;
	}
	if (bound == 0) {
		keep(self, lease, false);
		make(self);
		end_on_bind(self);
		return OUTCOME_DONE;
	}
	/* It is no socket to bind (any more), or a filter forbids it: the kernel
	 * has the call. */
	assign_count_filtered(self->call, bound);
	port_pick_reject(&self->pick, lease);
	make(self);
	assign_record_choice(self->call);
	return OUTCOME_DONE;
}

static enum outcome try_lease(struct connecting *self,
			      const struct lease *lease)
{
	if (assign_can_pin(self->call, lease->port)) {
		const enum outcome outcome = try_pinned(
			self, lease, lease->port, lease->port);

		if (outcome != OUTCOME_NO_PIN)
			return outcome;
	}
	return try_shared_bind(self, lease);
}

/* Returns whether the call has been made for good. */
static bool try_leases(struct connecting *self)
{
	struct lease lease;

	for (int tries = 0; tries < MAX_TRIES &&
	     port_pick_next(&self->pick, &lease); tries++)
		if (try_lease(self, &lease) == OUTCOME_DONE)
			return true;
	return false;
}

/* Local ports that the kernel has in use towards one destination. */
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

static enum outcome bind_any_of(struct connecting *self,
				const struct range_part *part,
				const struct ports_towards *towards)
{
	for (uint32_t port = part->lo; port <= part->hi; port++) {
		const bool is_used = towards != NULL &&
				     port_set_has(&towards->ports, port);
		const int bound = is_used ? -EADDRINUSE
					  : bind_shared(self, (uint16_t)port);

		assign_count_filtered(self->call, bound);
		if (bound < 0 && !raw_is_filtered(bound))
			continue;
		if (bound == 0)
			adopt(self, (uint16_t)port, false);
		make(self);
		end_on_bind(self);
		return OUTCOME_DONE;
	}
	return OUTCOME_NEXT;
}

/* No port is left: the socket is as it was before the search. */
static void give_up(struct connecting *self)
{
	struct call *call = self->call;

	self->result = -EADDRNOTAVAIL;
	assign_report_exhausted(call, self->remote);
	process_drop_port(call->process, call->fd, &call->facts);
	if (self->has_tried_bind && call->facts.has_address)
		socket_restore_address(call->fd, &self->local);
}

/* The caller gives it back; NULL where there is no memory for it. */
static struct ports_towards *list_ports_towards(const struct endpoint *remote)
{
	struct ports_towards *towards = scratch_take(sizeof(*towards));

	if (towards == NULL)
		return NULL;
	towards->remote = remote;
	socket_table_list(PROTOCOL_TCP, ANY_PORT, note_port, towards);
	return towards;
}

/* With a pin to a port that cannot be had, the kernel says what it refuses. */
static enum outcome ask_with_taken_port(struct connecting *self)
{
	enum outcome outcome = OUTCOME_NO_PIN;
	uint16_t port;
	const int fd = socket_take_port(self->local.family, &port);

	if (fd < 0)
		return outcome;
	if (assign_can_pin(self->call, port))
		outcome = try_pinned(self, NULL, port, port);
	raw_close(fd);
	return outcome;
}

/*
 * The range has no port but the destination's. What else the kernel would refuse
 * comes first: the state of the socket, and the route.
 */
static enum outcome ask_in_vain(struct connecting *self)
{
	enum outcome outcome = ask_with_taken_port(self);
	struct endpoint local = self->local, source;
	int route;

	if (outcome != OUTCOME_NO_PIN)
		return outcome;
	if (call_is_engaged(self->call) || !socket_is_closed(self->call->fd)) {
		make(self);
		enter(self);
		return OUTCOME_DONE;
	}
	local.port = 0;
	route = socket_source_of(self->call->facts.has_address ? &local : NULL,
				 self->remote, &source);
	/* EAGAIN: no port is left for the question. */
	if (route == 0 || route == -EAGAIN || raw_is_filtered(route))
		return OUTCOME_NEXT;
	self->result = route;
	return OUTCOME_DONE;
}

/* Asks the kernel about every port of the range, whatever the map says. */
static void ask_kernel(struct connecting *self)
{
	struct ports_towards *towards = NULL;
	enum outcome outcome = OUTCOME_NEXT;
	bool listed = false;
	bool is_asked = false;
	struct range_part part;
	uint32_t from = 0;

	event_count(&process_of(self)->map, COUNTER_KERNEL_ASKED);
	while (outcome == OUTCOME_NEXT &&
	       assign_next_part(self->call, &self->pick, from, &part)) {
		is_asked = true;
		if (part.can_pin)
			outcome = try_pinned(self, NULL, part.lo, part.hi);
		if (!part.can_pin || outcome == OUTCOME_NO_PIN) {
			if (!listed)
				towards = list_ports_towards(self->remote);
			listed = true;
			outcome = bind_any_of(self, &part, towards);
		}
		from = part.hi + 1u;
	}
	scratch_put(towards, sizeof(*towards));
	if (!is_asked)
		outcome = ask_in_vain(self);
	if (outcome == OUTCOME_NEXT)
		give_up(self);
}

/* The address that the port is for is not known, which a bind would change. */
static long leave_to_kernel(struct connecting *self)
{
	make(self);
	assign_record_choice(self->call);
	return self->result;
}

long assign_connect(struct call *call, const struct endpoint *remote)
{
	const struct fd_facts *facts = &call->facts;
	struct connecting self = {
		.call = call, .remote = remote,
		.local = { .family = facts->ipv6 ? AF_INET6 : AF_INET },
		.shown = facts->has_port ? (uint16_t)facts->port : 0,
		.before = *facts,
	};
	const struct port_wish wish = {
		.protocol = PROTOCOL_TCP, .use = USE_CONNECT, .role = ROLE_OF_CONNECT,
		.local = facts->has_address ? &self.local : NULL,
		.remote = remote,
	};

	if (facts->has_address) {
		const int result = socket_local(call->fd, &self.local);

		if (result < 0)
			return leave_to_kernel(&self);
	}
	port_pick_start(&self.pick, call->process, &call->policy, &wish);
	if (!try_leases(&self))
		ask_kernel(&self);
	if (self.is_pinned)
		unpin(&self);
	return self.result;
}
