/* SPDX-License-Identifier: MIT */

/*
 * The two calls by which a program sets a seccomp filter. The program's call is
 * made as it is; a copy of the filter is kept for the calls that Berth makes
 * itself, see base/filter.h. libseccomp uses these calls too: prctl() and
 * syscall().
 */

#include <linux/seccomp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "base/filter.h"
#include "preload/hook.h"
#include "preload/next.h"

static int set_by_prctl(const long a[4])
{
	struct filter *copy = filter_begin();
	const int result = next.prctl(PR_SET_SECCOMP, a[0], a[1], a[2], a[3]);

	filter_end(copy,
		   a[0] == SECCOMP_MODE_STRICT ? NULL : (const void *)a[1],
		   result == 0);
	return result;
}

HOOK int prctl(int option, ...)
{
	long a[4];
	va_list arguments;

	va_start(arguments, option);
	a[0] = va_arg(arguments, long);
	a[1] = va_arg(arguments, long);
	a[2] = va_arg(arguments, long);
	a[3] = va_arg(arguments, long);
	va_end(arguments);
	if (option == PR_SET_SECCOMP &&
	    (a[0] == SECCOMP_MODE_STRICT || a[0] == SECCOMP_MODE_FILTER))
		return set_by_prctl(a);
	return next.prctl(option, a[0], a[1], a[2], a[3]);
}

/*
 * With TSYNC, a result above 0 is the id of a thread that could not be
 * synchronized.
 */
static bool has_succeeded(long result, unsigned int flags)
{
	return result == 0 ||
	       (result > 0 && (flags & SECCOMP_FILTER_FLAG_NEW_LISTENER) != 0);
}

long seccomp_hooked(unsigned int operation, unsigned int flags,
		    const void *argument)
{
	const bool is_strict = operation == SECCOMP_SET_MODE_STRICT;
	const bool sets = is_strict || operation == SECCOMP_SET_MODE_FILTER;
	struct filter *copy = sets ? filter_begin() : NULL;
	const long result = next.syscall(SYS_seccomp, operation, flags,
					 argument, 0L, 0L, 0L);

	if (sets)
		filter_end(copy, is_strict ? NULL : argument,
			   has_succeeded(result, flags));
	return result;
}
