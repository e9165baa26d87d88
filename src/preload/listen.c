/* SPDX-License-Identifier: MIT */
#include "assign/call.h"
#include "preload/hook.h"
#include "preload/next.h"

struct listen_call {
	struct call call; /* first: make() is given its address */
	int backlog;
};

static long make_listen(const struct call *call, uint16_t port)
{
	const struct listen_call *self = (const struct listen_call *)call;
	const int saved_errno = errno;

	(void)port;
	return next_plain_result(next.listen(call->fd, self->backlog),
				 saved_errno);
}

HOOK int listen(int fd, int backlog)
{
	struct listen_call self = {
		.call = {
			.make = make_listen, .kind = CALL_LISTEN, .fd = fd,
			.has_no_backlog = backlog == 0,
		},
		.backlog = backlog,
	};

	return (int)next_result(hook_run(&self.call));
}
