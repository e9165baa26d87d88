/* SPDX-License-Identifier: MIT */
#pragma once

/* Work in a process of its own. Another user may shorten a file that is mapped,
 * and then SIGBUS ends the process at its next access. The command goes on. */

#include <stddef.h>

/* Zeroed memory that both processes share, for the input and the result.
 * Returns NULL without memory. It is never freed: commands are short. */
void *apart_memory(size_t size);

/*
 * Runs work(memory) in a child and waits for it. The child must not write to
 * standard output. Returns 0; -EIO when the child was ended before, and what it
 * wrote is not to be used; or -errno when there is no child.
 */
int apart_run(void (*work)(void *memory), void *memory);
