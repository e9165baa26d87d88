/* SPDX-License-Identifier: MIT */
#include "core/assign.h"
#include "preload/hook.h"
#include "preload/next.h"

HOOK int listen(int fd, int backlog)
{
	struct process *process = hook_process();
	struct fd_facts facts;

	if (process == NULL || !hook_covers_surely(process, fd, &facts) ||
	    !hook_is_stream(&facts) || facts.has_port)
		return next.listen(fd, backlog);
	if (process_refuses(process))
		return (int)hook_result(-EACCES);
	if (assign_implicit(process, fd, &facts, true) == -EADDRINUSE)
		return (int)hook_result(-EADDRINUSE);
	return next.listen(fd, backlog);
}
