/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>
#include <time.h>

/*
 * Milliseconds since the machine started, suspensions left out, never 0; the
 * same for all processes of a time namespace. Of the coarse clock, 1 to 10 ms
 * fine, read in the vDSO without a system call.
 */
static inline uint64_t clock_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000 + 1;
}
