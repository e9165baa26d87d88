/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>
#include <time.h>

/*
 * clock_gettime(2): the kernel's own, in the vDSO, once clock_find() has found
 * it. The function of this name in libc may be replaced by another preload that
 * shows its program another time (libfaketime), while all programs that share a
 * map need the same time.
 */
extern int (*clock_read)(clockid_t clock, struct timespec *timep);

/* Looks the function up by dlopen(3): call this from a constructor only. */
void clock_find(void);

/*
 * Milliseconds since the machine started, without the time that it was
 * suspended, never 0; the same for all processes of a time namespace. Read from
 * the coarse clock, which advances in steps of 1 to 10 ms, in the vDSO without
 * a system call.
 */
static inline uint64_t clock_now_ms(void)
{
	struct timespec now = { .tv_sec = 0 };

	clock_read(CLOCK_MONOTONIC_COARSE, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000 +
	       1;
}
