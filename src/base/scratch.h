/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Memory for the length of one rare path, in place of a large array on the
 * program's stack, which may have little room: a thread of PTHREAD_STACK_MIN, an
 * alternate signal stack.
 *
 * Each piece is a mapping of its own, made and undone by system calls of Berth's
 * own: no heap, errno is not touched, async-signal-safe.
 */

#include <stddef.h>

/*
 * Zeroed, aligned for every type; what is not touched takes no memory. NULL
 * where the kernel refuses: the caller then does without the path.
 */
void *scratch_take(size_t size);

/* Gives back what scratch_take() returned, with the same size; NULL is fine. */
void scratch_put(void *memory, size_t size);
