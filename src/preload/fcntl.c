/* SPDX-License-Identifier: MIT */

/*
 * fcntl and fcntl64 are one function to the kernel, and two names to programs:
 * those built with _FILE_OFFSET_BITS=64 call the second.
 */

#include <fcntl.h>
#include <stdarg.h>

#include "preload/dup.h"
#include "preload/hook.h"
#include "preload/next.h"

static void note(int fd, int command, int result)
{
	if (command == F_DUPFD || command == F_DUPFD_CLOEXEC)
		dup_note(fd, result);
}

HOOK int fcntl(int fd, int command, ...)
{
	va_list arguments;

	va_start(arguments, command);

	/* A pointer or an int, as the command has it: a word holds either. */
	void *argument = va_arg(arguments, void *);

	va_end(arguments);

	const int result = next.fcntl(fd, command, argument);

	note(fd, command, result);
	return result;
}

HOOK int fcntl64(int fd, int command, ...)
{
	va_list arguments;

	va_start(arguments, command);

	void *argument = va_arg(arguments, void *);

	va_end(arguments);

	const int result = next.fcntl64(fd, command, argument);

	note(fd, command, result);
	return result;
}
