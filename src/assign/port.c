/* SPDX-License-Identifier: MIT */
#include "assign/assign.h"

#include <errno.h>
#include <netinet/in.h>

#include "assign/call.h"
#include "assign/pick.h"
#include "base/raw.h"
#include "kernel/endpoint.h"
#include "kernel/socket.h"
#include "map/event.h"

/* One call that is to give its socket a port that is not chosen yet. */
struct assigning {
	struct call *call;
	struct endpoint local;	/* where the socket is bound, or is to be */
	uint16_t shown;		/* a port that the socket shows, and which the
				   kernel may have taken back; 0 = none */
	struct port_pick pick;
	const struct lease *lease;	/* of the candidate; NULL = the kernel's */
	struct kept kept;
	long result;		/* of the program's call, once it was made */
	bool has_port;		/* the socket has one that the cache does not know */
	bool pinned;		/* a pin is set that must go */
	bool is_bound;		/* the port was bound explicitly */
	bool has_tried_bind;	/* a bind that fails takes the address away */
	bool shares;		/* the port need not be the socket's alone */
	bool knows_sharing;	/* the next three have been read */
	bool tests_first;	/* another socket is bound to the port first */
	int reuse_address, reuse_port;
};

/* What came of a candidate. */
enum outcome {
	OUTCOME_NEXT,		/* somebody else has the port */
	OUTCOME_TAKEN,		/* the socket has it; result is the program's */
	OUTCOME_ENDED,		/* no port was taken; result is the program's */
	OUTCOME_NO_PIN,		/* the kernel takes no pin, for whatever reason */
};

/* --- exclusive: what would let the kernel share a port ----------------------- */

static bool is_tcp(const struct assigning *self)
{
	return self->call->facts.protocol == PROTOCOL_TCP;
}

static bool is_udp(const struct assigning *self)
{
	return self->call->facts.protocol == PROTOCOL_UDP ||
	       self->call->facts.protocol == PROTOCOL_UDPLITE;
}

/* SO_REUSEADDR and SO_REUSEPORT as the program has them. */
static void read_sharing(struct assigning *self)
{
	const int fd = self->call->fd;

	if (self->knows_sharing)
		return;
	raw_get_int_option(fd, SOL_SOCKET, SO_REUSEADDR, &self->reuse_address);
	raw_get_int_option(fd, SOL_SOCKET, SO_REUSEPORT, &self->reuse_port);
	/* UDP makes the group of SO_REUSEPORT at the bind: udp_lib_get_port() in
	 * net/ipv4/udp.c. So there it stays on. */
	self->tests_first = self->reuse_port != 0 && is_udp(self);
	self->knows_sharing = true;
}

/*
 * TCP_REPAIR sets SO_REUSEADDR to 2, which could not be set again. A listen makes
 * the group of SO_REUSEPORT, and is the call that is made where TCP is pinned.
 */
static void set_sharing(const struct assigning *self, bool pinned, int on)
{
	const int fd = self->call->fd;

	if (self->reuse_address == 1)
		raw_set_int_option(fd, SOL_SOCKET, SO_REUSEADDR, on);
	if (self->reuse_port != 0 && !self->tests_first &&
	    !(pinned && is_tcp(self)))
		raw_set_int_option(fd, SOL_SOCKET, SO_REUSEPORT, on);
}

/*
 * With one of them set, the kernel's "yes" does not mean that the port is this
 * socket's alone: they are off while it is asked. A TCP port that the kernel
 * chooses itself is always one socket's alone (inet_csk_find_open_port() in
 * net/ipv4/inet_connection_sock.c), unless ip_autobind_reuse allows more.
 */
static bool suspends_sharing(struct assigning *self, bool pinned)
{
	if (self->shares || (pinned && is_tcp(self) &&
			     !self->call->process->kernel.autobind_reuse))
		return false;
	read_sharing(self);
	return true;
}

