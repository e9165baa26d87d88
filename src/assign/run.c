/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "assign/assign.h"
#include "assign/call.h"
#include "assign/connect.h"
#include "assign/port.h"
#include "assign/refusal.h"
#include "base/raw.h"
#include "base/user_memory.h"
#include "kernel/endpoint.h"
#include "kernel/socket.h"
#include "process/descriptors.h"
#include "process/process.h"
#include "process/query.h"

static long make(const struct call *call)
{
	return call->make(call, 0);
}

static bool is_stream(const struct call *call)
{
	return call->facts.protocol == PROTOCOL_TCP;
}

static bool is_sctp(const struct call *call)
{
	return call->facts.protocol == PROTOCOL_SCTP;
}

/* --- the socket ----------------------------------------------------------- */

/* Updates the facts where the cache says that the socket has a port. */
static int refresh(struct call *call)
{
	struct fd_facts *facts = &call->facts;
	struct endpoint local = { .port = 0 };
	int result = 0;

	if (facts->has_port)
		result = socket_local(call->fd, &local);
	/* Where a filter forbids the question, the cache is used. */
	if (raw_is_filtered(result))
		return 0;
	if (result == 0 && (!facts->has_port || local.port == facts->port))
		return 0;
	return process_query(call->process, call->fd, facts);
}

/*
 * Few programs make such a call: it probably is for another socket than the one
 * that the cache knows.
 */
static bool is_unlikely(const struct call *call)
{
	const int family = call_family(call);

	if (call->kind == CALL_LISTEN)
		return !is_stream(call) && !is_sctp(call);
	if (call->kind == CALL_SEND && !call->connects && is_stream(call))
		return call->address != NULL;
	return family == (call->facts.ipv6 ? AF_INET : AF_INET6);
}

static int look_again(struct call *call)
{
	if (is_unlikely(call) && !call_is_as_known(call))
		return process_query(call->process, call->fd, &call->facts);
	/* A datagram socket that has a port sends from it. */
	return call->kind != CALL_SEND || call->connects ? refresh(call) : 0;
}

/* A child process may have reset the range that the program has set. */
static bool has_own_range(struct call *call)
{
	struct fd_facts *facts = &call->facts;
	int range;

	if (facts->own_range &&
	    raw_get_int_option(call->fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE,
			       &range) == 0 &&
	    range == 0) {
		facts->own_range = 0;
		process_set(call->process, call->fd, *facts);
	}
	return facts->own_range;
}

static bool covers(struct call *call)
{
	struct fd_facts *facts = &call->facts;
	int result = process_facts(call->process, call->fd, facts);

	if (result == 0 && facts->covered)
		result = look_again(call);
	return result == 0 && facts->covered && !has_own_range(call);
}

/*
 * Whether it is certain that the socket keeps the port it shows: the program
 * has named it, or the socket is in use. Otherwise the kernel may have taken it
 * back.
 */
static bool keeps_port(const struct call *call)
{
	return call->facts.has_port &&
	       (!is_stream(call) || !call->facts.unlocked ||
		!socket_is_closed(call->fd));
}

/* --- the calls ------------------------------------------------------------ */

static int refuse_without_map(const struct call *call)
{
	return refusal_without_map(call->process, &call->policy, call->kind,
				   (enum protocol)call->facts.protocol);
}

/* The kernel chooses, and its choice is recorded. */
static long observe(struct call *call)
{
	const long result = make(call);

	if (result >= 0 || result == -EINPROGRESS || !is_stream(call))
		assign_observe(call, result);
	return result;
}

/* Whether the socket gets its port only at the connect. SCTP has no such
 * option, though getsockopt() returns a value for it. */
static bool leaves_port_open(const struct call *call)
{
	int value = 0;

	return !is_sctp(call) &&
	       raw_get_int_option(call->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT,
				  &value) == 0 &&
	       value != 0;
}

/*
 * The kernel's refusal to bind a socket that holds a port comes before the
 * policy's.
 */
static int refuse_bind(struct call *call, const struct endpoint *local)
{
	if (call->is_chosen ||
	    !refusal_may_concern(&call->policy, &call->facts, local))
		return 0;
	if (call->facts.has_port && call_holds_port(call))
		return 0;
	return refusal_of_bind(call->process, &call->policy, &call->facts,
			       local);
}

static long run_bind(struct call *call)
{
	struct endpoint local;
	long result;

	if (!call_read_bind_address(call, &local) || keeps_port(call))
		return make(call);
	result = refuse_without_map(call);
	if (result == 0)
		result = refuse_bind(call, &local);
	if (result < 0)
		return result;

	const bool is_open = local.port == 0 && leaves_port_open(call);

	if (local.port == 0 && !is_open)
		return policy_observes(&call->policy) ? observe(call)
						      : assign_port(call);
	result = make(call);
	if (result == 0)
		assign_record_bind(call, &local);
	return result;
}

static long run_listen(struct call *call)
{
	/* SCTP stops listening with a backlog of 0, and takes no port for
	 * it. */
	if (keeps_port(call) || (!is_stream(call) && !is_sctp(call)) ||
	    (is_sctp(call) && call->has_no_backlog))
		return make(call);

	const int refused = refuse_without_map(call);

	if (refused < 0)
		return refused;
	if (policy_observes(&call->policy))
		return observe(call);
	return assign_port(call);
}

/* Where a filter forbids the question, a port that the program has not named
 * counts as released: __udp_disconnect() in net/ipv4/udp.c releases it. */
