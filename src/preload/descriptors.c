/* SPDX-License-Identifier: MIT */

/*
 * The calls that make, copy and close descriptors: they update the cache.
 * unshare and setns are here too: they give the calling thread a descriptor
 * table of its own, or move it to another network namespace than the map's.
 */

#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "kernel/socket.h"
#include "preload/hook.h"
#include "preload/next.h"
#include "process/descriptors.h"

#ifndef CLOSE_RANGE_UNSHARE
#define CLOSE_RANGE_UNSHARE 2 /* <linux/close_range.h>, Linux 5.9 */
#endif

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC 4 /* <linux/close_range.h>, Linux 5.11 */
#endif

/* <sys/pidfd.h>, glibc 2.36. */
int pidfd_getfd(int pidfd, int fd, unsigned int flags);

HOOK int socket(int domain, int type, int protocol)
{
	const int fd = next.socket(domain, type, protocol);
	struct process *process = fd >= 0 ? hook_process() : NULL;

	/* If the cache has an entry for this number, its socket was closed
	 * without a hook noticing. */
	if (process != NULL)
		process_set(process, fd, facts_of_new(domain, type, protocol));
	return fd;
}

/* --- close ---------------------------------------------------------------- */

/*
 * The facts whose lease a close releases. A vfork child closes only its own
 * copy, and leaves its parent's cache as it is.
 */
static struct fd_facts closing(struct process *process, int fd)
{
	const struct fd_facts facts = fd_cache_get(&process->cache, fd);

	if (facts.covered && !fd_cache_own(&process->cache))
		return (struct fd_facts){ 0 };
	return facts;
}

/*
 * The lease is released after the socket was closed, so that the next holder of
 * the port finds it closed. If the thread is cancelled in close(), the entry
 * stays until the number is closed again, or is given to another descriptor.
 */
__attribute__((noinline)) static int close_known(struct process *process,
						 int fd)
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
	/* The other threads keep what this thread has closed. */
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

/* --- dup ------------------------------------------------------------------ */

static int note_copy(int fd, int copy)
{
	struct process *process = hook_process();

	if (process != NULL && copy >= 0 && copy != fd)
		process_copy(process, fd, copy);
	return copy;
}

HOOK int dup(int fd)
{
	return note_copy(fd, next.dup(fd));
}

HOOK int dup2(int fd, int target)
{
	return note_copy(fd, next.dup2(fd, target));
}

HOOK int dup3(int fd, int target, int flags)
{
	return note_copy(fd, next.dup3(fd, target, flags));
}

/*
 * fcntl and fcntl64 are one function to the kernel, and two names to programs:
 * those built with _FILE_OFFSET_BITS=64 call the second. The argument is a
 * pointer or an int, depending on the command: a word holds either.
 */
static int note_duplicate(int fd, int command, int result)
{
	if (command == F_DUPFD || command == F_DUPFD_CLOEXEC)
		note_copy(fd, result);
	return result;
}

HOOK int fcntl(int fd, int command, ...)
{
	va_list arguments;
	long argument;

	va_start(arguments, command);
	argument = va_arg(arguments, long);
	va_end(arguments);
	return note_duplicate(fd, command, next.fcntl(fd, command, argument));
}

HOOK int fcntl64(int fd, int command, ...)
{
	va_list arguments;
	long argument;

	va_start(arguments, command);
	argument = va_arg(arguments, long);
	va_end(arguments);
	return note_duplicate(fd, command, next.fcntl64(fd, command, argument));
}

/* --- received ------------------------------------------------------------- */

/* A received descriptor: nothing is known about it. */
static void note_received(int fd)
{
	if (hook_known_facts(fd).known)
		process_set(hook_process(), fd, (struct fd_facts){ 0 });
}

static void note_rights(const char *data, size_t size)
{
	int fd;

	for (; size >= sizeof(fd); data += sizeof(fd), size -= sizeof(fd)) {
		memcpy(&fd, data, sizeof(fd));
		note_received(fd);
	}
}

/* The control messages that the kernel has just written, cmsg(3). CMSG_NXTHDR()
 * is not used: it is a function in some libcs. */
static void note_control(const struct msghdr *message)
{
	const char *at = message->msg_control;
	size_t left = message->msg_controllen;
	struct cmsghdr header;

	while (left >= sizeof(header)) {
		memcpy(&header, at, sizeof(header));
		if (header.cmsg_len < CMSG_LEN(0) || header.cmsg_len > left)
			return;
		if (header.cmsg_level == SOL_SOCKET &&
		    header.cmsg_type == SCM_RIGHTS)
			note_rights(at + CMSG_LEN(0),
				    header.cmsg_len - CMSG_LEN(0));

		const size_t size = CMSG_ALIGN(header.cmsg_len);

		if (size >= left)
			return;
		at += size;
		left -= size;
	}
}

HOOK ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
	const ssize_t result = next.recvmsg(fd, message, flags);

	if (result >= 0 && message->msg_controllen != 0)
		note_control(message);
	return result;
}

HOOK int recvmmsg(int fd, struct mmsghdr *messages, unsigned int n, int flags,
		  struct timespec *timeout)
{
	const int n_received = next.recvmmsg(fd, messages, n, flags, timeout);

	for (int i = 0; i < n_received; i++)
		if (messages[i].msg_hdr.msg_controllen != 0)
			note_control(&messages[i].msg_hdr);
	return n_received;
}

HOOK int pidfd_getfd(int pidfd, int fd, unsigned int flags)
{
	const int result = next.pidfd_getfd(pidfd, fd, flags);

	if (result >= 0)
		note_received(result);
	return result;
}

/* --- namespaces ----------------------------------------------------------- */

static void note_namespaces(int flags)
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
		note_namespaces(flags);
	return result;
}

/* With type 0, only the descriptor says which kind of namespace it is. */
HOOK int setns(int fd, int type)
{
	const int result = next.setns(fd, type);

	if (result == 0)
		note_namespaces(CLONE_NEWNET);
	return result;
}
