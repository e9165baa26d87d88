/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>
#include <time.h>

/*
 * clock_gettime(2): the kernel's own, in the vDSO, once clock_find() has found it.
 * libc's name for it may belong to another preload, which tells its program a time
 * of its own (libfaketime), while the map's time is that of all programs.
 */
extern int (*clock_read)(clockid_t clock, struct timespec *timep);

/* Looks it up, by dlopen(3): from a constructor only. */
void clock_find(void);

/*
 * Milliseconds since the machine started, suspensions left out, never 0; the
 * same for all processes of a time namespace. Of the coarse clock, 1 to 10 ms
 * fine, read in the vDSO without a system call.
 */
static inline uint64_t clock_now_ms(void)
{
	struct timespec now = { .tv_sec = 0 };

	clock_read(CLOCK_MONOTONIC_COARSE, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000 + 1;
}
