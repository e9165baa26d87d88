/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The program's own calls as they would be without Berth: the next definitions
 * behind libberth.so, another preload's or libc's. Until the constructor has
 * looked them up, and where libc has none, they are system calls made directly.
 * They behave as in libc: -1 and errno, and the cancellation points that libc
 * has.
 */

#include <sys/socket.h>
#include <sys/types.h>

struct next_calls {
	int (*socket)(int domain, int type, int protocol);
	int (*bind)(int fd, const struct sockaddr *address, socklen_t length);
	int (*connect)(int fd, const struct sockaddr *address,
		       socklen_t length);
	int (*listen)(int fd, int backlog);
	ssize_t (*send)(int fd, const void *buffer, size_t size, int flags);
	ssize_t (*sendto)(int fd, const void *buffer, size_t size, int flags,
			  const struct sockaddr *address, socklen_t length);
	ssize_t (*sendmsg)(int fd, const struct msghdr *message, int flags);
	int (*sendmmsg)(int fd, struct mmsghdr *messages, unsigned int n,
			int flags);
	ssize_t (*recvmsg)(int fd, struct msghdr *message, int flags);
	int (*recvmmsg)(int fd, struct mmsghdr *messages, unsigned int n,
			int flags, struct timespec *timeout);
	int (*pidfd_getfd)(int pidfd, int fd, unsigned int flags);
	int (*close)(int fd);
	int (*close_range)(unsigned int first, unsigned int last, int flags);
	void (*closefrom)(int first);
	int (*dup)(int fd);
	int (*dup2)(int fd, int target);
	int (*dup3)(int fd, int target, int flags);
	int (*fcntl)(int fd, int command, ...);
	int (*fcntl64)(int fd, int command, ...);
	int (*setsockopt)(int fd, int level, int name, const void *value,
			  socklen_t length);
	int (*getsockopt)(int fd, int level, int name, void *value,
			  socklen_t *lengthp);
	int (*prctl)(int option, ...);
	int (*unshare)(int flags);
	int (*setns)(int fd, int type);
	long (*syscall)(long number, ...);
	/* Never called; NULL where libtirpc is not there. */
	int (*bindresvport_sa)(int fd, struct sockaddr *address);
};

extern struct next_calls next;

/* Looks the next definitions up, by dlsym(3): from the constructor only. */
void next_find(void);

/*
 * Has libc call one function after each fork(3) in the parent, and the other in the
 * child that it makes, if libc can. From the constructor only: it takes a lock.
 * Returns 0 where libc can.
 */
int next_at_fork(void (*in_parent)(void), void (*in_child)(void));
