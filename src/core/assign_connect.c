/* SPDX-License-Identifier: MIT */
#include "core/assign.h"

#include <errno.h>
#include <string.h>

#include "base/raw.h"
#include "base/scratch.h"
#include "core/counter.h"
#include "core/endpoint.h"
#include "core/port_pick.h"
#include "core/sock_diag.h"
#include "core/socket.h"

/*
 * Candidates that the kernel may turn down before it is asked itself: a failed
 * pin and connect takes 2 us, and its own search some 400 us in a full range.
 */
#define MAX_TRIES 32

/* One connect of one socket from a port that is not chosen yet. */
struct connecting {
	struct process *process;
	int fd;
	struct fd_facts *facts;
	const struct endpoint *remote;
	const struct program_call *call;
	struct endpoint local;	/* the wildcard, or what the program has bound */
	struct port_pick pick;
	long result;		/* of the program's call, once it was made */
};

/* What came of a candidate. */
enum outcome {
	OUTCOME_NEXT,		/* the kernel would not have this port */
	OUTCOME_DONE,		/* result is the program's */
	OUTCOME_NO_PIN,		/* the kernel has no such option */
};

/*
 * A port that was pinned goes with the connection; one that was bound stays,
 * and rests for the second that the kernel does not wait then. Returns whether
 * the cache has it now.
 */
static bool keep(struct connecting *self, const struct lease *lease,
		 bool pinned)
{
	process_hold(self->process, lease, self->facts);
	self->facts->loose = pinned;
	self->facts->tried = 1;
	self->facts->rests = !pinned ||
		self->pick.policy.settings[SETTING_REST] == REST_OF_ALL;
	return process_enter(self->process, self->fd, *self->facts);
}

/*
 * Takes the lease that was kept back out of the cache; it is the caller's to give
 * back, unless another thread has closed or copied the descriptor meanwhile.
 */
static bool withdraw(struct connecting *self, bool entered)
{
	struct fd_facts *facts = self->facts;
	const struct fd_facts kept = *facts;

	facts->has_port = 0;
	facts->loose = 0;
	facts->tried = 0;
	facts->use = USE_FREE;
	return !entered || fd_cache_replace(&self->process->cache, self->fd,
					    kept, *facts);
}

static void forget(struct connecting *self)
{
	process_drop_port(self->process, self->fd, self->facts);
}

/* Takes a port that the kernel chose into the map, if it can still be leased. */
static void adopt(struct connecting *self, uint16_t port, bool pinned)
{
	struct lease lease = self->pick.wanted;

	lease.port = port;
	if (self->process->arena.memory != NULL &&
	    ledger_lease(&self->process->arena, &lease) == 0) {
		keep(self, &lease, pinned);
		return;
	}
	forget(self);
	self->facts->has_port = 1;
	self->facts->loose = pinned;
	self->facts->tried = 1;
	self->facts->port = port;
	process_enter(self->process, self->fd, *self->facts);
}

/* The kernel's choice is to lie within the pin, or its settings have changed. */
static void adopt_pinned(struct connecting *self, uint16_t port, uint16_t lo,
			 uint16_t hi)
{
	adopt(self, port, true);
	if (port < lo || port > hi)
		assign_distrust_pin(self->process, &self->pick.policy);
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
	const bool goes_on = self->result >= 0 || self->result == -EINPROGRESS;

	if (lease != NULL && goes_on &&
	    is_verified(self->process, self->pick.now_ms))
		return true;
	/* EINTR, for one, leaves it connecting: the socket tells what it has. */
	if (goes_on || !socket_is_closed(self->fd)) {
		const int result = socket_local(self->fd, localp);

		/* The pin is believed where it cannot be verified. */
		if (lease != NULL && goes_on && raw_is_filtered(result))
			return true;
	}
	if (lease == NULL || localp->port != lease->port)
		return false;
	if (goes_on)
		set_verified(self->process, self->pick.now_ms);
	return true;
}

/*
 * Pins lo to hi and makes the call. lease is what the map gave for lo == hi, or
 * NULL. The pin stays on a socket that took the port: getsockopt() hides it,
 * and to take it off would cost a system call on every connect.
 */
static enum outcome try_pinned(struct connecting *self,
			       const struct lease *lease, uint16_t lo,
			       uint16_t hi)
{
	struct endpoint local = { .port = 0 };
	bool entered = false;

	if (assign_pin(self->process, self->fd, self->facts, lo, hi) < 0)
		return OUTCOME_NO_PIN;
	/* Before: a thread that is cancelled in the call leaves the lease to the
	 * descriptor. */
	if (lease != NULL)
		entered = keep(self, lease, true);
	self->result = self->call->make(self->call);

	const bool is_next = self->result == -EADDRNOTAVAIL;

	if (!is_next && has_leased(self, lease, &local))
		return OUTCOME_DONE;
	if (lease != NULL && withdraw(self, entered))
		port_pick_reject(&self->pick, lease);
	if (is_next)
		return OUTCOME_NEXT;
	socket_unpin(self->fd);
	if (local.port == 0)
		forget(self);
	else if (self->result < 0 && self->result != -EINPROGRESS)
		/* EISCONN, say: it has a port that the cache did not know. */
		assign_record(self->process, self->fd, self->facts);
	else
		adopt_pinned(self, local.port, lo, hi);
	return OUTCOME_DONE;
}

static int bind_as_it_is(struct connecting *self, uint16_t port)
{
	union socket_address address;
	struct endpoint local = self->local;

	local.port = port;
	return raw_bind(self->fd, &address.generic,
			endpoint_write(&local, &address));
}

/* Binds with SO_REUSEADDR off, or on. */
static int bind_to(struct connecting *self, uint16_t port, bool shared)
{
	raw_set_int_option(self->fd, SOL_SOCKET, SO_REUSEADDR, shared);
	return bind_as_it_is(self, port);
}