static void ask_disconnected(struct call *call)
{
	struct fd_facts *facts = &call->facts;
	struct endpoint local = { .port = 0 };
	const int result = socket_local(call->fd, &local);

	if (raw_is_filtered(result) ? facts->unlocked
				    : result == 0 && local.port == 0) {
		facts->has_address = !endpoint_is_wildcard(&local);
		process_drop_port(call->process, call->fd, facts);
	} else {
		process_query(call->process, call->fd, facts);
	}
	if (!facts->has_port)
		process_tell_others(call->process);
}

/*
 * A pin that has led to a connection has no further use. A range that a child
 * process has set in its place is the program's own.
 */
static void drop_pin(struct call *call)
{
	struct fd_facts *facts = &call->facts;

	facts->own_range = socket_range(call->fd, true) == RANGE_OF_PROGRAM;
	if (!facts->own_range)
		socket_unpin(call->fd);
	facts->pinned = 0;
	process_set(call->process, call->fd, *facts);
}

/*
 * connect(AF_UNSPEC): the socket releases a port that the program has not
 * named.
 */
static long disconnect(struct call *call)
{
	const long result = make(call);

	if (result < 0)
		return result;
	/* A stream socket still shows the port that it had, and may still hold
	 * it: tcp_disconnect() in net/ipv4/tcp.c. */
	if (!is_stream(call)) {
		ask_disconnected(call);
		return result;
	}
	if (!call->facts.engaged)
		return result;
	call->facts.engaged = 0;
	/* The socket gets the range of its first subflow back. */
	if (call->facts.mptcp)
		drop_pin(call);
	else
		process_set(call->process, call->fd, call->facts);
	return result;
}

/*
 * Whether a connect would connect the socket to itself. A socket in use cannot
 * connect; a connecting one first returns the result of that connect.
 */
static bool is_to_itself(const struct call *call, const struct endpoint *remote)
{
	const struct fd_facts *facts = &call->facts;

	if (!facts->has_port || facts->port != remote->port)
		return false;
	if (is_stream(call) &&
	    (call_is_engaged(call) || !socket_is_closed(call->fd)))
		return false;
	if (!socket_would_meet_itself(call->fd, facts->port, remote))
		return false;
	/* The socket is not changed where the call is not refused. */
	return !is_stream(call) || !facts->unlocked ||
	       (!policy_observes(&call->policy) && call_holds_port(call));
}

static int refuse_connect(const struct call *call,
			  const struct endpoint *remote)
{
	const int result = refuse_without_map(call);

	if (result < 0 || !is_to_itself(call, remote))
		return result;
	return refusal_of_self_connect(call->process, &call->policy,
				       (enum protocol)call->facts.protocol,
				       remote);
}

/* Notes whether the next connect only returns the result of this one. */
static long connect_as_it_is(struct call *call)
{
	const long result = make(call);
	const struct fd_facts before = call->facts;

	call_note_connect(call, result);
	if (!call->facts.engaged)
		call_drop_reuse(call);
	if (call->facts.engaged != before.engaged ||
	    call->facts.hides_reuse != before.hides_reuse)
		process_set(call->process, call->fd, call->facts);
	return result;
}

static long run_stream_connect(struct call *call)
{
	struct endpoint remote;

	if (!call_read_address(call, &remote))
		return make(call);

	const int refused = refuse_connect(call, &remote);

	if (refused < 0)
		return refused;
	if (keeps_port(call))
		return connect_as_it_is(call);
	return policy_observes(&call->policy) ? observe(call)
					      : assign_connect(call, &remote);
}

/* A UDP socket may connect to itself: old versions of PostgreSQL do so. */
static long run_datagram(struct call *call)
{
	const int refused = call->facts.has_port ? 0 : refuse_without_map(call);

	if (refused < 0)
		return refused;
	if (call->facts.has_port)
		return make(call);
	return policy_observes(&call->policy) ? observe(call)
					      : assign_port(call);
}

static long run_association(struct call *call)
{
	struct endpoint remote;
	const bool is_read = endpoint_read(call->address, call->length,
					   &remote);
	/* A socket of many associations may have one with itself. */
	const int refused = is_read && !call->facts.many
				    ? refuse_connect(call, &remote)
				    : refuse_without_map(call);

	if (refused < 0)
		return refused;
	/* Without an address, the kernel refuses the call before it takes a
	 * port. */
	if (is_read || call->facts.has_port)
		return run_datagram(call);

	const long result = make(call);

	assign_record(call, false);
	return result;
}

static long run_covered(struct call *call)
{
	/* The first subflow of MPTCP needs its pin while it is connecting. */
	if (call->facts.pinned || (call->facts.mptcp && call->facts.engaged))
		drop_pin(call);
	if (call->facts.own_range)
		return make(call);
	if (call->kind == CALL_BIND)
		return run_bind(call);
	if (call->kind == CALL_LISTEN)
		return run_listen(call);
	if (call->kind == CALL_CONNECT && call_family(call) == AF_UNSPEC)
		return disconnect(call);
	if (is_sctp(call))
		return run_association(call);
	if (is_stream(call))
		return call->connects ? run_stream_connect(call) : make(call);
	return run_datagram(call);
}

long call_run(struct process *process, struct call *call)
{
	call->process = process;
	if (!process_is_current(process))
		process_catch_up(process);
	if (!call_is_concerned(call) || !covers(call))
		return make(call);
	process_policy(process, &call->policy);
	return run_covered(call);
}
