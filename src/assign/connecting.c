/* SPDX-License-Identifier: MIT */
#include "assign/connecting.h"

#include <errno.h>

#include "base/raw.h"
#include "kernel/sock_diag.h"
#include "kernel/socket.h"
#include "map/event.h"
#include "process/descriptors.h"

struct process *connecting_process(const struct connecting *self)
{
	return self->call->process;
}

void connecting_make(struct connecting *self)
{
	self->result = self->call->make(self->call, 0);
	call_note_connect(self->call, self->result);
}

/* Whether the socket is connected, or connecting. */
static bool goes_on(const struct connecting *self)
{
	return self->result >= 0 || self->result == -EINPROGRESS;
}

void connecting_enter(struct connecting *self)
{
	process_set(connecting_process(self), self->call->fd,
		    self->call->facts);
}

/*
 * A pinned port is released with the connection; a bound port stays, and rests
 * afterwards, since the kernel does not wait a second before it uses the
 * 4-tuple again. The facts are entered as if the call succeeds; if it fails,
 * they are corrected.
 */
static void keep(struct connecting *self, const struct lease *lease,
		 bool pinned)
{
	struct fd_facts *facts = &self->call->facts;

	facts->unlocked = pinned;
	facts->engaged = 1;
	facts->rests = !pinned ||
		       self->call->policy.settings[SETTING_REST] == REST_OF_ALL;
	assign_keep(self->call, lease, pinned, &self->kept);
}

void connecting_adopt(struct connecting *self, uint16_t port, bool pinned)
{
	struct process *process = connecting_process(self);
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
	connecting_enter(self);
}

/*
 * A pin is ignored when ip_local_port_range was changed so that it no longer
 * contains the port. So one connect in each tick of the coarse clock (1 to 10
 * ms) checks its port: to check each connect costs 2 % of a connect on
 * loopback.
 */
static bool is_verified(const struct process *process, uint64_t now_ms)
{
	/* Relaxed: one time that nothing else depends on; checking twice does
	 * no harm. */
	return load_relaxed_u64(&process->pin_verified_ms) == now_ms;
}

static void set_verified(struct process *process, uint64_t now_ms)
{
	/* Relaxed: as above. */
	store_relaxed_u64(&process->pin_verified_ms, now_ms);
}

/* Whether the socket has the leased port, as far as this is checked. */
static bool has_leased(struct connecting *self, const struct lease *lease,
		       struct endpoint *localp)
{
	struct process *process = connecting_process(self);
	const bool lives = goes_on(self);