/*
 * Whether a connection of exactly these ends exists, TIME_WAIT included. Where
 * the kernel cannot be asked, the map is believed.
 */
static bool is_connected(const struct connecting *self, uint16_t port)
{
	struct endpoint local = self->local;

	if (endpoint_is_wildcard(&local) &&
	    socket_source_of(self->remote, &local) < 0)
		return false;
	local.port = port;
	return sock_diag_has_tcp(&local, self->remote) == 1;
}

/*
 * Binds a port so that sockets with other destinations may have it too. A bind
 * cannot be undone, and the kernel's "no" to the connect would be the
 * program's: so first alone, which nobody else's use of the port survives, and
 * only then shared, after a look for the very connection.
 */
static int bind_shared(struct connecting *self, uint16_t port)
{
	int reuse = 0;

	/* What cannot be put back is not changed: the port is then this socket's
	 * alone, or shared, as the program has it. */
	if (raw_is_filtered(raw_get_int_option(self->fd, SOL_SOCKET,
					       SO_REUSEADDR, &reuse)))
		return bind_as_it_is(self, port);

	int result = bind_to(self, port, false);

	if (result == -EADDRINUSE && !is_connected(self, port))
		result = bind_to(self, port, true);
	/* On, and hidden by getsockopt(): the next to share the port is refused
	 * by a holder that has it off. */
	raw_set_int_option(self->fd, SOL_SOCKET, SO_REUSEADDR,
			   result == 0 || reuse);
	if (result == 0)
		self->facts->hides_reuse = !reuse;
	return result;
}

static enum outcome try_shared_bind(struct connecting *self,
				    const struct lease *lease)
{
	const int bound = bind_shared(self, lease->port);

	if (bound == -EADDRINUSE || bound == -EACCES) {
		counter_add(&self->process->arena, COUNTER_FOREIGN);
		port_pick_reject(&self->pick, lease);
		return OUTCOME_NEXT;
	}
	if (bound == 0) {
		keep(self, lease, false);
		self->result = self->call->make(self->call);
		return OUTCOME_DONE;
	}
	/* It is no socket to bind (any more), or a filter forbids it: the kernel
	 * has the call. */
	assign_count_filtered(self->process, bound);
	port_pick_reject(&self->pick, lease);
	self->result = self->call->make(self->call);
	assign_record(self->process, self->fd, self->facts);
	assign_observe(self->process, &self->pick.policy, self->fd, self->facts,
		       ROLE_OF_CONNECT, CALL_CONNECT);
	return OUTCOME_DONE;
}

static enum outcome try_lease(struct connecting *self,
			      const struct lease *lease)
{
	if (assign_can_pin(self->process, &self->pick.policy, self->facts,
			   lease->port)) {
		const enum outcome outcome = try_pinned(
			self, lease, lease->port, lease->port);

		if (outcome != OUTCOME_NO_PIN)
			return outcome;
	}
	return try_shared_bind(self, lease);
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

		assign_count_filtered(self->process, bound);
		if (bound < 0 && !raw_is_filtered(bound))
			continue;
		if (bound == 0)
			adopt(self, (uint16_t)port, false);
		self->result = self->call->make(self->call);
		return OUTCOME_DONE;
	}
	return OUTCOME_NEXT;
}

/* The caller gives it back; NULL where there is no memory for it. */
static struct ports_towards *list_ports_towards(const struct endpoint *remote)
{
	struct ports_towards *towards = scratch_take(sizeof(*towards));

	if (towards == NULL)
		return NULL;
	towards->remote = remote;
	sock_diag_list(SPACE_TCP, ANY_PORT, note_port, towards);
	return towards;
}

/* Asks the kernel about every port of the range, whatever the map says. */
static void ask_kernel(struct connecting *self)
{
	struct ports_towards *towards = NULL;
	enum outcome outcome = OUTCOME_NEXT;
	bool listed = false;
	struct range_part part;
	uint32_t from = 0;

	counter_add(&self->process->arena, COUNTER_KERNEL_ASKED);
	self->result = -EADDRNOTAVAIL;
	while (outcome == OUTCOME_NEXT &&
	       assign_next_part(&self->pick, self->facts, from, &part)) {
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
	if (outcome == OUTCOME_NEXT) {
		self->result = -EADDRNOTAVAIL;
		assign_report_exhausted(&self->pick, CALL_CONNECT,
					self->remote);
		socket_unpin(self->fd);
		forget(self);
		if (self->facts->has_address)
			socket_restore_address(self->fd, &self->local);
	}
}

long assign_connect(struct process *process, int fd, struct fd_facts *factsp,
		    const struct endpoint *remote,
		    const struct program_call *call)
{
	struct connecting self = {
		.process = process, .fd = fd, .facts = factsp,
		.remote = remote, .call = call,
		.local = { .family = factsp->ipv6 ? AF_INET6 : AF_INET },
	};
	const struct port_wish wish = {
		.space = SPACE_TCP, .use = USE_CONNECT, .role = ROLE_OF_CONNECT,
		.local = factsp->has_address ? &self.local : NULL,
		.remote = remote,
	};
	struct lease lease;

	if (factsp->has_address) {
		const int result = socket_local(fd, &self.local);

		assign_count_filtered(process, result);
		if (result < 0)
			return call->make(call);
	}
	port_pick_start(&self.pick, process, &wish);
	for (int tries = 0; tries < MAX_TRIES &&
	     port_pick_next(&self.pick, &lease); tries++)
		if (try_lease(&self, &lease) == OUTCOME_DONE)
			return self.result;
	ask_kernel(&self);
	return self.result;
}
