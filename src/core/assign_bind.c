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
	bind_maker bind;
	enum role role;
	enum event_call call;
	struct port_pick pick;
	bool no_port;		/* IP_BIND_ADDRESS_NO_PORT is set */
	bool pinned;		/* a pin is set that must go */
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

	return binding->bind(binding->fd, &copy.generic, length);
}

/* Lets the kernel choose from lo to hi. Returns 0, -EADDRINUSE, other -errno. */
static int bind_pinned(struct binding *binding, uint16_t lo, uint16_t hi)
{
	struct endpoint local;
	int result = assign_pin(binding->process, binding->fd, binding->facts,
				lo, hi);

	if (result < 0)
		return result;
	binding->pinned = true;
	result = binding->bind(binding->fd, binding->address, binding->length);
	if (result < 0)
		return result;
	result = socket_local(binding->fd, &local);
	if (result == 0 && (local.port < lo || local.port > hi))
		/* The socket has its port now; the next are bound explicitly. */
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

		if (result != -ENOPROTOOPT && result != -EOPNOTSUPP)
			return result;
	}
	return bind_explicitly(binding, port);
}

/* Errors that speak of the port, not of the call. */
static bool is_about_port(int error)
{
	return error == -EADDRINUSE || error == -EACCES;
}

/* Asks the kernel about every port of the range, whatever the map says. */
static int ask_kernel(struct binding *binding)
{
	struct range_part part;
	uint32_t from = 0;

	counter_add(&binding->process->arena, COUNTER_KERNEL_ASKED);
	while (assign_next_part(&binding->pick, binding->facts, from, &part)) {
		int result = -EADDRINUSE;

		if (part.can_pin && !binding->no_port)
			result = bind_pinned(binding, part.lo, part.hi);
		else
			for (uint32_t port = part.lo;
			     port <= part.hi && is_about_port(result); port++)
				result = bind_explicitly(binding,
							 (uint16_t)port);
		if (!is_about_port(result) && result != -ENOPROTOOPT &&
		    result != -EOPNOTSUPP)
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

static void keep(struct binding *binding, const struct lease *lease)
{
	struct fd_facts *facts = binding->facts;

	process_hold(binding->process, lease, facts);
	facts->has_address = lease->use == USE_BOUND;
	facts->loose = binding->pinned;
	facts->tried = 0;
	facts->rests = rests(binding);
	process_enter(binding->process, binding->fd, *facts);
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
	if (result == 0)
		assign_record(process, binding->fd, binding->facts);
	else if (result == -EADDRINUSE)
		assign_report_exhausted(pick, binding->call, &local);
	return result;
}

static bool leaves_port_open(int fd)
{
	int value = 0;

	return raw_get_int_option(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT,
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
		bind_maker bind)
{
	struct binding binding = {
		.process = process, .fd = fd, .facts = factsp,
		.address = address, .length = length, .bind = bind,
		.role = ROLE_OF_LISTEN, .call = CALL_BIND,
	};

	if (!leaves_port_open(fd))
		return search_alone(&binding);

	const int result = bind(fd, address, length);

	if (result == 0)
		assign_record(process, fd, factsp);
	return result;
}

int assign_implicit(struct process *process, int fd, struct fd_facts *factsp,
		    enum role role)
{
	/* What a failed connect has left there is no address and no port. */
	struct endpoint local = { .family = factsp->ipv6 ? AF_INET6 : AF_INET };
	union socket_address address;
	int result = 0;

	if (factsp->has_address)
		result = socket_local(fd, &local);
	if (result < 0)
		return result;
	local.port = 0;

	struct binding binding = {
		.process = process, .fd = fd, .facts = factsp,
		.address = &address.generic,
		.length = endpoint_write(&local, &address),
		.bind = raw_bind, .role = role,
		.call = role == ROLE_OF_LISTEN ? CALL_LISTEN : CALL_SEND,
		.no_port = leaves_port_open(fd),
	};

	result = search_alone(&binding);
	if (result < 0 && factsp->has_address)
		socket_restore_address(fd, &local);
	return result;
}
