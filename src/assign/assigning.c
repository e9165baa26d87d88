/* SPDX-License-Identifier: MIT */
#include "assign/assigning.h"

#include <errno.h>
#include <netinet/in.h>

#include "base/raw.h"
#include "kernel/socket.h"
#include "map/event.h"

/* --- exclusive: options that would let the kernel share a port ------------ */

bool assigning_is_tcp(const struct assigning *self)
{
	return self->call->facts.protocol == PROTOCOL_TCP;
}

bool assigning_is_udp(const struct assigning *self)
{
	return self->call->facts.protocol == PROTOCOL_UDP ||
	       self->call->facts.protocol == PROTOCOL_UDPLITE;
}

void assigning_read_sharing(struct assigning *self)
{
	const int fd = self->call->fd;

	if (self->knows_sharing)
		return;
	raw_get_int_option(fd, SOL_SOCKET, SO_REUSEADDR, &self->reuse_address);
	raw_get_int_option(fd, SOL_SOCKET, SO_REUSEPORT, &self->reuse_port);
	/* UDP joins a group of SO_REUSEPORT at the bind: udp_lib_get_port() in
	 * net/ipv4/udp.c. So the option stays on. */
	self->tests_first = self->reuse_port != 0 && assigning_is_udp(self);
	self->knows_sharing = true;
}

/*
 * TCP_REPAIR sets SO_REUSEADDR to 2, which setsockopt() could not restore. TCP
 * joins a group of SO_REUSEPORT at the listen, which is the call that is made
 * with a pin.
 */
static void set_sharing(const struct assigning *self, bool pinned, int on)
{
	const int fd = self->call->fd;

	if (self->reuse_address == 1)
		raw_set_int_option(fd, SOL_SOCKET, SO_REUSEADDR, on);
	if (self->reuse_port != 0 && !self->tests_first &&
	    !(pinned && assigning_is_tcp(self)))
		raw_set_int_option(fd, SOL_SOCKET, SO_REUSEPORT, on);
}

/*
 * With one of these options set, a bind may succeed though another socket has
 * the port: so they are off during the bind. A TCP port that the kernel chooses
 * itself belongs to one socket alone (inet_csk_find_open_port() in
 * net/ipv4/inet_connection_sock.c), unless ip_autobind_reuse allows sharing.
 */
static bool suspends_sharing(struct assigning *self, bool pinned)
{
	if (self->shares || (pinned && assigning_is_tcp(self) &&
			     !self->call->process->kernel.autobind_reuse))
		return false;
	assigning_read_sharing(self);
	return true;
}

/*
 * Whether no socket has the port, where the socket's own bind would not show
 * this.
 */
static bool is_free(const struct assigning *self, uint16_t port)
{
	struct endpoint local = self->local;

	local.port = port;
	return !self->tests_first ||
	       socket_is_bindable((enum protocol)self->call->facts.protocol,
				  &local);
}

/* --- one candidate -------------------------------------------------------- */

bool assigning_is_bind(const struct assigning *self)
{
	return self->call->kind == CALL_BIND;
}

bool assigning_rests(const struct assigning *self)
{
	const uint8_t rest = self->call->policy.settings[SETTING_REST];

	return rest == REST_OF_ALL ||
	       (rest == REST_OF_LISTEN && self->pick.role == ROLE_OF_LISTEN);
}

void assigning_make(struct assigning *self)
{
	struct call *call = self->call;
	const bool may_end = call->kind == CALL_CONNECT ||
			     call->kind == CALL_SEND;

	if (may_end && self->lease != NULL) {
		call->facts.unlocked = !self->is_bound;
		call->facts.rests = assigning_rests(self);
		assign_keep(call, self->lease, self->pinned, &self->kept);
	}
	self->result = call->make(call, 0);
}

int assigning_error_of_exhaustion(const struct call *call)
{
	const bool is_listen = call->kind == CALL_LISTEN;

	return call->kind == CALL_BIND || (is_listen && call->facts.protocol !=
								PROTOCOL_SCTP)
		       ? -EADDRINUSE
		       : -EAGAIN;
}

/* Whether a failed call has failed because the port was taken. A send may also
 * give EAGAIN after it has taken its port. */
static bool wants_port(const struct assigning *self)
{
	return self->result == assigning_error_of_exhaustion(self->call);
}

/*
 * Determines the outcome of a call on a pinned socket. A datagram socket takes
 * its port first, and keeps it even if the call fails; a TCP socket still shows
 * a port that it has lost.
 */
static enum port_outcome judge(struct assigning *self, uint16_t lo, uint16_t hi)
{
	struct endpoint local = { .port = 0 };
	const bool shows_taken = self->result >= 0 ||
				 self->call->facts.protocol != PROTOCOL_TCP;

	/* Where a filter forbids the question, the pin is assumed to have
	 * worked. */
	if (shows_taken &&
	    raw_is_filtered(socket_local(self->call->fd, &local)))
		return self->result >= 0 ? PORT_TAKEN : PORT_ENDED;
	if (local.port == 0)
		return wants_port(self) ? PORT_NEXT : PORT_ENDED;
	if (local.port >= lo && local.port <= hi)
		return PORT_TAKEN;
	/* A port that the socket has held all along is not changed by the
	 * pin. */
	if (local.port != self->shown)
		assign_check_pin(self->call, lo);
	return PORT_ENDED;
}

enum port_outcome assigning_try_pinned(struct assigning *self, uint16_t lo,
				       uint16_t hi)
{
	const bool suspends = suspends_sharing(self, true);

	if (assign_pin(self->call, lo, hi) < 0)
		return PORT_NO_PIN;
	self->pinned = true;
	if (suspends)
		set_sharing(self, true, 0);
	assigning_make(self);
	if (suspends)
		set_sharing(self, true, 1);
	return judge(self, lo, hi);
}

static long bind_by_number(struct assigning *self, uint16_t port)
{
	const struct call *call = self->call;
	const bool suspends = suspends_sharing(self, false);
	struct endpoint local = self->local;
	long bound;

	local.port = port;
	self->has_tried_bind = true;
	if (suspends)
		set_sharing(self, false, 0);
	bound = assigning_is_bind(self) ? call->make(call, port)
					: socket_bind(call->fd, &local);
	if (suspends)
		set_sharing(self, false, 1);
	return bound;
}

bool assigning_has_port(const struct assigning *self, uint16_t port)
{
	struct endpoint local;

	return socket_local(self->call->fd, &local) == 0 && local.port == port;
}

/* Binds to the port by its number, and then makes the call. */
static enum port_outcome try_bound(struct assigning *self, uint16_t port)
{
	const bool may_bind = assigning_is_bind(self) ||
			      call_may_bind(self->call);
	const long bound = may_bind ? bind_by_number(self, port) : -EINVAL;

	if (bound == -EADDRINUSE || bound == -EACCES)
		return PORT_NEXT;
	assign_count_filtered(self->call, bound);
	self->is_bound = bound == 0;
	self->result = bound;
	if (!assigning_is_bind(self) || raw_is_filtered(bound))
		assigning_make(self);
	return bound == 0 || (assigning_is_bind(self) &&
			      assigning_has_port(self, port))
		       ? PORT_TAKEN
		       : PORT_ENDED;
}

enum port_outcome assigning_try_port(struct assigning *self, uint16_t port)
{
	enum port_outcome outcome = PORT_NO_PIN;

	if (!is_free(self, port))
		return PORT_NEXT;
	if (assign_can_pin(self->call, port))
		outcome = assigning_try_pinned(self, port, port);
	return outcome == PORT_NO_PIN ? try_bound(self, port) : outcome;
}
