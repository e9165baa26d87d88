/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Work in a process of its own. What maps a file that another user may shorten
 * can be ended by SIGBUS at each access; the command then goes on without it.
 */

#include <stddef.h>

/*
 * Zeroed memory that the other process shares: what it is told, and its answer.
 * Returns NULL without memory; never freed, commands are short.
 */
void *apart_memory(size_t size);

/*
 * Runs work(memory) in a child and waits for it. Standard output is the caller's
 * alone. Returns 0; -EIO where something has ended the child, and what it leaves
 * in the memory is not to be used; or why there is none, -errno.
 */
int apart_run(void (*work)(void *memory), void *memory);
