/* SPDX-License-Identifier: MIT */

/*
 * send, sendto, sendmsg and sendmmsg: the first send of a datagram socket takes
 * a port; that of an SCTP socket may, and with MSG_FASTOPEN that of a TCP
 * socket connects. Later sends only look into the cache. A send without an
 * address takes a port too, before it fails.
 */

#include <limits.h>
#include <string.h>

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

__attribute__((noinline)) static ssize_t
send_unsettled(int fd, const void *buffer, size_t size, int flags,
	       const struct sockaddr *address, socklen_t length)
{
	struct plain_call self = {
		.call = {
			.make = hook_make, .kind = CALL_SEND, .fd = fd,
			.address = address, .length = length,
			.connects = (flags & MSG_FASTOPEN) != 0,
		},
		.number = SYS_sendto,
		.words = { fd, (long)buffer, (long)size, flags, (long)address,
			   length },
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

/* The first message takes the port. */
__attribute__((noinline)) static long send_messages(long number, int fd,
						    const struct msghdr *first,
						    const long words[6],
						    int flags)
{
	struct plain_call self = {
		.call = {
			.make = hook_make, .kind = CALL_SEND, .fd = fd,
			.connects = (flags & MSG_FASTOPEN) != 0,
		},
		.number = number,
	};

	memcpy(self.words, words, sizeof(self.words));
	return next_result(read_destination(&self.call, first)
				   ? hook_run(&self.call)
				   : hook_make(&self.call, 0));
}

HOOK ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	const struct process *process = hook_process();

	if (process == NULL || is_settled(process, fd, flags))
		return next.sendmsg(fd, message, flags);
	return send_messages(SYS_sendmsg, fd, message,
			     (long[6]){ fd, (long)message, flags }, flags);
}

HOOK int sendmmsg(int fd, struct mmsghdr *messages, unsigned int n, int flags)
{
	const struct process *process = hook_process();

	if (process == NULL || n == 0 || is_settled(process, fd, flags))
		return next.sendmmsg(fd, messages, n, flags);
	return (int)send_messages(SYS_sendmmsg, fd, &messages->msg_hdr,
				  (long[6]){ fd, (long)messages, n, flags },
				  flags);
}
