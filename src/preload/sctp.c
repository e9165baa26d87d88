/* SPDX-License-Identifier: MIT */
#include "preload/sctp.h"

#include <linux/sctp.h>
#include <netinet/in.h>
#include <string.h>

#include "base/scratch.h"
#include "core/assign.h"
#include "core/endpoint.h"
#include "core/refusal.h"
#include "core/self_connect.h"
#include "core/socket.h"
#include "preload/next.h"

/* The addresses of a sctp_bindx() that may be copied: 73 of IPv6. */
#define LIST_SIZE_MAX 2048u

/* setsockopt() or getsockopt() of one option, as the program made it. */
struct option_call {
	struct program_call call;	/* first: make() is given its address */
	int fd, name;
	const void *value;
	socklen_t length;
	void *out;			/* getsockopt */
	socklen_t *lengthp;
};

static long make_setsockopt(const struct program_call *call)
{
	const struct option_call *self = (const struct option_call *)call;
	const int saved_errno = errno;

	return hook_plain_result(next.setsockopt(self->fd, IPPROTO_SCTP,
						 self->name, self->value,
						 self->length), saved_errno);
}

static long make_getsockopt(const struct program_call *call)
{
	const struct option_call *self = (const struct option_call *)call;
	const int saved_errno = errno;

	return hook_plain_result(next.getsockopt(self->fd, IPPROTO_SCTP,
						 self->name, self->out,
						 self->lengthp), saved_errno);
}

static bool has_port(int fd)
{
	struct endpoint local;

	return socket_local(fd, &local) == 0 && local.port != 0;
}

/* --- associations ------------------------------------------------------------ */

static int refusal(struct process *process, const struct policy *policy, int fd,
		   const struct fd_facts *facts, enum event_call kind,
		   const struct endpoint *remote)
{
	const int result = refusal_without_arena(process, policy, kind,
						 SPACE_SCTP);

	/* A socket of many associations may have one with itself. */
	if (result < 0 || !facts->has_port || facts->many || remote == NULL ||
	    !self_connect_is(fd, facts->port, remote))
		return result;
	return refusal_of_self_connect(process, policy, SPACE_SCTP, remote);
}

long sctp_associate(struct process *process, int fd, struct fd_facts *facts,
		    enum event_call kind, const struct endpoint *remote,
		    const struct program_call *call)
{
	struct policy policy;
	long result;

	process_policy(process, &policy);
	result = refusal(process, &policy, fd, facts, kind, remote);
	if (result < 0)
		return result;
	if (facts->has_port)
		return call->make(call);
	if (remote == NULL) {
		/* What the kernel refuses too, before a port is taken. */
		result = call->make(call);
		if (has_port(fd))
			assign_record(process, fd, facts);
		return result;
	}
	if (policy.settings[SETTING_MODE] == MODE_OBSERVE) {
		result = call->make(call);
		assign_observe(process, &policy, fd, facts, ROLE_OF_CONNECT,
			       kind);
		return result;
	}
	result = assign_call(process, fd, facts, kind, remote, call);
	return result == -EADDRINUSE ? -EAGAIN : result;
}

/* --- lists of addresses, packed ----------------------------------------------- */

static socklen_t address_size(int family)
{
	switch (family) {
	case AF_INET: return sizeof(struct sockaddr_in);
	case AF_INET6: return sizeof(struct sockaddr_in6);
	default: return 0;
	}
}

static bool read_first(struct process *process, int fd,
		       const struct fd_facts *facts, const void *list,
		       socklen_t length, struct endpoint *firstp)
{
	if (length < sizeof(sa_family_t) ||
	    !hook_may_read(process, fd, facts, list, length))
		return false;

	const socklen_t size = address_size(hook_family(list, length));

	return size != 0 && length >= size &&
	       endpoint_read(list, size, firstp);
}

/* --- sctp_connectx() ------------------------------------------------------------ */

static long connectx(struct process *process, struct fd_facts *facts,
		     const struct option_call *self, const void *list,
		     socklen_t length)
{
	struct endpoint first;
	const bool is_read = read_first(process, self->fd, facts, list, length,
					&first);

	return sctp_associate(process, self->fd, facts, CALL_CONNECT,
			      is_read ? &first : NULL, &self->call);
}

/* --- sctp_bindx() --------------------------------------------------------------- */

struct bindx_taker {
	struct port_taker taker;	/* first: take() is given its address */
	const struct option_call *call;
	long result;
};

