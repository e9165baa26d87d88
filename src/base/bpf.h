/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Runs a seccomp filter in user space, as the kernel would run it on a system
 * call. The filter is a program of classic BPF that uses only the instructions
 * that seccomp accepts: seccomp_check_filter() in kernel/seccomp.c.
 *
 * Bounded (classic BPF only jumps forward), without heap, lock or system call,
 * async-signal-safe; 64 bytes of scratch memory on the stack.
 */

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>

/* BPF_MAXINSNS of the kernel: no filter is longer. */
#define BPF_LENGTH_MAX 4096u

/*
 * Returns what the filter returns: an action and its data, SECCOMP_RET_*. For a
 * program that the kernel would not have accepted it is
 * SECCOMP_RET_KILL_PROCESS.
 */
uint32_t bpf_run(const struct sock_filter *code, size_t length,
		 const struct seccomp_data *data);