	if (lease != NULL && self->shown == 0 && lives &&
	    is_verified(process, self->pick.now_ms))
		return true;
	/* The socket may be connecting, as after EINTR: it shows its port. */
	if (lives || !socket_is_closed(self->call->fd)) {
		const int result = socket_local(self->call->fd, localp);

		/* Where the port cannot be checked, the pin is assumed to have
		 * worked; nothing is entered for a descriptor that another
		 * thread has closed. */
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

/* The socket still shows the port that it had before, which is leased again. */
static void restore(struct connecting *self)
{
	struct fd_facts *facts = &self->call->facts;
	const struct fd_facts ended = *facts;

	assign_record(self->call, false);
	facts->rests = self->before.rests;
	facts->engaged = ended.engaged;
	connecting_enter(self);
}

/*
 * The socket has not taken the port of the pin: it has none, or one of its own.
 */
static void settle(struct connecting *self, const struct endpoint *local,
		   uint16_t lo, uint16_t hi)
{
	if (self->shown != 0 &&
	    (local->port == 0 || local->port == self->shown))
		restore(self);
	else if (local->port == 0)
		process_drop_port(connecting_process(self), self->call->fd,
				  &self->call->facts);
	else if (!goes_on(self))
		/* As with EISCONN: it has a port that the cache did not
		 * know. */
		assign_record(self->call, false);
	else {
		connecting_adopt(self, local->port, true);
		self->call->facts.pinned = 0;
		connecting_enter(self);
		if (local->port < lo || local->port > hi)
			assign_check_pin(self->call, lo);
	}
}

/*
 * Whether the kernel's refusal concerns the candidate: not where the socket
 * holds a port, which the pin does not change.
 */
static bool is_about_candidate(const struct connecting *self)
{
	return self->result == -EADDRNOTAVAIL &&
	       (self->shown == 0 || !call_holds_port(self->call));
}

void connecting_unpin(struct connecting *self)
{
	socket_unpin(self->call->fd);
	self->is_pinned = false;
	self->call->facts.pinned = 0;
}

/* After a connect in a forked child, the parent may still see the pin. */
static bool keeps_pin(const struct connecting *self)
{
	return self->result == 0 &&
	       !fd_cache_is_forked(&connecting_process(self)->cache);
}

/* The socket has the leased port. */
static void end_on_lease(struct connecting *self)
{
	const bool is_pinned = self->is_pinned;

	self->is_pinned = false;
	if (is_pinned)
		return;
	call_note_connect(self->call, self->result);
	connecting_enter(self);
}

enum connect_outcome connecting_try_pinned(struct connecting *self,
					   const struct lease *lease,
					   uint16_t lo, uint16_t hi)
{
	struct endpoint local = { .port = 0 };

	if (assign_pin(self->call, lo, hi) < 0)
		return CONNECT_NO_PIN;
	self->is_pinned = true;
	if (lease != NULL)
		keep(self, lease, true);
	connecting_make(self);

	const bool is_next = is_about_candidate(self);
	const bool has_it = !is_next && has_leased(self, lease, &local);

	if (!is_next && (!has_it || !keeps_pin(self)))
		connecting_unpin(self);
	if (has_it) {
		end_on_lease(self);
		return CONNECT_DONE;
	}
	if (lease != NULL && assign_withdraw(self->call, &self->kept))
		port_pick_reject(&self->pick, lease);
	if (is_next)
		return CONNECT_NEXT;
	settle(self, &local, lo, hi);
	return CONNECT_DONE;
}

static int bind_to(const struct connecting *self, uint16_t port)
{
	struct endpoint local = self->local;

	local.port = port;
	return socket_bind(self->call->fd, &local);
}

/*
 * Whether a connection with exactly these endpoints exists, TIME_WAIT included.
 * Where the kernel cannot be asked, the map is used.
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

/* A socket that is bound to ::ffff:0.0.0.0 cannot connect to an IPv6 address: the
 * bind to a port must not change that. */
static void keep_mapped(struct connecting *self)
{
	struct endpoint local;

	if (self->local.family == AF_INET6 && !self->call->facts.has_address &&
	    socket_local(self->call->fd, &local) == 0 &&
	    endpoint_is_wildcard(&local) && endpoint_is_ipv4(&local))
		self->local = local;
}

int connecting_bind_shared(struct connecting *self, uint16_t port)
{
	const int fd = self->call->fd;
	int reuse = 0;
	int result;

	if (!self->has_tried_bind)
		keep_mapped(self);
	self->has_tried_bind = true;
	result = raw_get_int_option(fd, SOL_SOCKET, SO_REUSEADDR, &reuse);
	/* A value that could not be restored is not changed: a filter
	 * forbids reading it, or TCP_REPAIR has set one that setsockopt()
	 * cannot set. */
	if (result < 0 || reuse > 1)
		return bind_to(self, port);
	if (reuse != 0)
		raw_set_int_option(fd, SOL_SOCKET, SO_REUSEADDR, 0);
	result = bind_to(self, port);
	/* It stays on, and getsockopt() hides it: a socket that shares the port
	 * later is refused if this one has it off. */
	raw_set_int_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (result == -EADDRINUSE && !is_connected(self, port))
		result = bind_to(self, port);
	if (result == 0)
		self->call->facts.hides_reuse = !reuse;
	else if (reuse == 0)
		raw_set_int_option(fd, SOL_SOCKET, SO_REUSEADDR, 0);
	return result;
}

void connecting_end_on_bind(struct connecting *self)
{
	if (!goes_on(self))
		call_drop_reuse(self->call);
	connecting_enter(self);
}

static enum connect_outcome try_shared_bind(struct connecting *self,
					    const struct lease *lease)
{
	const int bound = call_may_bind(self->call)
				  ? connecting_bind_shared(self, lease->port)
				  : -EINVAL;

	if (bound == -EADDRINUSE || bound == -EACCES) {
		event_count(&connecting_process(self)->map, COUNTER_FOREIGN);
		port_pick_reject(&self->pick, lease);
		return CONNECT_NEXT;
	}
	if (bound == 0) {
		keep(self, lease, false);
		connecting_make(self);
		connecting_end_on_bind(self);
		return CONNECT_DONE;
	}
	/* It cannot be bound (any more), or a filter forbids it: the kernel
	 * gets the call. */
	assign_count_filtered(self->call, bound);
	port_pick_reject(&self->pick, lease);
	connecting_make(self);
	assign_record_choice(self->call, self->result);
	return CONNECT_DONE;
}

enum connect_outcome connecting_try_lease(struct connecting *self,
					  const struct lease *lease)
{
	if (assign_can_pin(self->call, lease->port)) {
		const enum connect_outcome outcome = connecting_try_pinned(
			self, lease, lease->port, lease->port);

		if (outcome != CONNECT_NO_PIN)
			return outcome;
	}
	return try_shared_bind(self, lease);
}
