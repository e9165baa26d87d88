/* SPDX-License-Identifier: MIT */

/*
 * recvmsg, recvmmsg and pidfd_getfd: descriptors that come from elsewhere, under
 * numbers of which the cache may still have what was closed unseen.
 */

#include <string.h>

#include "preload/hook.h"
#include "preload/next.h"

/* <sys/pidfd.h>, glibc 2.36. */
int pidfd_getfd(int pidfd, int fd, unsigned int flags);

/* Nothing is known of what has the number now. */
static void note_received(int fd)
{
	struct process *process = hook_process();

	if (process != NULL && fd_cache_get(&process->cache, fd).known)
		process_enter(process, fd, (struct fd_facts){ 0 });
}

static void note_rights(const char *data, size_t size)
{
	int fd;

	for (; size >= sizeof(fd); data += sizeof(fd), size -= sizeof(fd)) {
		memcpy(&fd, data, sizeof(fd));
		note_received(fd);
	}
}

/* What the kernel has just written, cmsg(3); not by CMSG_NXTHDR(), which is a
 * function in some libcs. */
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
