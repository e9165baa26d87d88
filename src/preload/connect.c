/* SPDX-License-Identifier: MIT */
#include "preload/hook.h"
#include "preload/next.h"

static long make_connect(const struct call *call, uint16_t port)
{
	const int saved_errno = errno;

	(void)port;
	return next_plain_result(next.connect(call->fd, call->address,
					      call->length),
				 saved_errno);
}

HOOK int connect(int fd, const struct sockaddr *address, socklen_t length)
{
	struct call call = {
		.make = make_connect,
		.kind = CALL_CONNECT,
		.fd = fd,
		.address = address,
		.length = length,
		.connects = true,
	};

	return (int)next_result(hook_run(&call));
}

/* __connect is the name within libc, to which some programs are linked. */
HOOK int connect_by_libc_name(int fd, const struct sockaddr *address,
			      socklen_t length) __asm__("__connect")
	__attribute__((alias("connect")));
