/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The program's own calls, as they are without Berth: the next definitions
 * behind libberth.so, of another preload or of libc. Until the constructor has
 * looked them up, and where libc has none, they are system calls made directly.
 * They behave as in libc: -1 and errno, and libc's cancellation points.
 */

#include <errno.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>

struct next_calls {
#define LIBC_CALL(result, name, parameters) result(*name) parameters;
#define SYSTEM_CALL(result, name, parameters, words, arguments) \
	LIBC_CALL(result, name, parameters)
#define LIBC_ALIAS(name)
#include "preload/hooks.def"
#undef SYSTEM_CALL
#undef LIBC_CALL
#undef LIBC_ALIAS
};

/* bindresvport_sa is never called; NULL where libtirpc is not there. */
extern struct next_calls next;

/* Looks the next definitions up, by dlsym(3): from the constructor only. */
void next_find(void);

/*
 * Registers two functions that libc calls after each fork(3), one in the parent
 * and one in the child, if libc supports this. From the constructor only: it
 * takes a lock. Returns 0 on success.
 */
int next_at_fork(void (*in_parent)(void), void (*in_child)(void));

/* Turns a result or -errno into libc's result; errno is set only on failure. */
static inline long next_result(long result)
{
	if (result >= 0)
		return result;
	errno = (int)-result;
	return -1;
}

/* Turns a libc result into a result or -errno, and restores errno. */
static inline long next_plain_result(long result, int saved_errno)
{
	if (result >= 0)
		return result;
	result = -errno;
	errno = saved_errno;
	return result;
}
