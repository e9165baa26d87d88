/* SPDX-License-Identifier: MIT */
#include "core/assign.h"

#include <errno.h>
#include <netinet/in.h>

#include "base/raw.h"
#include "core/counter.h"
#include "core/endpoint.h"
#include "core/port_pick.h"
#include "core/socket.h"

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24	/* <linux/in.h>, Linux 4.2 */
#endif

/* One bind of one socket to a port that is not chosen yet. */
struct binding {
	struct process *process;
	int fd;
	struct fd_facts *facts;
	const struct sockaddr *address;	/* with port 0 */
	socklen_t length;
	struct port_taker *taker;
	enum role role;
	enum event_call call;
	const struct endpoint *remote;	/* NULL = not known */
	struct port_pick pick;
	bool no_port;		/* IP_BIND_ADDRESS_NO_PORT is set */
	bool pinned;		/* a pin is set that must go */
	bool loose;		/* the port is the kernel's choice, from a pin */
};

/* SO_REUSEADDR and SO_REUSEPORT as the program has them. */
struct sharing {
	int address, port;
};

/*
 * With one of them set, the kernel's "yes" does not mean that the port is this
 * socket's alone.
 */
static struct sharing sharing_suspend(int fd)
{
	struct sharing sharing = { 0 };

	raw_get_int_option(fd, SOL_SOCKET, SO_REUSEADDR, &sharing.address);
	raw_get_int_option(fd, SOL_SOCKET, SO_REUSEPORT, &sharing.port);
	if (sharing.address)
		raw_set_int_option(fd, SOL_SOCKET, SO_REUSEADDR, 0);
	if (sharing.port)
		raw_set_int_option(fd, SOL_SOCKET, SO_REUSEPORT, 0);
	return sharing;
}

static void sharing_resume(int fd, const struct sharing *sharing)
{
	if (sharing->address)
		raw_set_int_option(fd, SOL_SOCKET, SO_REUSEADDR,
				   sharing->address);
	if (sharing->port)
		raw_set_int_option(fd, SOL_SOCKET, SO_REUSEPORT, sharing->port);
}

static int bind_explicitly(const struct binding *binding, uint16_t port)
{
	union socket_address copy;
	const socklen_t length = endpoint_with_port(
		binding->address, binding->length, port, &copy);

	return binding->taker->take(binding->taker, binding->fd, &copy.generic,
				    length);
}

/* bind_pinned(): the kernel takes no pin, for whatever reason. */
#define NO_PIN 1

/*
 * Lets the kernel choose from lo to hi. Returns 0, NO_PIN, -EADDRINUSE, other
 * -errno of the bind.
 */
static int bind_pinned(struct binding *binding, uint16_t lo, uint16_t hi)
{
	struct endpoint local;

	if (assign_pin(binding->process, binding->fd, binding->facts, lo,
		       hi) < 0)
		return NO_PIN;
	binding->pinned = true;

	const int result = binding->taker->take(binding->taker, binding->fd,
						binding->address,
						binding->length);

	if (result < 0)
		return result;
	binding->loose = true;
	/* The socket has its port now; the next are bound explicitly. */
	if (socket_local(binding->fd, &local) == 0 &&
	    (local.port < lo || local.port > hi))
		assign_distrust_pin(binding->process,
				    &binding->pick.policy);
	return result;
}

static int try_port(struct binding *binding, uint16_t port)
{
	if (!binding->no_port &&
	    assign_can_pin(binding->process, &binding->pick.policy,
			   binding->facts, port)) {
		const int result = bind_pinned(binding, port, port);

		if (result != NO_PIN)
			return result;
	}
	return bind_explicitly(binding, port);
}

/* Errors that speak of the port, not of the call. */
static bool is_about_port(int error)
{
	return error == -EADDRINUSE || error == -EACCES;
}

static int bind_each(const struct binding *binding,
		     const struct range_part *part)
{
	int result = -EADDRINUSE;

	for (uint32_t port = part->lo;
	     port <= part->hi && is_about_port(result); port++)
		result = bind_explicitly(binding, (uint16_t)port);
	return result;
}

/* Asks the kernel about every port of the range, whatever the map says. */
static int ask_kernel(struct binding *binding)
{
	struct range_part part;
	uint32_t from = 0;

	counter_add(&binding->process->arena, COUNTER_KERNEL_ASKED);
	while (assign_next_part(&binding->pick, binding->facts, from, &part)) {
		int result = NO_PIN;

		if (part.can_pin && !binding->no_port)
			result = bind_pinned(binding, part.lo, part.hi);
		if (result == NO_PIN)
			result = bind_each(binding, &part);
		if (!is_about_port(result))
			return result;
		from = part.hi + 1u;
	}
	return -EADDRINUSE;
}

/* What the policy says of a port's rest, for its role. */
static bool rests(const struct binding *binding)
{
	const uint8_t rest = binding->pick.policy.settings[SETTING_REST];

	return rest == REST_OF_ALL || (rest == REST_OF_LISTEN &&
				       binding->role == ROLE_OF_LISTEN);
}

/* What the socket's port is like, whoever has found it. */
static void enter(struct binding *binding)
{
	struct fd_facts *facts = binding->facts;

	facts->loose = binding->loose;
	facts->tried = 0;
	facts->rests = rests(binding);
	process_enter(binding->process, binding->fd, *facts);
}

static void keep(struct binding *binding, const struct lease *lease)
{
	process_hold(binding->process, lease, binding->facts);
	binding->facts->has_address = lease->use == USE_BOUND;
	enter(binding);
}

