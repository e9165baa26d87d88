/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Whether memory that a program points to can be read. For a bad pointer the
 * kernel answers EFAULT; to follow it here would be a crash of the program.
 */

#include <stdbool.h>
#include <stddef.h>

/*
 * Whether n_bytes at pointer can be read now. The kernel is asked anew each
 * time, by a system call that reads a word of each page and changes nothing;
 * only the page of the stack that this very call stands on needs no question.
 * fd is the program's socket, of which an option that does not exist is set
 * where the program's seccomp filter forbids the first call. NULL is not
 * readable, and nothing is where both are forbidden. Async-signal-safe; errno is
 * not touched.
 */
bool user_memory_check(int fd, const void *pointer, size_t n_bytes);
