/* SPDX-License-Identifier: MIT */
#include "preload/next.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>

#include "base/raw.h"

/* Made without asking a filter: the call is the program's own. */
static long direct(long number, const long a[6])
{
	return next_result(
		raw_program_call(number, a[0], a[1], a[2], a[3], a[4], a[5]));
}

/* The words of a call; the rest of the six are zero. */
#define WORDS(...) ((const long[6]){ __VA_ARGS__ })

#define SYSTEM_CALL(result, name, parameters, words, arguments) \
	static result direct_##name parameters \
	{ \
		return (result)direct(SYS_##name, WORDS words); \
	}
#define LIBC_CALL(result, name, parameters)
#define LIBC_ALIAS(name)
#include "preload/hooks.def"
#undef SYSTEM_CALL
#undef LIBC_CALL

static ssize_t direct_send(int fd, const void *buffer, size_t size, int flags)
{
	return direct_sendto(fd, buffer, size, flags, NULL, 0);
}

static void direct_closefrom(int first)
{
	direct_close_range(first > 0 ? (unsigned int)first : 0, ~0u, 0);
}

static int direct_fcntl(int fd, int command, ...)
{
	va_list arguments;

	va_start(arguments, command);

	const long argument = va_arg(arguments, long);

	va_end(arguments);
	return (int)direct(SYS_fcntl, WORDS(fd, command, argument));
}

#define direct_fcntl64 direct_fcntl

#ifndef SYS_dup2
static int direct_dup2(int fd, int target)
{
	if (fd != target)
		return direct_dup3(fd, target, 0);
	/* Unlike dup2(2), dup3(2) refuses two equal descriptors. */
	return direct_fcntl(fd, F_GETFL, 0L) < 0 ? -1 : fd;
}
#endif

static int direct_prctl(int option, ...)
{
	va_list arguments;
	long a[4];

	va_start(arguments, option);
	for (int i = 0; i < 4; i++)
		a[i] = va_arg(arguments, long);
	va_end(arguments);
	return (int)direct(SYS_prctl, WORDS(option, a[0], a[1], a[2], a[3]));
}

static long direct_syscall(long number, ...)
{
	va_list arguments;
	long a[6];

	va_start(arguments, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(arguments, long);
	va_end(arguments);
	return direct(number, a);
}

/* No system call corresponds to it. */
#define direct_bindresvport_sa NULL

struct next_calls next = {
#define LIBC_CALL(result, name, parameters) .name = direct_##name,
#define SYSTEM_CALL(result, name, parameters, words, arguments) \
	LIBC_CALL(result, name, parameters)
#include "preload/hooks.def"
#undef SYSTEM_CALL
#undef LIBC_CALL
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
	/* In glibc pthread_atfork(3) is in no shared library, in musl it is. */
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
#define LIBC_CALL(result, name, parameters) find(#name, &next.name);
#define SYSTEM_CALL(result, name, parameters, words, arguments) \
	LIBC_CALL(result, name, parameters)
#include "preload/hooks.def"
}