/* Whether nobody has the port, where the socket's own bind would not tell. */
static bool is_free(const struct assigning *self, uint16_t port)
{
	struct endpoint local = self->local;

	local.port = port;
	return !self->tests_first ||
	       socket_is_bindable((enum protocol)self->call->facts.protocol,
				  &local);
}

/* --- one candidate ------------------------------------------------------------ */

static bool is_bind(const struct assigning *self)
{
	return self->call->kind == CALL_BIND;
}

/* What the policy says of a port's rest, for its role. */
static bool rests(const struct assigning *self)
{
	const uint8_t rest = self->call->policy.settings[SETTING_REST];

	return rest == REST_OF_ALL || (rest == REST_OF_LISTEN &&
				       self->pick.role == ROLE_OF_LISTEN);
}

/*
 * Makes the program's call. A connect and a send may be cancelled in it, and
 * then have their lease before.
 */
static void make(struct assigning *self)
{
	struct call *call = self->call;
	const bool may_end = call->kind == CALL_CONNECT ||
			     call->kind == CALL_SEND;

	if (may_end && self->lease != NULL) {
		call->facts.unlocked = !self->is_bound;
		call->facts.rests = rests(self);
		assign_keep(call, self->lease, self->pinned, &self->kept);
	}
	self->result = call->make(call, 0);
}

/*
 * What the kernel says where no port is left. inet_autobind() gives EAGAIN, and
 * so does sctp_listen_start().
 */
static int error_of_exhaustion(const struct call *call)
{
	const bool is_listen = call->kind == CALL_LISTEN;

	return call->kind == CALL_BIND ||
	       (is_listen && call->facts.protocol != PROTOCOL_SCTP)
		? -EADDRINUSE : -EAGAIN;
}

/* Whether a failed call has failed for want of a port. A send may also give
 * EAGAIN that has its port. */
static bool wants_port(const struct assigning *self)
{
	return self->result == error_of_exhaustion(self->call);
}

/*
 * Looks at what a call has done that was made with the socket pinned. A datagram
 * socket takes its port first, and keeps it whatever becomes of the call; a TCP
 * socket goes on to show a port that it has lost.
 */
static enum outcome judge(struct assigning *self, uint16_t lo, uint16_t hi)
{
	struct endpoint local = { .port = 0 };
	const bool shows_taken = self->result >= 0 ||
				 self->call->facts.protocol != PROTOCOL_TCP;

	/* The pin is believed where a filter forbids to look. */
	if (shows_taken &&
	    raw_is_filtered(socket_local(self->call->fd, &local)))
		return self->result >= 0 ? OUTCOME_TAKEN : OUTCOME_ENDED;
	if (local.port == 0)
		return wants_port(self) ? OUTCOME_NEXT : OUTCOME_ENDED;
	if (local.port >= lo && local.port <= hi)
		return OUTCOME_TAKEN;
	/* A port that it held all the time is what the pin does not change. */
	if (local.port != self->shown)
		assign_check_pin(self->call, lo);
	return OUTCOME_ENDED;
}

/* Lets the kernel choose from lo to hi within the program's own call. */
static enum outcome try_pinned(struct assigning *self, uint16_t lo, uint16_t hi)
{
	const bool suspends = suspends_sharing(self, true);

	if (assign_pin(self->call, lo, hi) < 0)
		return OUTCOME_NO_PIN;
	self->pinned = true;
	if (suspends)
		set_sharing(self, true, 0);
	make(self);
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
	bound = is_bind(self) ? call->make(call, port)
			      : socket_bind(call->fd, &local);
	if (suspends)
		set_sharing(self, false, 1);
	return bound;
}

/* Of several addresses one may be bound before another is refused. */
static bool has_port(const struct assigning *self, uint16_t port)
{
	struct endpoint local;

	return socket_local(self->call->fd, &local) == 0 && local.port == port;
}

