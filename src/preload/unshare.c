/* SPDX-License-Identifier: MIT */

/*
 * unshare and setns: the calling thread gets a descriptor table of its own, or
 * goes to another network namespace than the map's.
 */

#include <sched.h>

#include "preload/hook.h"
#include "preload/next.h"

static void note(int flags)
{
	struct process *process = hook_process();

	if (process == NULL)
		return;
	if ((flags & CLONE_FILES) != 0)
		process_part(process);
	if ((flags & CLONE_NEWNET) != 0)
		process_move(process);
}

HOOK int unshare(int flags)
{
	const int result = next.unshare(flags);

	if (result == 0)
		note(flags);
	return result;
}

/* With type 0 the descriptor alone says where to. */
HOOK int setns(int fd, int type)
{
	const int result = next.setns(fd, type);

	if (result == 0)
		note(CLONE_NEWNET);
	return result;
}
