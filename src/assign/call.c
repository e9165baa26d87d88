/* SPDX-License-Identifier: MIT */
#include "assign/call.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "base/raw.h"
#include "base/user_memory.h"
#include "kernel/endpoint.h"
#include "kernel/socket.h"
#include "process/process.h"

/*
 * An address that only a connect has given the socket is not bound to: each
 * later connect would come from there (SOCK_BINDADDR_LOCK). IPV6_V6ONLY is not
 * set for MPTCP, since its first subflow may have another value than it shows.
 */
bool call_holds_port(const struct call *call)
{
	const struct fd_facts *facts = &call->facts;
	struct endpoint bound = { .family = (uint16_t)facts_family(facts) };

	if (!socket_is_closed(call->fd))
		return true;
	if (facts->ipv6 && !facts->mptcp)
		return socket_refuses_v6only(call->fd);
	if (facts->has_address && socket_local(call->fd, &bound) < 0)
		return true;
	return socket_bind_address(call->fd, &bound) == -EINVAL;
}

bool call_is_as_known(const struct call *call)
{
	struct fd_facts now;

	return facts_query(call->fd, &now) == 0 && now.covered &&
	       now.protocol == call->facts.protocol &&
	       now.ipv6 == call->facts.ipv6;
}

enum role call_role(const struct call *call)
{
	return call->kind == CALL_BIND || call->kind == CALL_LISTEN
		       ? ROLE_OF_LISTEN
		       : ROLE_OF_CONNECT;
}

void call_note_connect(struct call *call, long result)
{
	/* A listener gets this result too. */
	if (result != -EISCONN)
		call->facts.engaged = result >= 0 || result == -EINPROGRESS ||
				      result == -EINTR || result == -EALREADY;
}

bool call_is_engaged(const struct call *call)
{
	return call->facts.engaged &&
	       (call->facts.mptcp || !socket_is_closed(call->fd) ||
		socket_is_cut_off(call->fd));
}

bool call_may_bind(const struct call *call)
{
	return call->facts.mptcp || !call_is_engaged(call);
}

void call_drop_reuse(struct call *call)
{
	int reuse = 1;

	if (!call->facts.hides_reuse || !socket_is_closed(call->fd))
		return;
	/* TCP_REPAIR has made it 2, which setsockopt() cannot set. */
	raw_get_int_option(call->fd, SOL_SOCKET, SO_REUSEADDR, &reuse);
	if (reuse != 1 ||
	    raw_set_int_option(call->fd, SOL_SOCKET, SO_REUSEADDR, 0) == 0)
		call->facts.hides_reuse = 0;
}

int call_family(const struct call *call)
{
	sa_family_t family;

	if (call->address == NULL || call->length < sizeof(family))
		return -1;
	memcpy(&family, call->address, sizeof(family));
	return family;
}

static bool is_known(const struct call *call)
{
	return fd_cache_get(&call->process->cache, call->fd).known;
}

bool call_is_concerned(const struct call *call)
{
	if (call->kind == CALL_LISTEN)
		return true;
	if (call->address != NULL &&
	    (call->length > sizeof(struct sockaddr_storage) ||
	     !user_memory_check(call->fd, call->address, call->length)))
		return false;

	const int family = call_family(call);

	if (family < 0)
		return call->kind == CALL_SEND && is_known(call);
	return family == AF_INET || family == AF_INET6 || family == AF_UNSPEC ||
	       is_known(call);
}

/*
 * AF_UNSPEC with INADDR_ANY is AF_INET to an IPv4 socket: "compatibility games"
 * of __inet_bind() in net/ipv4/af_inet.c.
 */
static bool read_unspecified(const struct call *call,
			     struct endpoint *endpointp)
{
	struct sockaddr_in in;

	if (call->facts.ipv6 || call->length < sizeof(in) ||
	    call_family(call) != AF_UNSPEC)
		return false;
	memcpy(&in, call->address, sizeof(in));
	*endpointp = (struct endpoint){ .port = ntohs(in.sin_port),
					.family = AF_INET };
	return in.sin_addr.s_addr == INADDR_ANY;
}

bool call_read_address(const struct call *call, struct endpoint *endpointp)
{
	return endpoint_read(call->address, call->length, endpointp) &&
	       endpointp->family == facts_family(&call->facts);
}

bool call_read_bind_address(const struct call *call, struct endpoint *localp)
{
	return call_read_address(call, localp) ||
	       read_unspecified(call, localp);
}