/* Binds the port by its number, and then makes the call. */
static enum outcome try_bound(struct assigning *self, uint16_t port)
{
	/* One that is still to be told what came of a connect is refused. */
	const bool may_bind = !call_is_engaged(self->call) || is_bind(self);
	const long bound = may_bind ? bind_by_number(self, port) : -EINVAL;

	if (bound == -EADDRINUSE || bound == -EACCES)
		return OUTCOME_NEXT;
	assign_count_filtered(self->call, bound);
	self->is_bound = bound == 0;
	self->result = bound;
	if (!is_bind(self) || raw_is_filtered(bound))
		make(self);
	return bound == 0 || (is_bind(self) && has_port(self, port))
		? OUTCOME_TAKEN : OUTCOME_ENDED;
}

static enum outcome try_port(struct assigning *self, uint16_t port)
{
	enum outcome outcome = OUTCOME_NO_PIN;

	if (!is_free(self, port))
		return OUTCOME_NEXT;
	if (assign_can_pin(self->call, port))
		outcome = try_pinned(self, port, port);
	return outcome == OUTCOME_NO_PIN ? try_bound(self, port) : outcome;
}

/* --- the kernel's last word ----------------------------------------------------- */

static enum outcome try_each(struct assigning *self,
			     const struct range_part *part)
{
	enum outcome outcome = OUTCOME_NEXT;

	for (uint32_t port = part->lo;
	     port <= part->hi && outcome == OUTCOME_NEXT; port++)
		outcome = try_port(self, (uint16_t)port);
	return outcome;
}

static enum outcome try_part(struct assigning *self,
			     const struct range_part *part)
{
	enum outcome outcome = OUTCOME_NO_PIN;

	if (part->can_pin && !self->tests_first)
		outcome = try_pinned(self, part->lo, part->hi);
	/* A port is shared only where the kernel chooses it. */
	return outcome == OUTCOME_NO_PIN && !self->shares
		? try_each(self, part) : outcome;
}

/* Asks the kernel about every port of the range, whatever the map says. */
static enum outcome ask_kernel(struct assigning *self)
{
	enum outcome outcome = OUTCOME_NEXT;
	struct range_part part;
	uint32_t from = 0;

	while (outcome == OUTCOME_NEXT &&
	       assign_next_part(self->call, &self->pick, from, &part)) {
		outcome = try_part(self, &part);
		if (outcome == OUTCOME_NO_PIN)
			outcome = OUTCOME_NEXT;
		from = part.hi + 1u;
	}
	return outcome;
}

/* --- the search ------------------------------------------------------------------- */

/* The socket's port has been found in the map, or by the kernel. */
static void enter(struct assigning *self)
{
	struct call *call = self->call;

	call->facts.unlocked = !self->is_bound;
	call->facts.rests = rests(self);
	process_set(call->process, call->fd, call->facts);
}

static void keep(struct assigning *self, const struct lease *lease)
{
	process_note_lease(self->call->process, lease, &self->call->facts);
	self->call->facts.has_address = lease->use == USE_BOUND;
	self->call->facts.pinned = 0;
	enter(self);
}

static void adopt(struct assigning *self)
{
	assign_record(self->call, self->is_bound);
	if (self->call->facts.known)
		enter(self);
}

/* The call was made, and the port that it was to have is not the socket's. */
static void end(struct assigning *self)
{
	struct call *call = self->call;

	if (self->shown != 0 &&
	    (self->result < 0 || has_port(self, self->shown)))
		return;
	assign_record_choice(call);
}

static void give_up(struct assigning *self)
{
	self->result = error_of_exhaustion(self->call);
	assign_report_exhausted(self->call, &self->local);
	if (self->has_tried_bind && !is_bind(self))
		socket_restore_address(self->call->fd, &self->local);
}

/* Tries one candidate, and gives it back where it is not the socket's then. */
static enum outcome try_lease(struct assigning *self, const struct lease *lease)
{
	enum outcome outcome;

