/* SPDX-License-Identifier: MIT */
#include "preload/hook.h"
#include "preload/next.h"

HOOK int listen(int fd, int backlog)
{
	struct plain_call self = {
		.call = {
			.make = hook_make, .kind = CALL_LISTEN, .fd = fd,
			.has_no_backlog = backlog == 0,
		},
		.number = SYS_listen, .words = { fd, backlog },
	};

	return (int)next_result(hook_run(&self.call));
}
