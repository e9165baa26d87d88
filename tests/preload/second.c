/* SPDX-License-Identifier: MIT */
/*
 * A second interposer, before or behind libberth.so: it forwards bind() and
 * connect() and counts them, for scenes/second. Edge case 36.
 */
#include "probe.h"

#include <dlfcn.h>

#define N_CALLS 3

static int count;

__attribute__((destructor)) static void end(void)
{
	check(count == N_CALLS, "the other preload saw %d calls, not %d",
	      N_CALLS, count);
}

int bind(int fd, const struct sockaddr *address, socklen_t length)
{
	int (*next)(int, const struct sockaddr *,
		    socklen_t) = (int (*)(int, const struct sockaddr *,
					  socklen_t))dlsym(RTLD_NEXT, "bind");

	count++;
	return next(fd, address, length);
}

int connect(int fd, const struct sockaddr *address, socklen_t length)
{
	int (*next)(int, const struct sockaddr *, socklen_t) =
		(int (*)(int, const struct sockaddr *,
			 socklen_t))dlsym(RTLD_NEXT, "connect");

	count++;
	return next(fd, address, length);
}
