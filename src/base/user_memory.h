/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Whether memory that a program points to can be read. The kernel answers
 * EFAULT for a bad pointer; if Berth read it, the program would crash.
 */

#include <stdbool.h>
#include <stddef.h>

/*
 * Whether n_bytes at pointer can be read now. Each time the kernel is asked, by
 * a system call that reads a word of each page and changes nothing; only for
 * the page of the stack that this call uses no question is needed. fd is the
 * program's socket: where the program's seccomp filter forbids the first call,
 * an option that does not exist is set on it. Returns false for NULL, and for
 * everything where all calls are forbidden. Async-signal-safe; errno is not
 * touched.
 */
bool user_memory_check(int fd, const void *pointer, size_t n_bytes);