	self->lease = lease;
	self->kept = (struct kept){ .is_kept = false };
	outcome = try_port(self, lease->port);
	self->lease = NULL;
	if (outcome == OUTCOME_TAKEN)
		keep(self, lease);
	else if (self->kept.is_kept &&
		 !assign_withdraw(self->call, &self->kept))
		return outcome;
	else if (outcome == OUTCOME_ENDED)
		port_pick_reject(&self->pick, lease);
	else if (outcome == OUTCOME_NEXT)
		port_pick_reject_foreign(&self->pick, lease);
	return outcome;
}

static enum outcome search(struct assigning *self)
{
	struct lease lease;

	while (port_pick_next(&self->pick, &lease)) {
		const enum outcome outcome = try_lease(self, &lease);

		if (outcome == OUTCOME_ENDED)
			end(self);
		if (outcome != OUTCOME_NEXT)
			return outcome;
		event_count(&self->call->process->map, COUNTER_FOREIGN);
	}
	return OUTCOME_NEXT;
}

/* ip-sysctl.rst: with ip_autobind_reuse, a full range is shared by those that
 * have SO_REUSEADDR. */
static bool may_share(struct assigning *self)
{
	if (!is_tcp(self) || !self->call->process->kernel.autobind_reuse)
		return false;
	read_sharing(self);
	return self->reuse_address != 0;
}

/* The map has no port left. */
static enum outcome search_kernel(struct assigning *self)
{
	enum outcome outcome;

	event_count(&self->call->process->map, COUNTER_KERNEL_ASKED);
	outcome = ask_kernel(self);
	if (outcome == OUTCOME_NEXT && may_share(self)) {
		self->shares = true;
		outcome = ask_kernel(self);
	}
	if (outcome == OUTCOME_TAKEN)
		adopt(self);
	else if (outcome == OUTCOME_ENDED)
		end(self);
	return outcome;
}

/* Where the port is to be taken: at the address that a bind names, or where the
 * socket is. */
static void read_local(struct assigning *self, struct endpoint *remotep)
{
	struct call *call = self->call;

	self->local.family = call->facts.ipv6 ? AF_INET6 : AF_INET;
	if (is_bind(self))
		endpoint_read(call->address, call->length, &self->local);
	else
		socket_local(call->fd, &self->local);
	self->local.port = 0;
	/* A port is assigned that is not the destination's, where that matters. */
	*remotep = (struct endpoint){ .port = 0 };
	if (call->facts.protocol == PROTOCOL_SCTP && call_role(call) ==
						       ROLE_OF_CONNECT)
		endpoint_read(call->address, call->length, remotep);
}

/* One that a child, say, has taken for it is the socket's. */
static bool has_port_unknown(const struct assigning *self)
{
	struct endpoint local;

	return !is_tcp(self) && socket_local(self->call->fd, &local) == 0 &&
	       local.port != 0;
}

static void begin(struct assigning *self)
{
	struct call *call = self->call;
	struct endpoint remote;

	read_local(self, &remote);
	if (is_udp(self))
		read_sharing(self);
	self->has_port = has_port_unknown(self);

	const bool whole = call->is_whole ||
			   endpoint_is_wildcard(&self->local);
	const struct port_wish wish = {
		.protocol = (enum protocol)call->facts.protocol,
		.use = whole ? USE_WHOLE : USE_BOUND,
		.role = call_role(call),
		.local = whole ? NULL : &self->local,
		.remote = remote.port != 0 ? &remote : NULL,
	};

	port_pick_start(&self->pick, call->process, &call->policy, &wish);
}

/* A range that the program has set where no hook could see it: in a child, say. */
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
	enum outcome outcome;

	if (has_own_range(call))
		return call->make(call, 0);
	begin(&self);
	if (self.has_port) {
		make(&self);
		end(&self);
		return self.result;
	}
	outcome = search(&self);
	if (outcome == OUTCOME_NEXT)
		outcome = search_kernel(&self);
	if (self.pinned)
		socket_unpin(call->fd);
	if (outcome == OUTCOME_NEXT)
		give_up(&self);
	return self.result;
}
