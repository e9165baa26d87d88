/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Memory for one rare path, in place of a large array on the program's stack,
 * which may be small: that of a thread with PTHREAD_STACK_MIN, or an alternate
 * signal stack.
 *
 * Each piece is a mapping of its own, made and removed by system calls of
 * Berth: no heap, errno is not touched, async-signal-safe.
 */

#include <stddef.h>

/*
 * Zeroed, aligned for every type; pages that are not touched take no memory.
 * NULL where the kernel refuses: the caller then does without this path.
 */
void *scratch_take(size_t size);

/* Gives back what scratch_take() returned, with the same size; NULL is fine. */
void scratch_put(void *memory, size_t size);
