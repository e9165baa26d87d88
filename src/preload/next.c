/* SPDX-License-Identifier: MIT */
#include "preload/next.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/syscall.h>

#include "base/raw.h"
#include "preload/hook.h"

/* Made as it is: what a filter of the program's does to it is the program's. */
static long direct(long number, long a1, long a2, long a3, long a4, long a5,
		   long a6)
{
	return hook_result(raw_program_call(number, a1, a2, a3, a4, a5, a6));
}

static int direct_socket(int domain, int type, int protocol)
{
	return (int)direct(SYS_socket, domain, type, protocol, 0, 0, 0);
}

static int direct_bind(int fd, const struct sockaddr *address, socklen_t length)
{
	return (int)direct(SYS_bind, fd, (long)address, length, 0, 0, 0);
}

static int direct_connect(int fd, const struct sockaddr *address,
			  socklen_t length)
{
	return (int)direct(SYS_connect, fd, (long)address, length, 0, 0, 0);
}

static int direct_listen(int fd, int backlog)
{
	return (int)direct(SYS_listen, fd, backlog, 0, 0, 0, 0);
}

static ssize_t direct_sendto(int fd, const void *buffer, size_t size, int flags,
			     const struct sockaddr *address, socklen_t length)
{
	return direct(SYS_sendto, fd, (long)buffer, (long)size, flags,
		      (long)address, length);
}

static ssize_t direct_send(int fd, const void *buffer, size_t size, int flags)
{
	return direct_sendto(fd, buffer, size, flags, NULL, 0);
}

static ssize_t direct_sendmsg(int fd, const struct msghdr *message, int flags)
{
	return direct(SYS_sendmsg, fd, (long)message, flags, 0, 0, 0);
}

static int direct_sendmmsg(int fd, struct mmsghdr *messages, unsigned int n,
			   int flags)
{
	return (int)direct(SYS_sendmmsg, fd, (long)messages, n, flags, 0, 0);
}

static ssize_t direct_recvmsg(int fd, struct msghdr *message, int flags)
{
	return direct(SYS_recvmsg, fd, (long)message, flags, 0, 0, 0);
}

static int direct_recvmmsg(int fd, struct mmsghdr *messages, unsigned int n,
			   int flags, struct timespec *timeout)
{
	return (int)direct(SYS_recvmmsg, fd, (long)messages, n, flags,
			   (long)timeout, 0);
}

static int direct_pidfd_getfd(int pidfd, int fd, unsigned int flags)
{
	return (int)direct(SYS_pidfd_getfd, pidfd, fd, flags, 0, 0, 0);
}

static int direct_close(int fd)
{
	return (int)direct(SYS_close, fd, 0, 0, 0, 0, 0);
}

static int direct_close_range(unsigned int first, unsigned int last, int flags)
{
	return (int)direct(SYS_close_range, first, last, flags, 0, 0, 0);
}

static void direct_closefrom(int first)
{
	direct_close_range(first > 0 ? (unsigned int)first : 0, ~0u, 0);
}

static int direct_dup(int fd)
{
	return (int)direct(SYS_dup, fd, 0, 0, 0, 0, 0);
}

static int direct_fcntl(int fd, int command, ...)
{
	va_list arguments;

	va_start(arguments, command);

	const long argument = va_arg(arguments, long);

	va_end(arguments);
	return (int)direct(SYS_fcntl, fd, command, argument, 0, 0, 0);
}

static int direct_dup3(int fd, int target, int flags)
{
	return (int)direct(SYS_dup3, fd, target, flags, 0, 0, 0);
}

static int direct_dup2(int fd, int target)
{
	if (fd != target)
		return direct_dup3(fd, target, 0);
	/* dup3(2) refuses what dup2(2) allows: the same descriptor twice. */
	return direct_fcntl(fd, 3 /* F_GETFL */, 0L) < 0 ? -1 : fd;
}

static int direct_setsockopt(int fd, int level, int name, const void *value,
			     socklen_t length)
{
	return (int)direct(SYS_setsockopt, fd, level, name, (long)value,
			   length, 0);
}

