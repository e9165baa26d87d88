/* SPDX-License-Identifier: MIT */
#include "preload/next.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/syscall.h>

#include "base/raw.h"
#include "preload/hook.h"

static int direct_socket(int domain, int type, int protocol)
{
	return (int)hook_result(raw_socket(domain, type, protocol));
}

static int direct_bind(int fd, const struct sockaddr *address, socklen_t length)
{
	return (int)hook_result(raw_bind(fd, address, length));
}

static int direct_connect(int fd, const struct sockaddr *address,
			  socklen_t length)
{
	return (int)hook_result(raw_syscall(SYS_connect, fd, (long)address,
					    length, 0, 0, 0));
}

static int direct_listen(int fd, int backlog)
{
	return (int)hook_result(raw_syscall(SYS_listen, fd, backlog, 0, 0, 0,
					    0));
}

static ssize_t direct_sendto(int fd, const void *buffer, size_t size, int flags,
			     const struct sockaddr *address, socklen_t length)
{
	return hook_result(raw_syscall(SYS_sendto, fd, (long)buffer, (long)size,
				       flags, (long)address, length));
}

static ssize_t direct_sendmsg(int fd, const struct msghdr *message, int flags)
{
	return hook_result(raw_syscall(SYS_sendmsg, fd, (long)message, flags, 0,
				       0, 0));
}

static int direct_sendmmsg(int fd, struct mmsghdr *messages, unsigned int n,
			   int flags)
{
	return (int)hook_result(raw_syscall(SYS_sendmmsg, fd, (long)messages, n,
					    flags, 0, 0));
}

static int direct_close(int fd)
{
	return (int)hook_result(raw_close(fd));
}

static int direct_close_range(unsigned int first, unsigned int last, int flags)
{
	return (int)hook_result(raw_syscall(SYS_close_range, first, last, flags,
					    0, 0, 0));
}

static void direct_closefrom(int first)
{
	direct_close_range(first > 0 ? (unsigned int)first : 0, ~0u, 0);
}

static int direct_dup(int fd)
{
	return (int)hook_result(raw_syscall(SYS_dup, fd, 0, 0, 0, 0, 0));
}

static int direct_fcntl(int fd, int command, ...)
{
	va_list arguments;

	va_start(arguments, command);

	const long argument = va_arg(arguments, long);

	va_end(arguments);
	return (int)hook_result(raw_syscall(SYS_fcntl, fd, command, argument, 0,
					    0, 0));
}

static int direct_dup3(int fd, int target, int flags)
{
	return (int)hook_result(raw_syscall(SYS_dup3, fd, target, flags, 0, 0,
					    0));
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
	return (int)hook_result(raw_setsockopt(fd, level, name, value, length));
}

static int direct_getsockopt(int fd, int level, int name, void *value,
			     socklen_t *lengthp)
{
	return (int)hook_result(raw_getsockopt(fd, level, name, value,
					       lengthp));
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
	return hook_result(raw_syscall(number, a[0], a[1], a[2], a[3], a[4],
				       a[5]));
}

struct next_calls next = {
	.socket = direct_socket,
	.bind = direct_bind,
	.connect = direct_connect,
	.listen = direct_listen,
	.sendto = direct_sendto,
	.sendmsg = direct_sendmsg,
	.sendmmsg = direct_sendmmsg,
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

void next_find(void)
{
	find("socket", &next.socket);
	find("bind", &next.bind);
	find("connect", &next.connect);
	find("listen", &next.listen);
	find("sendto", &next.sendto);
	find("sendmsg", &next.sendmsg);
	find("sendmmsg", &next.sendmmsg);
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
	find("syscall", &next.syscall);
}
