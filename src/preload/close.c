/* SPDX-License-Identifier: MIT */
#include <unistd.h>

#include "preload/hook.h"
#include "preload/next.h"

#ifndef CLOSE_RANGE_UNSHARE
#define CLOSE_RANGE_UNSHARE 2	/* <linux/close_range.h>, Linux 5.9 */
#endif

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC 4	/* <linux/close_range.h>, Linux 5.11 */
#endif

/*
 * What a close is to give back. A vfork child closes its own copy and leaves the
 * cache, its parent's, as it is.
 */
static struct fd_facts closing(struct process *process, int fd)
{
	const struct fd_facts facts = fd_cache_get(&process->cache, fd);

	if (facts.covered && !fd_cache_own(&process->cache))
		return (struct fd_facts){ 0 };
	return facts;
}

/*
 * Afterwards: whoever is given the port next finds the socket gone, and a thread
 * that is cancelled at the call leaves the entry to the close in its cleanup, or
 * to the descriptor that is given the number next.
 */
__attribute__((noinline))
static int close_known(struct process *process, int fd)
{
	struct fd_facts facts = closing(process, fd);
	const int result = next.close(fd);
	const int saved_errno = errno;

	if (facts.known && fd_cache_remove(&process->cache, fd, &facts))
		process_release(process, &facts);
	errno = saved_errno;
	return result;
}

HOOK int close(int fd)
{
	struct process *process = hook_process();

	if (process == NULL || !fd_cache_get(&process->cache, fd).known)
		return next.close(fd);
	return close_known(process, fd);
}

static void release_range(unsigned int first, unsigned int last, int flags)
{
	struct process *process = hook_process();
	const int saved_errno = errno;

	if (process == NULL)
		return;
	/* What this thread has closed the others keep. */
	if ((flags & CLOSE_RANGE_UNSHARE) != 0)
		process_part(process);
	if ((flags & CLOSE_RANGE_CLOEXEC) == 0)
		process_forget(process, first, last);
	errno = saved_errno;
}

HOOK int close_range(unsigned int first, unsigned int last, int flags)
{
	const int result = next.close_range(first, last, flags);

	if (result == 0)
		release_range(first, last, flags);
	return result;
}

HOOK void closefrom(int first)
{
	next.closefrom(first);
	release_range(first > 0 ? (unsigned int)first : 0, ~0u, 0);
}
