/* SPDX-License-Identifier: MIT */
#include "preload/dup.h"

#include <unistd.h>

#include "preload/hook.h"
#include "preload/next.h"

void dup_note(int fd, int copy)
{
	struct process *process = hook_process();

	if (process == NULL || copy < 0 || copy == fd)
		return;

	struct fd_facts facts = fd_cache_get(&process->cache, fd);

	if (!facts.known && !fd_cache_get(&process->cache, copy).known)
		return;
	/* A vfork child's descriptors are not those of the cache. */
	if (!fd_cache_own(&process->cache)) {
		process_doubt(process, copy);
		return;
	}
	if (facts.covered) {
		facts.copied = 1;
		fd_cache_put(&process->cache, fd, facts);
	}
	process_enter(process, copy, facts);
}

HOOK int dup(int fd)
{
	const int copy = next.dup(fd);

	dup_note(fd, copy);
	return copy;
}

HOOK int dup2(int fd, int target)
{
	const int copy = next.dup2(fd, target);

	dup_note(fd, copy);
	return copy;
}

HOOK int dup3(int fd, int target, int flags)
{
	const int copy = next.dup3(fd, target, flags);

	dup_note(fd, copy);
	return copy;
}
