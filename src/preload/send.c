/* SPDX-License-Identifier: MIT */

/*
 * sendto, sendmsg and sendmmsg: the first send of a datagram socket takes a
 * port, as that of an SCTP socket may, and with MSG_FASTOPEN that of a TCP socket
 * connects. All later ones see the cache and nothing else.
 */

#include "core/assign.h"
#include "core/endpoint.h"
#include "core/refusal.h"
#include "core/self_connect.h"
#include "preload/hook.h"
#include "preload/next.h"
#include "preload/sctp.h"

struct send_call {
	struct program_call call;	/* first: make() is given its address */
	int fd;
	int flags;
	const void *buffer;		/* sendto */
	size_t size;
	const struct sockaddr *address;
	socklen_t length;
	const struct msghdr *message;	/* sendmsg */
	struct mmsghdr *messages;	/* sendmmsg */
	unsigned int n_messages;
};

static long make_sendto(const struct program_call *call)
{
	const struct send_call *self = (const struct send_call *)call;
	const int saved_errno = errno;

	return hook_plain_result(next.sendto(self->fd, self->buffer, self->size,
					     self->flags, self->address,
					     self->length), saved_errno);
}

static long make_sendmsg(const struct program_call *call)
{
	const struct send_call *self = (const struct send_call *)call;
	const int saved_errno = errno;

	return hook_plain_result(next.sendmsg(self->fd, self->message,
					      self->flags), saved_errno);
}

static long make_sendmmsg(const struct program_call *call)
{
	const struct send_call *self = (const struct send_call *)call;
	const int saved_errno = errno;

	return hook_plain_result(next.sendmmsg(self->fd, self->messages,
					       self->n_messages, self->flags),
				 saved_errno);
}

/*
 * Whether a send needs nothing of Berth, by a look into the cache. What may be
 * a connect is looked at, with a port or without.
 */
static inline bool is_settled(const struct process *process, int fd, int flags)
{
	const struct fd_facts facts = fd_cache_get(&process->cache, fd);

	return facts.known && !facts.doubted && (flags & MSG_FASTOPEN) == 0 &&
	       (facts.has_port || !facts.covered);
}

/* Where the (first) message goes. Returns false when it cannot be read. */
static bool read_destination(struct process *process,
			     const struct fd_facts *facts,
			     struct send_call *self)
{
	const struct msghdr *message = self->messages != NULL
		? &self->messages->msg_hdr : self->message;

	if (message != NULL) {
		if (!hook_may_read(process, self->fd, facts, message,
				   sizeof(*message)))
			return false;
		self->address = message->msg_name;
		self->length = message->msg_namelen;
	}
	if (self->address == NULL)
		self->length = 0;
	return self->length <= sizeof(struct sockaddr_storage) &&
	       hook_may_read(process, self->fd, facts, self->address,
			     self->length);
}

/* The kernel chooses, and what it chose is looked at. */
static long send_observed(struct process *process, const struct policy *policy,
			  struct fd_facts *facts, const struct send_call *self)
{
	const long result = self->call.make(&self->call);

	assign_observe(process, policy, self->fd, facts, ROLE_OF_CONNECT,
		       CALL_SEND);
	return result;
}

static long send_stream(struct process *process, const struct policy *policy,
			struct fd_facts *facts, const struct send_call *self)
{
	struct endpoint remote;

	if ((self->flags & MSG_FASTOPEN) == 0 ||
	    !endpoint_read(self->address, self->length, &remote))
		return self->call.make(&self->call);

	int result = refusal_without_arena(process, policy, CALL_SEND,
					   SPACE_TCP);

	if (result == 0 && facts->has_port &&
	    self_connect_is(self->fd, facts->port, &remote))
		result = refusal_of_self_connect(process, policy, SPACE_TCP,
						 &remote);
	if (result < 0)
		return result;
	if (facts->has_port)
		return self->call.make(&self->call);
	if (policy->settings[SETTING_MODE] == MODE_OBSERVE)
		return send_observed(process, policy, facts, self);
	return assign_connect(process, self->fd, facts, &remote, &self->call);
}

/* inet_send_prepare() in net/ipv4/af_inet.c binds before it looks further. */
static long send_datagram(struct process *process, const struct policy *policy,
			  struct fd_facts *facts, const struct send_call *self)
{
	int result = refusal_without_arena(process, policy, CALL_SEND,
					   (enum space)facts->space);

	if (result < 0)
		return result;
	if (policy->settings[SETTING_MODE] == MODE_OBSERVE)
		return send_observed(process, policy, facts, self);
	result = assign_implicit(process, self->fd, facts, ROLE_OF_CONNECT);
	if (result == -EADDRINUSE)
		return -EAGAIN;
	return result == 0 ? self->call.make(&self->call)
			   : send_observed(process, policy, facts, self);
}

static long send_sctp(struct process *process, struct fd_facts *facts,
		      const struct send_call *self)
{
	struct endpoint remote;
	const bool is_read = endpoint_read(self->address, self->length,
					   &remote);

	return sctp_associate(process, self->fd, facts, CALL_SEND,
			      is_read ? &remote : NULL, &self->call);
}

__attribute__((noinline))
static long send_unsettled(struct process *process, struct send_call *self)
{
	struct fd_facts facts;
	struct policy policy;

	if (!hook_covers(process, self->fd, &facts) ||
	    (facts.has_port && !hook_is_stream(&facts)) ||
	    !read_destination(process, &facts, self))
		return self->call.make(&self->call);
	if (sctp_is(&facts))
		return send_sctp(process, &facts, self);
	process_policy(process, &policy);
	return hook_is_stream(&facts)
		? send_stream(process, &policy, &facts, self)
		: send_datagram(process, &policy, &facts, self);
}

HOOK ssize_t sendto(int fd, const void *buffer, size_t size, int flags,
		    const struct sockaddr *address, socklen_t length)
{
	struct process *process = hook_process();

	if (process == NULL || is_settled(process, fd, flags))
		return next.sendto(fd, buffer, size, flags, address, length);

	struct send_call self = {
		.call = { make_sendto }, .fd = fd, .flags = flags,
		.buffer = buffer, .size = size,
		.address = address, .length = length,
	};

	return hook_result(send_unsettled(process, &self));
}

HOOK ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	struct process *process = hook_process();

	if (process == NULL || message == NULL || is_settled(process, fd, flags))
		return next.sendmsg(fd, message, flags);

	struct send_call self = {
		.call = { make_sendmsg }, .fd = fd, .flags = flags,
		.message = message,
	};

	return hook_result(send_unsettled(process, &self));
}

HOOK int sendmmsg(int fd, struct mmsghdr *messages, unsigned int n, int flags)
{
	struct process *process = hook_process();

	if (process == NULL || messages == NULL || n == 0 ||
	    is_settled(process, fd, flags))
		return next.sendmmsg(fd, messages, n, flags);

	struct send_call self = {
		.call = { make_sendmmsg }, .fd = fd, .flags = flags,
		.messages = messages, .n_messages = n,
	};

	return (int)hook_result(send_unsettled(process, &self));
}
