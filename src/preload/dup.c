/* SPDX-License-Identifier: MIT */
#include "preload/dup.h"

#include <unistd.h>

#include "preload/hook.h"
#include "preload/next.h"

void dup_note(int fd, int copy)
{
	struct process *process = hook_process();

	if (process != NULL && copy >= 0 && copy != fd)
		process_copy(process, fd, copy);
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
