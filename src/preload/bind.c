/* SPDX-License-Identifier: MIT */
#include "kernel/endpoint.h"
#include "preload/hook.h"
#include "preload/next.h"

static long make_bind(const struct call *call, uint16_t port)
{
	const int saved_errno = errno;
	const struct sockaddr *address = call->address;
	union socket_address copy;

	if (port != 0) {
		endpoint_with_port(address, call->length, port, &copy);
		address = &copy.generic;
	}
	return next_plain_result(next.bind(call->fd, address, call->length),
				 saved_errno);
}

int bind_hooked(int fd, const struct sockaddr *address, socklen_t length,
		bool is_chosen)
{
	struct call call = {
		.make = make_bind,
		.kind = CALL_BIND,
		.fd = fd,
		.address = address,
		.length = length,
		.is_chosen = is_chosen,
	};

	return (int)hook_run(&call);
}

HOOK int bind(int fd, const struct sockaddr *address, socklen_t length)
{
	return (int)next_result(bind_hooked(fd, address, length, false));
}
