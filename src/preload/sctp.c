/* SPDX-License-Identifier: MIT */

/*
 * SCTP: sockets of one association (SOCK_STREAM) and of many (SOCK_SEQPACKET),
 * RFC 6458. Each gets a port of its own when its first association is made.
 * bind(2) to one address works as for other protocols; libsctp's sctp_bindx()
 * and sctp_connectx() are socket options.
 */

/* <linux/sctp.h> needs both. */
#include <stdint.h>
#include <sys/socket.h>

#include <linux/sctp.h>
#include <netinet/in.h>
#include <string.h>

#include "base/raw.h"
#include "base/user_memory.h"
#include "kernel/endpoint.h"
#include "preload/hook.h"
#include "preload/next.h"

/* The addresses of a sctp_bindx() that may be copied: 73 of IPv6. */
#define LIST_SIZE_MAX 2048u

/* --- lists of addresses, packed ------------------------------------------- */

/* Takes the first address of a list as the call's address. Where none can be
 * read, the call has none. */
static bool take_first(struct call *call, const void *list, socklen_t length)
{
	sa_family_t family;
	socklen_t size;

	if (length < sizeof(family) ||
	    !user_memory_check(call->fd, list, length))
		return false;
	memcpy(&family, list, sizeof(family));
	size = endpoint_size(family);
	if (size == 0 || length < size)
		return false;
	call->address = list;
	call->length = size;
	return true;
}

/* --- sctp_bindx() --------------------------------------------------------- */

/*
 * The first address decides about the port: the others have no port, or the
 * same.
 */
static long make_bindx(const struct call *call, uint16_t port)
{
	const struct plain_call *self = (const struct plain_call *)call;
	const socklen_t length = (socklen_t)self->words[4];
	const int saved_errno = errno;
	char *copy;
	long result;

	if (port == 0)
		return hook_make(call, port);
	copy = raw_map_private(LIST_SIZE_MAX);
	if (copy == NULL)
		return -ENOMEM;
	memcpy(copy, call->address, length);
	endpoint_set_port(copy, port);
	result = next_plain_result(next.setsockopt(call->fd, IPPROTO_SCTP,
						   SCTP_SOCKOPT_BINDX_ADD, copy,
						   length),
				   saved_errno);
	raw_unmap(copy, LIST_SIZE_MAX);
	return result;
}

/* --- the options ---------------------------------------------------------- */

static bool is_sctp(int fd)
{
	struct fd_facts facts;

	return hook_covers(hook_process(), fd, &facts) &&
	       facts.protocol == PROTOCOL_SCTP;
}

bool sctp_setsockopt(int fd, int name, const void *value, socklen_t length,
		     long *resultp)
{
	const bool binds = name == SCTP_SOCKOPT_BINDX_ADD;
	struct plain_call self = {
		.call = {
			.make = binds ? make_bindx : hook_make,
			.kind = binds ? CALL_BIND : CALL_CONNECT, .fd = fd,
		},
		.number = SYS_setsockopt,
		.words = { fd, IPPROTO_SCTP, name, (long)value, length },
	};

	if ((!binds && name != SCTP_SOCKOPT_CONNECTX &&
	     name != SCTP_SOCKOPT_CONNECTX_OLD) ||
	    !is_sctp(fd))
		return false;
	if (!take_first(&self.call, value, length) ||
	    (binds && length > LIST_SIZE_MAX))
		return false;
	/* A port on several addresses is not shared. */
	self.call.is_whole = binds && length > self.call.length;
	*resultp = hook_run(&self.call);
	return true;
}

bool sctp_getsockopt(int fd, int name, void *value, socklen_t *lengthp,
		     long *resultp)
{
	struct plain_call self = {
		.call = {
			.make = hook_make, .kind = CALL_CONNECT, .fd = fd,
		},
		.number = SYS_getsockopt,
		.words = { fd, IPPROTO_SCTP, name, (long)value, (long)lengthp },
	};
	struct sctp_getaddrs_old request;

	if (name != SCTP_SOCKOPT_CONNECTX3 || !is_sctp(fd) ||
	    !user_memory_check(fd, lengthp, sizeof(*lengthp)) ||
	    *lengthp < sizeof(request) ||
	    !user_memory_check(fd, value, sizeof(request)))
		return false;
	memcpy(&request, value, sizeof(request));
	if (!take_first(&self.call, request.addrs, (socklen_t)request.addr_num))
		return false;
	*resultp = hook_run(&self.call);
	return true;
}