static int search(struct binding *binding)
{
	struct process *process = binding->process;
	struct port_pick *pick = &binding->pick;
	struct endpoint local = { 0 };
	struct lease lease;
	int result;

	endpoint_read(binding->address, binding->length, &local);

	const bool whole = endpoint_is_wildcard(&local);

	const struct port_wish wish = {
		.space = (enum space)binding->facts->space,
		.use = whole ? USE_WHOLE : USE_BOUND,
		.role = binding->role,
		.local = whole ? NULL : &local,
		.remote = binding->remote,
	};

	port_pick_start(pick, process, &wish);
	while (port_pick_next(pick, &lease)) {
		result = try_port(binding, lease.port);
		if (result == 0) {
			keep(binding, &lease);
			return 0;
		}
		if (!is_about_port(result)) {
			port_pick_reject(pick, &lease);
			return result;
		}
		counter_add(&process->arena, COUNTER_FOREIGN);
		port_pick_reject_foreign(pick, &lease);
	}
	result = ask_kernel(binding);
	if (result == 0) {
		assign_record(process, binding->fd, binding->facts);
		if (binding->facts->known)
			enter(binding);
	} else if (result == -EADDRINUSE) {
		assign_report_exhausted(pick, binding->call, &local);
	}
	return result;
}

/* SCTP has no such option, though it takes it. */
static bool leaves_port_open(int fd, const struct fd_facts *facts)
{
	int value = 0;

	return facts->space != SPACE_SCTP &&
	       raw_get_int_option(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT,
				  &value) == 0 && value != 0;
}

static int search_alone(struct binding *binding)
{
	const struct sharing sharing = sharing_suspend(binding->fd);
	const int result = search(binding);

	sharing_resume(binding->fd, &sharing);
	if (binding->pinned)
		socket_unpin(binding->fd);
	return result;
}

int assign_bind(struct process *process, int fd, struct fd_facts *factsp,
		const struct sockaddr *address, socklen_t length,
		struct port_taker *taker)
{
	struct binding binding = {
		.process = process, .fd = fd, .facts = factsp,
		.address = address, .length = length, .taker = taker,
		.role = ROLE_OF_LISTEN, .call = CALL_BIND,
	};

	if (!leaves_port_open(fd, factsp))
		return search_alone(&binding);

	const int result = taker->take(taker, fd, address, length);

	if (result == 0)
		assign_record(process, fd, factsp);
	return result;
}

static int take_by_bind(struct port_taker *taker, int fd,
			const struct sockaddr *address, socklen_t length)
{
	(void)taker;
	return raw_bind(fd, address, length);
}

int assign_implicit(struct process *process, int fd, struct fd_facts *factsp,
		    enum role role)
{
	/* What a failed connect has left there is no address and no port. */
	struct endpoint local = { .family = factsp->ipv6 ? AF_INET6 : AF_INET };
	struct port_taker taker = { take_by_bind };
	union socket_address address;
	int result = 0;

	if (factsp->has_address)
		result = socket_local(fd, &local);
	assign_count_filtered(process, result);
	if (result < 0)
		return result;
	local.port = 0;

	struct binding binding = {
		.process = process, .fd = fd, .facts = factsp,
		.address = &address.generic,
		.length = endpoint_write(&local, &address),
		.taker = &taker, .role = role,
		.call = role == ROLE_OF_LISTEN ? CALL_LISTEN : CALL_SEND,
		.no_port = leaves_port_open(fd, factsp),
	};

	result = search_alone(&binding);
	assign_count_filtered(process, result);
	if (result < 0 && factsp->has_address)
		socket_restore_address(fd, &local);
	return result;
}

/* --- SCTP: sctp_autobind() in net/sctp/socket.c, within a call -------------- */

struct calling {
	struct port_taker taker;	/* first: take() is given its address */
	const struct program_call *call;
	long result;		/* of the call, when it has been made */
	bool made;
};

static bool has_port(int fd)
{
	struct endpoint local;

	return socket_local(fd, &local) == 0 && local.port != 0;
}

/*
 * The port goes to the kernel as a pin, so that a call that fails before it
 * takes one leaves the socket as it was; as a bind where there is no pin.
 */
static int take_by_call(struct port_taker *taker, int fd,
			const struct sockaddr *address, socklen_t length)
{
	struct calling *self = (struct calling *)taker;
	struct endpoint local = { 0 };

	endpoint_read(address, length, &local);
	if (local.port != 0) {
		const int result = raw_bind(fd, address, length);

		if (result < 0)
			return result;
	}
	self->result = self->call->make(self->call);
	self->made = true;
	if (local.port != 0 || has_port(fd))
		return 0;
	/* EAGAIN: the port is not to be had. */
	return self->result == -EAGAIN ? -EADDRINUSE : -ECANCELED;
}

long assign_call(struct process *process, int fd, struct fd_facts *factsp,
		 enum event_call kind, const struct endpoint *remote,
		 const struct program_call *call)
{
	struct calling calling = { .taker = { take_by_call }, .call = call };
	union socket_address wildcard;
	struct binding binding = {
		.process = process, .fd = fd, .facts = factsp,
		.address = &wildcard.generic,
		.length = endpoint_wildcard(factsp->ipv6 ? AF_INET6 : AF_INET,
					    0, &wildcard),
		.taker = &calling.taker, .remote = remote, .call = kind,
		.role = kind == CALL_LISTEN ? ROLE_OF_LISTEN : ROLE_OF_CONNECT,
	};
	const int result = search_alone(&binding);

	if (result == -EADDRINUSE)
		return result;
	assign_count_filtered(process, result);
	/* No socket to bind (any more), say: let the kernel say so. */
	return calling.made ? calling.result : call->make(call);
}
