/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the hooked calls have in common. Nothing here locks, allocates or
 * writes; all of it may run in a signal handler, in a vfork child, before this
 * library's constructor and after its destructor.
 */

#include <errno.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "core/process.h"

#define HOOK __attribute__((visibility("default")))

/*
 * This process's Berth, made on first use. NULL while another thread, or the
 * code that a signal handler has interrupted, is making it: the call goes
 * through.
 */
struct process *hook_process(void);

/* Turns a result or -errno into what libc returns; errno only on failure. */
static inline long hook_result(long result)
{
	if (result >= 0)
		return result;
	errno = (int)-result;
	return -1;
}

/* A libc result as a result or -errno, with errno as it was before. */
static inline long hook_plain_result(long result, int saved_errno)
{
	if (result >= 0)
		return result;
	result = -errno;
	errno = saved_errno;
	return result;
}

/*
 * The facts of a descriptor that Berth assigns ports to. Returns false for all
 * others, for sockets that the program has given a range of their own, and for
 * anything that is no socket: their calls go through as they are.
 */
bool hook_covers(struct process *process, int fd, struct fd_facts *factsp);

/* The same, asking the kernel when the cache says that there is a port. */
bool hook_covers_surely(struct process *process, int fd,
			struct fd_facts *factsp);

static inline bool hook_is_stream(const struct fd_facts *facts)
{
	return facts->space == SPACE_TCP;
}

/*
 * Whether what the program points to can be read; if not, the call goes through
 * for the kernel to say EFAULT. fd is a covered socket.
 */
bool hook_may_read(struct process *process, int fd,
		   const struct fd_facts *facts, const void *pointer,
		   size_t n_bytes);

/* The family in an address, AF_UNSPEC when it is too short to have one. */
int hook_family(const struct sockaddr *address, socklen_t length);
