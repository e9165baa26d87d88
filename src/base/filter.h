/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The seccomp filters that the program has set, and what they say of a system
 * call that Berth wants to make. The kernel does not show a filter to the
 * process that it holds for, so a copy of each is kept, in memory that is mapped
 * for it; a forked child has its parent's.
 *
 * seccomp(2) holds for a thread and for the threads that it makes afterwards, or
 * for all with SECCOMP_FILTER_FLAG_TSYNC. Here all filters hold for all threads:
 * who made whom is not known, and what is not made harms nobody: another way is
 * taken or the kernel chooses the port. For the same reason a filter that a vfork
 * child has set holds for its parent too, with which it shares the memory.
 *
 * Not seen, and so not kept: filters that were there when the program started,
 * of which only their existence is known (filter_is_inherited()), and those that
 * are set by a system call instruction of the program's own.
 *
 * Asking and calling are two steps. A filter that one thread sets for all with
 * SECCOMP_FILTER_FLAG_TSYNC may come in between for another thread that is in a
 * hook just then: the call that it makes next may end it.
 *
 * Lock-free, async-signal-safe, no heap; errno is not touched.
 */

#include <linux/filter.h>
#include <stdbool.h>

#include "base/raw.h"

struct filter;

/*
 * Reads from /proc whether the process was started under a filter, which may be
 * one of a container, or a service's, that kills. To be called at the start, once.
 */
void filter_look(void);

/*
 * Around a call by which the program sets a filter. In between, and in the
 * handlers of signals that come then, nothing is allowed. The memory of the copy
 * is mapped before: afterwards that may be forbidden. filter_end() reads the
 * program only if the call has succeeded, so the kernel has read it before.
 *
 * A process that another thread forks just then never makes a call of Berth's.
 */
struct filter *filter_begin(void);
void filter_end(struct filter *copy, const struct sock_fprog *program,
		bool succeeded);

/* The same for SECCOMP_MODE_STRICT: read, write, exit and sigreturn only. */
void filter_end_strict(struct filter *copy, bool succeeded);