static int direct_getsockopt(int fd, int level, int name, void *value,
			     socklen_t *lengthp)
{
	return (int)direct(SYS_getsockopt, fd, level, name, (long)value,
			   (long)lengthp, 0);
}

static int direct_prctl(int option, ...)
{
	va_list arguments;
	long a[4];

	va_start(arguments, option);
	for (int i = 0; i < 4; i++)
		a[i] = va_arg(arguments, long);
	va_end(arguments);
	return (int)direct(SYS_prctl, option, a[0], a[1], a[2], a[3], 0);
}

static int direct_unshare(int flags)
{
	return (int)direct(SYS_unshare, flags, 0, 0, 0, 0, 0);
}

static int direct_setns(int fd, int type)
{
	return (int)direct(SYS_setns, fd, type, 0, 0, 0, 0);
}

static long direct_syscall(long number, ...)
{
	va_list arguments;
	long a[6];

	va_start(arguments, number);
	a[0] = va_arg(arguments, long);
	a[1] = va_arg(arguments, long);
	a[2] = va_arg(arguments, long);
	a[3] = va_arg(arguments, long);
	a[4] = va_arg(arguments, long);
	a[5] = va_arg(arguments, long);
	va_end(arguments);
	return direct(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

struct next_calls next = {
	.socket = direct_socket,
	.bind = direct_bind,
	.connect = direct_connect,
	.listen = direct_listen,
	.send = direct_send,
	.sendto = direct_sendto,
	.sendmsg = direct_sendmsg,
	.sendmmsg = direct_sendmmsg,
	.recvmsg = direct_recvmsg,
	.recvmmsg = direct_recvmmsg,
	.pidfd_getfd = direct_pidfd_getfd,
	.close = direct_close,
	.close_range = direct_close_range,
	.closefrom = direct_closefrom,
	.dup = direct_dup,
	.dup2 = direct_dup2,
	.dup3 = direct_dup3,
	.fcntl = direct_fcntl,
	.fcntl64 = direct_fcntl,
	.setsockopt = direct_setsockopt,
	.getsockopt = direct_getsockopt,
	.prctl = direct_prctl,
	.unshare = direct_unshare,
	.setns = direct_setns,
	.syscall = direct_syscall,
};

/* Keeps the direct call where there is no next definition. */
static void find(const char *name, void *callp)
{
	void *found = dlsym(RTLD_NEXT, name);

	/* POSIX: a pointer from dlsym() may be used as one to a function. */
	if (found != NULL)
		*(void **)callp = found;
}

int next_at_fork(void (*in_parent)(void), void (*in_child)(void))
{
	/* glibc keeps pthread_atfork(3) in no shared library, musl does. */
	int (*of_glibc)(void (*)(void), void (*)(void), void (*)(void),
			void *) = NULL;
	int (*of_others)(void (*)(void), void (*)(void), void (*)(void)) = NULL;

	find("__register_atfork", &of_glibc);
	find("pthread_atfork", &of_others);
	if (of_glibc != NULL)
		return of_glibc(NULL, in_parent, in_child, NULL);
	return of_others != NULL ? of_others(NULL, in_parent, in_child) : -1;
}

void next_find(void)
{
	find("socket", &next.socket);
	find("bind", &next.bind);
	find("connect", &next.connect);
	find("listen", &next.listen);
	find("send", &next.send);
	find("sendto", &next.sendto);
	find("sendmsg", &next.sendmsg);
	find("sendmmsg", &next.sendmmsg);
	find("recvmsg", &next.recvmsg);
	find("recvmmsg", &next.recvmmsg);
	find("pidfd_getfd", &next.pidfd_getfd);
	find("close", &next.close);
	find("close_range", &next.close_range);
	find("closefrom", &next.closefrom);
	find("dup", &next.dup);
	find("dup2", &next.dup2);
	find("dup3", &next.dup3);
	find("fcntl", &next.fcntl);
	find("fcntl64", &next.fcntl64);
	find("setsockopt", &next.setsockopt);
	find("getsockopt", &next.getsockopt);
	find("prctl", &next.prctl);
	find("unshare", &next.unshare);
	find("setns", &next.setns);
	find("syscall", &next.syscall);
	find("bindresvport_sa", &next.bindresvport_sa);
}
