/* SPDX-License-Identifier: MIT */
#include "preload/sctp.h"

#include <stdint.h>
#include <linux/sctp.h>
#include <netinet/in.h>
#include <string.h>

#include "assign/call.h"
#include "base/raw.h"
#include "base/user_memory.h"
#include "kernel/endpoint.h"
#include "preload/hook.h"
#include "preload/next.h"

/* The addresses of a sctp_bindx() that may be copied: 73 of IPv6. */
#define LIST_SIZE_MAX 2048u

/* setsockopt() or getsockopt() of one option, as the program made it. */
struct option_call {
	struct call call; /* first: make() is given its address */
	int name;
	const void *value;
	socklen_t length;
	void *out; /* getsockopt */
	socklen_t *lengthp;
};

static long set_option(const struct option_call *self, const void *value)
{
	const int saved_errno = errno;

	return next_plain_result(next.setsockopt(self->call.fd, IPPROTO_SCTP,
						 self->name, value,
						 self->length),
				 saved_errno);
}

static long make_setsockopt(const struct call *call, uint16_t port)
{
	const struct option_call *self = (const struct option_call *)call;

	(void)port;
	return set_option(self, self->value);
}

static long make_getsockopt(const struct call *call, uint16_t port)
{
	const struct option_call *self = (const struct option_call *)call;
	const int saved_errno = errno;

	(void)port;
	return next_plain_result(next.getsockopt(call->fd, IPPROTO_SCTP,
						 self->name, self->out,
						 self->lengthp),
				 saved_errno);
}

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
static long bind_copy(const struct option_call *self, char *copy, uint16_t port)
{
	memcpy(copy, self->value, self->length);
	endpoint_set_port(copy, port);
	return set_option(self, copy);
}

static long make_bindx(const struct call *call, uint16_t port)
{
	const struct option_call *self = (const struct option_call *)call;
	char *copy;
	long result;

	if (port == 0)
		return set_option(self, self->value);
	copy = raw_map_private(LIST_SIZE_MAX);
	if (copy == NULL)
		return -ENOMEM;
	result = bind_copy(self, copy, port);
	raw_unmap(copy, LIST_SIZE_MAX);
	return result;
}

/* --- the options ---------------------------------------------------------- */

static bool is_sctp(struct process *process, int fd)
{
	struct fd_facts facts;

	return process != NULL && hook_covers(process, fd, &facts) &&
	       facts.protocol == PROTOCOL_SCTP;
}

bool sctp_setsockopt(int fd, int name, const void *value, socklen_t length,
		     long *resultp)
{
	const bool binds = name == SCTP_SOCKOPT_BINDX_ADD;
	struct option_call self = {
		.call = {
			.make = binds ? make_bindx : make_setsockopt,
			.kind = binds ? CALL_BIND : CALL_CONNECT, .fd = fd,
		},
		.name = name, .value = value, .length = length,
	};

	if ((!binds && name != SCTP_SOCKOPT_CONNECTX &&
	     name != SCTP_SOCKOPT_CONNECTX_OLD) ||
	    !is_sctp(hook_process(), fd))
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
	struct option_call self = {
		.call = {
			.make = make_getsockopt, .kind = CALL_CONNECT, .fd = fd,
		},
		.name = name, .out = value, .lengthp = lengthp,
	};
	struct sctp_getaddrs_old request;

	if (name != SCTP_SOCKOPT_CONNECTX3 || !is_sctp(hook_process(), fd) ||
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
