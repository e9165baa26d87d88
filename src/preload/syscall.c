/* SPDX-License-Identifier: MIT */

/*
 * syscall(2) with the number of a hooked call makes that call; all others are
 * made with six words, whether or not the program has passed as many, as in
 * libc.
 */

#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "preload/hook.h"
#include "preload/next.h"

/* <sys/pidfd.h>, glibc 2.36. */
int pidfd_getfd(int pidfd, int fd, unsigned int flags);

/*
 * Returns false for a number that is not hooked. The hooks are called by their
 * exported names: another preload in front may have its own.
 */
static bool is_hooked(long number, const long a[6], long *resultp)
{
	switch (number) {
#define SYSTEM_CALL(result, name, parameters, words, arguments) \
	case SYS_##name: \
		*resultp = name arguments; \
		return true;
#define LIBC_CALL(result, name, parameters)
#define LIBC_ALIAS(name)
#include "preload/hooks.def"
	case SYS_fcntl:
		*resultp = fcntl((int)a[0], (int)a[1], a[2]);
		return true;
	case SYS_prctl:
		*resultp = prctl((int)a[0], a[1], a[2], a[3], a[4]);
		return true;
	case SYS_seccomp:
		*resultp = seccomp_hooked((unsigned int)a[0],
					  (unsigned int)a[1],
					  (const void *)a[2]);
		return true;
	default: return false;
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

	if (is_hooked(number, a, &result))
		return result;
	return next.syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
