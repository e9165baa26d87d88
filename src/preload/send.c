/* SPDX-License-Identifier: MIT */

/*
 * send, sendto, sendmsg and sendmmsg: the first send of a datagram socket takes
 * a port; that of an SCTP socket may, and with MSG_FASTOPEN that of a TCP
 * socket connects. Later sends only look into the cache. A send without an
 * address takes a port too, before it fails.
 */

#include <limits.h>

#include "assign/call.h"
#include "base/user_memory.h"
#include "preload/hook.h"
#include "preload/next.h"
#include "process/descriptors.h"

/*
 * Whether Berth has nothing to do for a send, decided by the cache. A send that
 * may connect is handled, with a port or without.
 */
static inline bool is_settled(const struct process *process, int fd, int flags)
{
	const struct fd_facts facts = fd_cache_get(&process->cache, fd);

	return facts.known && !facts.ask_again && (flags & MSG_FASTOPEN) == 0 &&
	       (!facts.covered ||
		(facts.has_port && process_is_current(process)));
}

/*
 * Stores the destination of a message. A name that is too long is cut, unless
 * its length is negative: __copy_msghdr() in net/socket.c. Returns false when
 * the message cannot be read.
 */
static bool read_destination(struct call *call, const struct msghdr *message)
{
	const socklen_t most = sizeof(struct sockaddr_storage);

	if (!user_memory_check(call->fd, message, sizeof(*message)))
		return false;
	call->address = message->msg_name;
	call->length = message->msg_name != NULL ? message->msg_namelen : 0;
	if (call->length > most && call->length <= INT_MAX)
		call->length = most;
	return true;
}

struct sendto_call {
	struct call call; /* first: make() is given its address */
	const void *buffer;
	size_t size;
	int flags;
};

static long make_sendto(const struct call *call, uint16_t port)
{
	const struct sendto_call *self = (const struct sendto_call *)call;
	const int saved_errno = errno;

	(void)port;
	return next_plain_result(next.sendto(call->fd, self->buffer, self->size,
					     self->flags, call->address,
					     call->length),
				 saved_errno);
}

__attribute__((noinline)) static ssize_t
send_unsettled(int fd, const void *buffer, size_t size, int flags,
	       const struct sockaddr *address, socklen_t length)
{
	struct sendto_call self = {
		.call = {
			.make = make_sendto, .kind = CALL_SEND, .fd = fd,
			.address = address, .length = length,
			.connects = (flags & MSG_FASTOPEN) != 0,
		},
		.buffer = buffer, .size = size, .flags = flags,
	};

	return next_result(hook_run(&self.call));
}

HOOK ssize_t sendto(int fd, const void *buffer, size_t size, int flags,
		    const struct sockaddr *address, socklen_t length)
{
	const struct process *process = hook_process();

	if (process == NULL || is_settled(process, fd, flags))
		return next.sendto(fd, buffer, size, flags, address, length);
	return send_unsettled(fd, buffer, size, flags, address, length);
}

HOOK ssize_t send(int fd, const void *buffer, size_t size, int flags)
{
	const struct process *process = hook_process();

	if (process == NULL || is_settled(process, fd, flags))
		return next.send(fd, buffer, size, flags);
	return send_unsettled(fd, buffer, size, flags, NULL, 0);
}

struct sendmsg_call {
	struct call call; /* first: make() is given its address */
	const struct msghdr *message;
	int flags;
};

static long make_sendmsg(const struct call *call, uint16_t port)
{
	const struct sendmsg_call *self = (const struct sendmsg_call *)call;
	const int saved_errno = errno;

	(void)port;
	return next_plain_result(next.sendmsg(call->fd, self->message,
					      self->flags),
				 saved_errno);
}

__attribute__((noinline)) static ssize_t
sendmsg_unsettled(int fd, const struct msghdr *message, int flags)
{
	struct sendmsg_call self = {
		.call = {
			.make = make_sendmsg, .kind = CALL_SEND, .fd = fd,
			.connects = (flags & MSG_FASTOPEN) != 0,
		},
		.message = message, .flags = flags,
	};

	if (!read_destination(&self.call, message))
		return next.sendmsg(fd, message, flags);
	return next_result(hook_run(&self.call));
}

HOOK ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	const struct process *process = hook_process();

	if (process == NULL || is_settled(process, fd, flags))
		return next.sendmsg(fd, message, flags);
	return sendmsg_unsettled(fd, message, flags);
}

struct sendmmsg_call {
	struct call call; /* first: make() is given its address */
	struct mmsghdr *messages;
	unsigned int n_messages;
	int flags;
};

static long make_sendmmsg(const struct call *call, uint16_t port)
{
	const struct sendmmsg_call *self = (const struct sendmmsg_call *)call;
	const int saved_errno = errno;

	(void)port;
	return next_plain_result(next.sendmmsg(call->fd, self->messages,
					       self->n_messages, self->flags),
				 saved_errno);
}

__attribute__((noinline)) static int
sendmmsg_unsettled(int fd, struct mmsghdr *messages, unsigned int n, int flags)
{
	struct sendmmsg_call self = {
		.call = {
			.make = make_sendmmsg, .kind = CALL_SEND, .fd = fd,
			.connects = (flags & MSG_FASTOPEN) != 0,
		},
		.messages = messages, .n_messages = n, .flags = flags,
	};

	/* The first message takes the port. */
	if (n == 0 || !read_destination(&self.call, &messages->msg_hdr))
		return next.sendmmsg(fd, messages, n, flags);
	return (int)next_result(hook_run(&self.call));
}

HOOK int sendmmsg(int fd, struct mmsghdr *messages, unsigned int n, int flags)
{
	const struct process *process = hook_process();

	if (process == NULL || is_settled(process, fd, flags))
		return next.sendmmsg(fd, messages, n, flags);
	return sendmmsg_unsettled(fd, messages, n, flags);
}
