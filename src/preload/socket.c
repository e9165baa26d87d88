/* SPDX-License-Identifier: MIT */
#include "core/socket.h"

#include "preload/hook.h"
#include "preload/next.h"

HOOK int socket(int domain, int type, int protocol)
{
	const int fd = next.socket(domain, type, protocol);
	struct process *process = fd >= 0 ? hook_process() : NULL;

	/* What the cache had for this number has been closed unseen. */
	if (process != NULL)
		process_enter(process, fd,
			      socket_facts(domain, type, protocol));
	return fd;
}