/* The first address decides on the port: the others have none, or the same. */
static int take_by_bindx(struct port_taker *taker, int fd,
			 const struct sockaddr *address, socklen_t length)
{
	struct bindx_taker *self = (struct bindx_taker *)taker;
	const int saved_errno = errno;
	uint8_t *list = scratch_take(self->call->length);
	struct endpoint named = { 0 };
	in_port_t port;

	if (list == NULL)
		return -ENOMEM;
	endpoint_read(address, length, &named);
	port = htons(named.port);
	memcpy(list, self->call->value, self->call->length);
	/* sin_port and sin6_port lie at the same place. */
	memcpy(list + offsetof(struct sockaddr_in, sin_port), &port,
	       sizeof(port));
	self->result = hook_plain_result(
		next.setsockopt(fd, IPPROTO_SCTP, SCTP_SOCKOPT_BINDX_ADD, list,
				self->call->length), saved_errno);
	scratch_put(list, self->call->length);
	/* Where a later address is refused, the first may stay bound. */
	return self->result == 0 || has_port(fd) ? 0 : (int)self->result;
}

static long bindx_any(struct process *process, struct fd_facts *facts,
		      const struct option_call *self,
		      const struct endpoint *first)
{
	struct bindx_taker bindx = { { take_by_bindx }, self, 0 };
	union socket_address address;
	/* A port on several addresses is one that nobody shares. */
	const bool several = self->length >
			     address_size(hook_family(self->value,
						      self->length));
	const socklen_t length = several
		? endpoint_wildcard(first->family, 0, &address)
		: endpoint_write(first, &address);
	const int result = assign_bind(process, self->fd, facts,
				       &address.generic, length, &bindx.taker);

	return result < 0 ? result : bindx.result;
}

static long bindx(struct process *process, struct fd_facts *facts,
		  const struct option_call *self)
{
	struct endpoint first;
	struct policy policy;
	long result;

	if (facts->has_port || self->length > LIST_SIZE_MAX ||
	    !read_first(process, self->fd, facts, self->value, self->length,
			&first))
		return make_setsockopt(&self->call);
	process_policy(process, &policy);
	result = refusal_without_arena(process, &policy, CALL_BIND, SPACE_SCTP);
	if (result == 0 && first.port != 0)
		result = refusal_of_bind(process, &policy, facts, &first);
	if (result < 0)
		return result;
	if (first.port == 0 && policy.settings[SETTING_MODE] == MODE_ENFORCE)
		return bindx_any(process, facts, self, &first);
	result = make_setsockopt(&self->call);
	if (result == 0 && first.port == 0)
		assign_observe(process, &policy, self->fd, facts,
			       ROLE_OF_LISTEN, CALL_BIND);
	else if (result == 0)
		assign_record(process, self->fd, facts);
	return result;
}

/* --- the options ---------------------------------------------------------------- */

bool sctp_setsockopt(int fd, int name, const void *value, socklen_t length,
		     long *resultp)
{
	const struct option_call self = {
		.call = { make_setsockopt }, .fd = fd, .name = name,
		.value = value, .length = length,
	};
	const bool binds = name == SCTP_SOCKOPT_BINDX_ADD;
	struct process *process = hook_process();
	struct fd_facts facts;

	if ((!binds && name != SCTP_SOCKOPT_CONNECTX &&
	     name != SCTP_SOCKOPT_CONNECTX_OLD) ||
	    process == NULL || !hook_covers_surely(process, fd, &facts) ||
	    !sctp_is(&facts))
		return false;
	*resultp = binds ? bindx(process, &facts, &self)
			 : connectx(process, &facts, &self, value, length);
	return true;
}

bool sctp_getsockopt(int fd, int name, void *value, socklen_t *lengthp,
		     long *resultp)
{
	const struct option_call self = {
		.call = { make_getsockopt }, .fd = fd, .name = name,
		.out = value, .lengthp = lengthp,
	};
	struct process *process = hook_process();
	struct sctp_getaddrs_old request;
	struct fd_facts facts;

	if (name != SCTP_SOCKOPT_CONNECTX3 || process == NULL ||
	    !hook_covers_surely(process, fd, &facts) || !sctp_is(&facts) ||
	    !hook_may_read(process, fd, &facts, lengthp, sizeof(*lengthp)) ||
	    *lengthp < sizeof(request) ||
	    !hook_may_read(process, fd, &facts, value, sizeof(request)))
		return false;
	memcpy(&request, value, sizeof(request));
	*resultp = connectx(process, &facts, &self, request.addrs,
			    (socklen_t)request.addr_num);
	return true;
}
