/* SPDX-License-Identifier: MIT */
#include "core/assign.h"
#include "core/endpoint.h"
#include "core/refusal.h"
#include "core/self_connect.h"
#include "core/socket.h"
#include "preload/hook.h"
#include "preload/next.h"
#include "preload/sctp.h"

struct connect_call {
	struct program_call call;	/* first: make() is given its address */
	int fd;
	const struct sockaddr *address;
	socklen_t length;
};

static long make_connect(const struct program_call *call)
{
	const struct connect_call *self = (const struct connect_call *)call;
	const int saved_errno = errno;

	return hook_plain_result(next.connect(self->fd, self->address,
					      self->length), saved_errno);
}

/* A connect on a port that goes with the connection, if that fails. */
static long connect_loose(struct process *process, struct fd_facts *facts,
			  const struct connect_call *self)
{
	if (facts->loose && !facts->tried) {
		facts->tried = 1;
		process_enter(process, self->fd, *facts);
	}
	return make_connect(&self->call);
}

/* The kernel chooses, and what it chose is looked at. */
static long connect_observed(struct process *process,
			     const struct policy *policy,
			     struct fd_facts *facts,
			     const struct connect_call *self)
{
	const long result = make_connect(&self->call);

	if (result >= 0 || result == -EINPROGRESS)
		assign_observe(process, policy, self->fd, facts,
			       ROLE_OF_CONNECT, CALL_CONNECT);
	return result;
}

static long connect_stream(struct process *process, struct fd_facts *facts,
			   const struct connect_call *self)
{
	struct endpoint remote;
	struct policy policy;
	int result;

	/* Another family than the socket's is refused before a port is chosen. */
	if (!endpoint_read(self->address, self->length, &remote) ||
	    remote.family != (facts->ipv6 ? AF_INET6 : AF_INET))
		return make_connect(&self->call);
	process_policy(process, &policy);
	result = refusal_without_arena(process, &policy, CALL_CONNECT,
				       SPACE_TCP);
	if (result == 0 && facts->has_port &&
	    self_connect_is(self->fd, facts->port, &remote))
		result = refusal_of_self_connect(process, &policy, SPACE_TCP,
						 &remote);
	if (result < 0)
		return result;
	if (facts->has_port)
		return connect_loose(process, facts, self);
	if (policy.settings[SETTING_MODE] == MODE_OBSERVE)
		return connect_observed(process, &policy, facts, self);
	return assign_connect(process, self->fd, facts, &remote, &self->call);
}

/* inet_dgram_connect() in net/ipv4/af_inet.c binds before it looks further. */
static long connect_datagram(struct process *process, struct fd_facts *facts,
			     const struct connect_call *self)
{
	struct policy policy;
	int result;

	if (facts->has_port)
		return make_connect(&self->call);
	process_policy(process, &policy);
	result = refusal_without_arena(process, &policy, CALL_CONNECT,
				       (enum space)facts->space);
	if (result < 0)
		return result;
	if (policy.settings[SETTING_MODE] == MODE_OBSERVE)
		return connect_observed(process, &policy, facts, self);
	result = assign_implicit(process, self->fd, facts, ROLE_OF_CONNECT);
	if (result == -EADDRINUSE)
		return -EAGAIN;
	return result == 0 ? make_connect(&self->call)
			   : connect_observed(process, &policy, facts, self);
}

static long connect_sctp(struct process *process, struct fd_facts *facts,
			 const struct connect_call *self)
{
	struct endpoint remote;
	const bool is_read = endpoint_read(self->address, self->length,
					   &remote);

	return sctp_associate(process, self->fd, facts, CALL_CONNECT,
			      is_read ? &remote : NULL, &self->call);
}

/* connect(AF_UNSPEC): the socket gives a port up that it did not name itself. */
static long disconnect(struct process *process, struct fd_facts *facts,
		       const struct connect_call *self)
{
	const long result = make_connect(&self->call);

	if (result < 0)
		return result;
	/* A stream socket goes on to show the port that it had. */
	if (!hook_is_stream(facts))
		process_ask(process, self->fd, facts);
	else if (facts->loose)
		process_drop_port(process, self->fd, facts);
	return result;
}

static long connect_covered(struct process *process, struct fd_facts *facts,
			    const struct connect_call *self)
{
	if (self->length > sizeof(struct sockaddr_storage) ||
	    !hook_may_read(process, self->fd, facts, self->address,
			   self->length))
		return make_connect(&self->call);
	if (hook_family(self->address, self->length) == AF_UNSPEC)
		return disconnect(process, facts, self);
	if (sctp_is(facts))
		return connect_sctp(process, facts, self);
	return hook_is_stream(facts) ? connect_stream(process, facts, self)
				     : connect_datagram(process, facts, self);
}

HOOK int connect(int fd, const struct sockaddr *address, socklen_t length)
{
	struct process *process = hook_process();
	const struct connect_call self = {
		.call = { make_connect }, .fd = fd,
		.address = address, .length = length,
	};
	struct fd_facts facts;

	if (process == NULL || !hook_covers_surely(process, fd, &facts))
		return next.connect(fd, address, length);
	return (int)hook_result(connect_covered(process, &facts, &self));
}

/* __connect is libc's own name for it, which some programs link to. */
HOOK int connect_by_libc_name(int fd, const struct sockaddr *address,
			      socklen_t length)
	__asm__("__connect") __attribute__((alias("connect")));
