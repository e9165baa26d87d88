/* SPDX-License-Identifier: MIT */

/*
 * syscall(2) with the number of a hooked call is that call; all others go on
 * with six words, whether the program gave as many or not, as in libc.
 */

#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "preload/hook.h"
#include "preload/next.h"
#include "preload/prctl.h"

/* <sys/pidfd.h>, glibc 2.36. */
int pidfd_getfd(int pidfd, int fd, unsigned int flags);

/*
 * Returns false for a number that is not hooked. The hooks are called by their
 * exported names: another preload in front may have its own.
 */
static bool is_hooked(long number, const long a[6], long *resultp)
{
	switch (number) {
	case SYS_socket:
		*resultp = socket((int)a[0], (int)a[1], (int)a[2]);
		return true;
	case SYS_bind:
		*resultp = bind((int)a[0], (const struct sockaddr *)a[1],
				(socklen_t)a[2]);
		return true;
	case SYS_connect:
		*resultp = connect((int)a[0], (const struct sockaddr *)a[1],
				   (socklen_t)a[2]);
		return true;
	case SYS_listen:
		*resultp = listen((int)a[0], (int)a[1]);
		return true;
	case SYS_sendto:
		*resultp = sendto((int)a[0], (const void *)a[1], (size_t)a[2],
				  (int)a[3], (const struct sockaddr *)a[4],
				  (socklen_t)a[5]);
		return true;
	case SYS_sendmsg:
		*resultp = sendmsg((int)a[0], (const struct msghdr *)a[1],
				   (int)a[2]);
		return true;
	case SYS_sendmmsg:
		*resultp = sendmmsg((int)a[0], (struct mmsghdr *)a[1],
				    (unsigned int)a[2], (int)a[3]);
		return true;
	case SYS_setsockopt:
		*resultp = setsockopt((int)a[0], (int)a[1], (int)a[2],
				      (const void *)a[3], (socklen_t)a[4]);
		return true;
	case SYS_getsockopt:
		*resultp = getsockopt((int)a[0], (int)a[1], (int)a[2],
				      (void *)a[3], (socklen_t *)a[4]);
		return true;
	default:
		return false;
	}
}

/* Those that close or copy descriptors. */
static bool is_hooked_descriptor(long number, const long a[6], long *resultp)
{
	switch (number) {
	case SYS_close:
		*resultp = close((int)a[0]);
		return true;
	case SYS_close_range:
		*resultp = close_range((unsigned int)a[0], (unsigned int)a[1],
				       (int)a[2]);
		return true;
	case SYS_dup:
		*resultp = dup((int)a[0]);
		return true;
#ifdef SYS_dup2
	case SYS_dup2:
		*resultp = dup2((int)a[0], (int)a[1]);
		return true;
#endif
	case SYS_dup3:
		*resultp = dup3((int)a[0], (int)a[1], (int)a[2]);
		return true;
	case SYS_fcntl:
		*resultp = fcntl((int)a[0], (int)a[1], a[2]);
		return true;
	default:
		return false;
	}
}

/* Those after which what was known of descriptors, or of the namespace, is over. */
static bool is_hooked_arrival(long number, const long a[6], long *resultp)
{
	switch (number) {
	case SYS_recvmsg:
		*resultp = recvmsg((int)a[0], (struct msghdr *)a[1], (int)a[2]);
		return true;
	case SYS_recvmmsg:
		*resultp = recvmmsg((int)a[0], (struct mmsghdr *)a[1],
				    (unsigned int)a[2], (int)a[3],
				    (struct timespec *)a[4]);
		return true;
	case SYS_pidfd_getfd:
		*resultp = pidfd_getfd((int)a[0], (int)a[1],
				       (unsigned int)a[2]);
		return true;
	case SYS_unshare:
		*resultp = unshare((int)a[0]);
		return true;
	case SYS_setns:
		*resultp = setns((int)a[0], (int)a[1]);
		return true;
	default:
		return false;
	}
}

/* Those that may set a seccomp filter. */
static bool is_hooked_filter(long number, const long a[6], long *resultp)
{
	switch (number) {
	case SYS_prctl:
		*resultp = prctl((int)a[0], a[1], a[2], a[3], a[4]);
		return true;
	case SYS_seccomp:
		*resultp = prctl_seccomp((unsigned int)a[0],
					 (unsigned int)a[1],
					 (const void *)a[2]);
		return true;
	default:
		return false;
	}
}

HOOK long syscall(long number, ...)
{
	va_list arguments;
	long a[6];
	long result;

	va_start(arguments, number);
	a[0] = va_arg(arguments, long);
	a[1] = va_arg(arguments, long);
	a[2] = va_arg(arguments, long);
	a[3] = va_arg(arguments, long);
	a[4] = va_arg(arguments, long);
	a[5] = va_arg(arguments, long);
	va_end(arguments);

	if (is_hooked(number, a, &result) ||
	    is_hooked_descriptor(number, a, &result) ||
	    is_hooked_arrival(number, a, &result) ||
	    is_hooked_filter(number, a, &result))
		return result;
	return next.syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
